"""The two processes: one numbers its messages and sends them, one checks what arrives."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from time import monotonic, sleep

import zmq

import qzmq_ref
from qzmq_interop.soak.plan import NUMBER, Plan, Received
from qzmq_interop.throughput.mechanisms import MECHANISMS, Context, Keys, Mechanism, Socket, qzmq
from qzmq_ref.bridge.observer import Direction
from qzmq_ref.connection import Configuration, Ended, Peer
from qzmq_ref.policy import Policy

REPORT_EVERY = 500
"""Messages between two words to the parent process."""

BURSTS = 200
"""Bursts per second that a rate is kept with."""

QUIET = 1.0
"""Seconds of silence after which nothing more is on its way."""


class Rotations:
    """A watch that counts the new keys of all connections."""

    def __init__(self) -> None:
        self.steps = self.generations = 0

    def __call__(self, _configuration: Configuration) -> Rotations:
        """Watch one more connection."""
        return self

    def stepped(self, _direction: Direction, steps: int) -> None:
        """See Watch.stepped."""
        self.steps += steps

    def rekeyed(self, _seconds: float | None) -> None:
        """See Watch.rekeyed."""
        self.generations += 1

    def carried(self, _direction: Direction, _octets: int, _messages: int, _seconds: float) -> None:
        """Not asked for."""

    def established(self, peer: Peer, seconds: float) -> None:
        """Not asked for."""

    def ended(self, ended: Ended, *, established: bool) -> None:
        """Not asked for."""


def send(mechanism: str, keys: Keys, plan: Plan, parent: Connection) -> None:
    """PUSH: hears the endpoint, then sends every number once at the plan's rate; tells how far it is, and "done"."""
    with _socket(mechanism, zmq.PUSH) as (_, socket):
        _mechanism(mechanism, plan).client(socket, keys)
        socket.reconnect_ivl, socket.reconnect_ivl_max = 10, 100
        socket.connect(parent.recv())
        burst = plan.rate // BURSTS or plan.messages
        began = monotonic()
        for number in range(plan.messages):
            if plan.rate and number % burst == 0:
                sleep(max(0.0, began + number / plan.rate - monotonic()))
            if number % REPORT_EVERY == 0:
                parent.send(number)
            socket.send(plan.payload(number))
        parent.send("done")
        parent.recv()


def receive(mechanism: str, keys: Keys, plan: Plan, parent: Connection) -> None:
    """PULL: tells the parent its endpoint and, told that all is sent and once nothing comes any more, a Received."""
    with _socket(mechanism, zmq.PULL) as (context, socket):
        rotations = Rotations()
        if isinstance(context, qzmq_ref.Context):
            context.slot.observe = rotations
        _mechanism(mechanism, plan).server(socket, keys)
        socket.bind("tcp://127.0.0.1:*")
        parent.send(socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0"))
        address = "X-QZMQ-Peer-Address" if isinstance(context, qzmq_ref.Context) else "Peer-Address"
        received = _check(socket, plan, address, parent)
        parent.send(replace(received, steps=rotations.steps, generations=rotations.generations))


def _check(socket: Socket, plan: Plan, address: str, parent: Connection) -> Received:
    """Hold each message against its number, and the numbers of a connection against their order.

    A message's property `address` tells its connection. (Descriptors do not: libzmq delivers what an old connection has
    left behind beside what comes by a new one that has got its descriptor.)
    """
    seen = bytearray(plan.messages)
    last: dict[object, int] = {}  # by connection
    repeated = damaged = disordered = 0
    quiet_since = None
    while quiet_since is None or monotonic() - quiet_since < QUIET:
        if not socket.poll(100):
            sent_all = parent.poll()
            quiet_since = (quiet_since or monotonic()) if sent_all else None
            continue
        frame = socket.recv(copy=False)
        quiet_since = None
        number = int.from_bytes(frame.buffer[:NUMBER])
        if number >= plan.messages or frame.bytes != plan.payload(number):
            damaged += 1
            continue
        connection = frame.get(address)
        repeated += seen[number]
        disordered += last.get(connection, -1) >= number
        last[connection] = number
        seen[number] = 1
    return Received(sum(seen), repeated, damaged, disordered)


@contextmanager
def _socket(mechanism: str, kind: zmq.SocketType) -> Iterator[tuple[Context, Socket]]:
    context = MECHANISMS[mechanism].context()
    try:
        yield context, context.socket(kind)
    finally:
        context.destroy(linger=0)


def _mechanism(name: str, plan: Plan) -> Mechanism:
    """As compared elsewhere, but QZMQ with the keys and records of the plan."""
    return qzmq(name, replace(Policy.preset("default"), **plan.policy)) if name == "QZMQ" else MECHANISMS[name]
