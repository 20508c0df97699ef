"""The measurements: for each, what the server's process does and what the client's does.

A side returns the figures it measured, by name. High-water marks, copying and tracking are pyzmq's defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter, sleep

import zmq

from qzmq_interop.throughput.exchange import full
from qzmq_interop.throughput.machine import memory_of_this_process, threads_of_this_process
from qzmq_interop.throughput.mechanisms import Socket
from qzmq_interop.throughput.side import Side
from qzmq_ref.policy import Limits, Policy, mode_of
from qzmq_ref.records import DATA, OVERHEAD, RecordWriter

Figures = Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """How much work one measurement is."""

    size: int = 64
    """Octets per message."""
    messages: int = 1
    sessions: int = 1
    warm_up: int = 0
    """Messages or connections before the clock starts."""
    settle: float = 0.0
    """Seconds that handshakes and allocators get to come to rest before memory is read."""

    def scaled(self, factor: float) -> Plan:
        """The same work, less of it; sessions keep their number, which is what is measured."""
        messages, warm_up = (max(1, int(n * factor)) for n in (self.messages, self.warm_up))
        return replace(self, messages=messages, warm_up=warm_up)


def stream_server(side: Side, plan: Plan) -> Figures:
    """PULL: rate from the end of the warm-up to the last message, once every session has brought one."""
    with closing(side.bind(zmq.PULL)) as socket:
        for _ in range(plan.sessions):
            socket.recv()
        side.tell("connected")
        for _ in range(plan.warm_up):
            socket.recv()
        started = perf_counter()
        for _ in range(plan.messages):
            socket.recv()
        elapsed = perf_counter() - started
        side.tell("received")
    return {"messages_per_s": plan.messages / elapsed, "octets_per_s": plan.messages * plan.size / elapsed}


def stream_client(side: Side, plan: Plan) -> Figures:
    """PUSH over every session in turn, as fast as the high-water marks allow."""
    endpoint = side.hear()
    payload = bytes(plan.size)
    with ExitStack() as stack:
        sockets = _connect_all(side, stack, zmq.PUSH, endpoint, plan.sessions)
        for socket in sockets:
            socket.send(payload)
        side.hear()
        for number in range(plan.warm_up + plan.messages):
            sockets[number % plan.sessions].send(payload)
        side.hear()
    return {}


def echo_server(side: Side, plan: Plan) -> Figures:
    """REP: echo until the client has what it came for."""
    with closing(side.bind(zmq.REP)) as socket:
        for _ in range(plan.warm_up + plan.messages):
            socket.send(socket.recv())
        side.hear()
    return {}


def latency_client(side: Side, plan: Plan) -> Figures:
    """REQ: median round trip on one session."""
    payload = bytes(plan.size)
    with closing(side.connect(zmq.REQ, side.hear())) as socket:
        times = [_echo(socket, payload) for _ in range(plan.warm_up + plan.messages)]
        side.tell("done")
    return {"seconds": median(times[plan.warm_up :])}


def first_echo_client(side: Side, plan: Plan) -> Figures:
    """REQ: median time from connect to the first echo, a fresh socket each time."""
    endpoint = side.hear()
    times = [_first_echo(side, endpoint, bytes(plan.size)) for _ in range(plan.warm_up + plan.messages)]
    side.tell("done")
    return {"seconds": median(times[plan.warm_up :])}


def sessions_server(side: Side, plan: Plan) -> Figures:
    """ROUTER: echo to the sessions of the warm-up, then to the measured ones; memory before and after."""
    with closing(side.bind(zmq.ROUTER)) as socket:
        _echo_each(socket, plan.warm_up)
        before = _memory_at_rest(side, plan)
        _echo_each(socket, plan.sessions)
        after = _memory_at_rest(side, plan)
        side.tell("measured")
    figures = {f"{kind}_per_session": (after[kind] - before[kind]) / plan.sessions for kind in after}
    return {**figures, "server_threads": threads_of_this_process()}


def sessions_client(side: Side, plan: Plan) -> Figures:
    """DEALERs that all connect at once: time until each had its first echo."""
    endpoint = side.hear()
    with ExitStack() as stack:
        _open_sessions(side, stack, endpoint, plan.warm_up)
        side.tell("echoed")
        side.hear()
        started = perf_counter()
        _open_sessions(side, stack, endpoint, plan.sessions)
        elapsed = perf_counter() - started
        side.tell("echoed")
        side.hear()
        threads = threads_of_this_process()
        side.hear()
    return {"seconds": elapsed, "seconds_per_session": elapsed / plan.sessions, "client_threads": threads}


def publish_server(side: Side, plan: Plan) -> Figures:
    """XPUB: every message to every subscriber, none dropped; rate at which subscribers get them, all together."""
    with closing(side.bind(zmq.XPUB)) as socket:
        socket.setsockopt(zmq.XPUB_VERBOSE, 1)  # each subscription counts here, also the same again
        socket.setsockopt(zmq.XPUB_NODROP, 1)
        for _ in range(plan.sessions):
            socket.recv()
        payload = bytes(plan.size)
        started = perf_counter()
        for number in range(plan.warm_up + plan.messages):
            if number == plan.warm_up:
                side.hear()
                started = perf_counter()
            socket.send(payload)
        side.hear()
        elapsed = perf_counter() - started
    delivered = plan.messages * plan.sessions
    return {"deliveries_per_s": delivered / elapsed, "octets_per_s": delivered * plan.size / elapsed}


def publish_client(side: Side, plan: Plan) -> Figures:
    """SUB sockets that each take everything, in turn."""
    endpoint = side.hear()
    with ExitStack() as stack:
        sockets = _connect_all(side, stack, zmq.SUB, endpoint, plan.sessions)
        for socket in sockets:
            socket.setsockopt(zmq.SUBSCRIBE, b"")
        for messages in (plan.warm_up, plan.messages):
            for _ in range(messages):
                for socket in sockets:
                    socket.recv()
            side.tell("received")
    return {}


def sealing_server(side: Side, plan: Plan) -> Figures:
    """No socket: records of the plan's size, sealed one after the other under the mechanism's first suite."""
    writer = RecordWriter(side.mechanism.suites[0], Limits(), perf_counter, bytes(64), 1)
    plaintext, out = memoryview(bytes(plan.size)), memoryview(bytearray(plan.size + OVERHEAD))
    for _ in range(plan.warm_up):
        writer.seal_into(DATA, plaintext, out)
    started = perf_counter()
    for _ in range(plan.messages):
        writer.seal_into(DATA, plaintext, out)
    return {"octets_per_s": plan.messages * plan.size / (perf_counter() - started)}


def handshaking_server(side: Side, plan: Plan) -> Figures:
    """No socket: whole handshakes in memory, each side with a key; processor seconds of both sides for one."""
    suite = side.mechanism.suites[0]
    handshake = full(Policy((suite,), mode=mode_of(suite) or ""))
    for _ in range(plan.warm_up):
        handshake()
    return {"seconds": sum(handshake().both for _ in range(plan.messages)) / plan.messages}


def idle_client(_side: Side, _plan: Plan) -> Figures:
    """Nothing, while the server measures itself."""
    return {}


def _echo(socket: Socket, payload: bytes) -> float:
    started = perf_counter()
    socket.send(payload)
    socket.recv()
    return perf_counter() - started


def _first_echo(side: Side, endpoint: str, payload: bytes) -> float:
    started = perf_counter()
    with closing(side.connect(zmq.REQ, endpoint)) as socket:
        socket.send(payload)
        socket.recv()
        return perf_counter() - started


def _echo_each(socket: Socket, sessions: int) -> None:
    for _ in range(sessions):
        socket.send_multipart(socket.recv_multipart())


def _open_sessions(side: Side, stack: ExitStack, endpoint: str, count: int) -> None:
    sockets = _connect_all(side, stack, zmq.DEALER, endpoint, count)
    for socket in sockets:
        socket.send(b"first")
    for socket in sockets:
        socket.recv()


def _connect_all(side: Side, stack: ExitStack, kind: zmq.SocketType, endpoint: str, count: int) -> list[Socket]:
    """`count` sockets that are connecting, closed with the stack."""
    return [stack.enter_context(closing(side.connect(kind, endpoint))) for _ in range(count)]


def _memory_at_rest(side: Side, plan: Plan) -> dict[str, float]:
    """PSS and RSS in octets once the client says that every echo arrived; then lets the client go on."""
    side.hear()
    sleep(plan.settle)
    memory = memory_of_this_process()
    side.tell("go on")
    return memory
