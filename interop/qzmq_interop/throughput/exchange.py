"""Handshakes without a network: both sides of a connection in one thread, and the processor time of each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from time import monotonic, thread_time
from typing import TypeVar

from qzmq_ref.connection import ClientTicket, Configuration, Connection, Event, TicketReceived
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import KemId
from qzmq_ref.tickets import MemoryTickets

_T = TypeVar("_T")


@dataclass(frozen=True)
class Cost:
    """Of one handshake: processor seconds at either side, and octets that both sent."""

    client: float
    server: float
    octets: int

    @property
    def both(self) -> float:
        """Of both sides, in seconds."""
        return self.client + self.server


@dataclass
class Meter:
    """Adds up the processor time of what it runs."""

    seconds: float = 0.0

    def run(self, work: Callable[[], _T]) -> _T:
        """What `work` returns."""
        began = thread_time()
        try:
            return work()
        finally:
            self.seconds += thread_time() - began


@dataclass(frozen=True)
class Ends:
    """A client and a server that know each other; `tickets` is where the server keeps what it issues."""

    client: Configuration
    server: Configuration

    @classmethod
    def of(cls, policy: Policy, *, client_key: bool = True, tickets: bool = False) -> Ends:
        """Both with fresh keys under `policy`; without `client_key` the client is anonymous."""
        server_key, key = (SigningKey.from_seed(policy.signature, os.urandom(32), provider()) for _ in "sc")
        clients = frozenset({key.pin}) if client_key else None
        store = MemoryTickets() if tickets else None
        server = Configuration("server", policy, key=server_key, client_pins=clients, tickets=store)
        pins = frozenset({server_key.pin})
        return cls(Configuration("client", policy, key=key if client_key else None, server_pins=pins), server)

    def handshake(self, ticket: ClientTicket | None = None) -> Handshake:
        """One handshake, from two new connections to both sides established."""
        done = Handshake()
        client = done.client_time.run(
            lambda: Connection(self.client, RawBinding("client"), entropy=os.urandom, clock=monotonic, ticket=ticket)
        )
        server = done.server_time.run(
            lambda: Connection(self.server, RawBinding("server"), entropy=os.urandom, clock=monotonic)
        )
        done.exchange(client, server)
        if not (client.established and server.established):
            raise RuntimeError(f"a handshake between equals failed: {done.events}")
        return done


@dataclass
class Handshake:
    """What a handshake took and what the client saw of it."""

    client_time: Meter = field(default_factory=Meter)
    server_time: Meter = field(default_factory=Meter)
    octets: int = 0
    events: list[Event] = field(default_factory=list)

    def exchange(self, client: Connection, server: Connection) -> None:
        """Carry octets both ways until both sides are silent."""
        while True:
            up, down = self.client_time.run(client.data_to_send), self.server_time.run(server.data_to_send)
            if not up and not down:
                return
            self.octets += len(up) + len(down)
            self.server_time.run(lambda octets=up: server.receive(octets))  # type: ignore[misc]
            self.events += self.client_time.run(lambda octets=down: client.receive(octets))  # type: ignore[misc]

    @property
    def cost(self) -> Cost:
        """Both sides' time, and the octets between them."""
        return Cost(self.client_time.seconds, self.server_time.seconds, self.octets)

    @property
    def ticket(self) -> ClientTicket:
        """The last ticket that the client got."""
        return [event.ticket for event in self.events if isinstance(event, TicketReceived)][-1]


def public_key_seconds(policy: Policy, *, signatures: int) -> float:
    """Processor seconds of a handshake's public-key operations by themselves: the KEM, and so many signatures."""
    suite, chosen = policy.suites[0], provider()
    mechanism = kem(KemId(suite.kem), chosen)
    key = SigningKey.from_seed(policy.signature, os.urandom(32), chosen)
    verifier = public_key(key.spki, chosen)
    meter = Meter()

    def work() -> None:
        private = mechanism.generate(os.urandom)
        ciphertext, _ = mechanism.encapsulate(private.public_key, os.urandom)
        private.decapsulate(ciphertext)
        for _ in range(signatures):
            verifier.verify(key.sign(b"transcript", os.urandom), b"transcript")

    work()
    meter.run(work)
    return meter.seconds


def full(policy: Policy, *, client_key: bool = True) -> Callable[[], Cost]:
    """Handshake after handshake without tickets."""
    ends = Ends.of(replace(policy, tickets=0), client_key=client_key)
    return lambda: ends.handshake().cost


def resumed(policy: Policy) -> Callable[[], Cost]:
    """Each handshake with a ticket of the one before."""
    ends = Ends.of(replace(policy, tickets=1), tickets=True)
    last = ends.handshake()

    def again() -> Cost:
        nonlocal last
        last = ends.handshake(last.ticket)
        return last.cost

    return again
