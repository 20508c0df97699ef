"""Many connections: hundreds at once, thousands one after the other, servers that go away, modes that change."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from qzmq_interop.throughput.machine import memory_of_this_process, threads_of_this_process
from qzmq_ref.policy import Policy
from qzmq_ref.tickets import MemoryTickets
from tests.soak import scaled, timeout
from tests.sockets import QZMQ, AnySocket, Stage, endpoint_of, eventually, running

pytestmark = pytest.mark.timeout(timeout(60))

MOOD = 16 * 2**20
"""Octets that the memory of a process moves by, up and down, while nothing is kept. A session kept is 75,000."""

REST = 2.0
"""Seconds after which nothing is left of a closed socket: a connector waits more than one for libzmq to come again."""


@pytest.fixture
def stage() -> Iterator[Stage]:
    with running(QZMQ) as stage:
        yield stage


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """As many as the system allows: each session and its peer in one process take seven."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_descriptors")
def test_hundreds_of_concurrent_connections(stage: Stage) -> None:
    """All connect at once, all talk, and none gets another one's answer."""
    count = scaled(300, 900)
    server = stage.socket(zmq.ROUTER, backlog=1024)
    server.bind("tcp://127.0.0.1:*")
    clients = [stage.socket(zmq.DEALER) for _ in range(count)]
    for client in clients:
        client.connect(endpoint_of(server))
    for turn in range(3):
        for number, client in enumerate(clients):
            client.send(b"%d.%d" % (turn, number))
        for _ in clients:
            server.send_multipart(server.recv_multipart())
        assert [client.recv() for client in clients] == [b"%d.%d" % (turn, number) for number in range(count)]


def descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def one_round(stage: Stage, server: AnySocket) -> None:
    """Connect, echo, close."""
    client = stage.context.socket(zmq.REQ)
    client.rcvtimeo = 10_000
    stage.kind.secure(client)
    client.connect(endpoint_of(server))
    client.send(b"round")
    server.send(server.recv())
    client.recv()
    client.close()


def test_memory_stays_flat_over_many_rounds(stage: Stage) -> None:
    """No object, descriptor or thread more after hundreds of rounds, and no more memory than an allocator's mood."""
    server = stage.socket(zmq.REP, qzmq_tickets=MemoryTickets(capacity=100))
    server.bind("tcp://127.0.0.1:*")
    rounds = scaled(400)
    for _ in range(150):
        one_round(stage, server)
    before = at_rest()
    for _ in range(rounds):
        one_round(stage, server)
    grown = {name: value - before[name] for name, value in at_rest().items()}
    print(f"over {rounds} rounds: {grown}")
    assert grown["memory"] < MOOD
    assert grown["objects"] < rounds / 4
    assert grown["descriptors"] <= 0
    assert grown["threads"] <= 0


def at_rest() -> dict[str, float]:
    """What this process holds once the last sessions have ended."""
    time.sleep(REST)
    gc.collect()
    return {
        "memory": memory_of_this_process()["pss"],
        "objects": len(gc.get_objects()),
        "descriptors": descriptors(),
        "threads": threads_of_this_process(),
    }


def test_servers_take_over_from_one_another(stage: Stage) -> None:
    """A client of three servers: one goes, the others serve; it comes back, and serves again."""
    servers = [stage.socket(zmq.PULL, linger=0) for _ in range(3)]
    client = stage.socket(zmq.PUSH, reconnect_ivl=20, reconnect_ivl_max=100, immediate=1, linger=0)
    endpoints = []
    for server in servers:
        server.bind("tcp://127.0.0.1:*")
        endpoints.append(endpoint_of(server))
        client.connect(endpoints[-1])
    until_all_serve(client, servers)
    for turn in range(scaled(3)):
        gone = turn % len(servers)
        servers[gone].close()
        others = [server for number, server in enumerate(servers) if number != gone]
        until_all_serve(client, others)
        servers[gone] = stage.socket(zmq.PULL, linger=0)
        servers[gone].bind(endpoints[gone])
        until_all_serve(client, servers)


def until_all_serve(client: AnySocket, servers: list[AnySocket]) -> None:
    """Send until each of the servers has got something; nothing arrives twice."""
    serving: set[AnySocket] = set()
    seen: set[bytes] = set()

    def served() -> bool:
        client.send(b"%d" % time.monotonic_ns())
        for server in servers:
            while server.poll(1):
                message = server.recv()
                assert message not in seen
                seen.add(message)
                serving.add(server)
        return len(serving) == len(servers)

    eventually(served)


HYBRID, POST_QUANTUM = Policy.preset("default"), Policy.preset("balanced")
EITHER = replace(HYBRID, suites=HYBRID.suites + POST_QUANTUM.suites, mixed=True)
"""What clients are given before their server moves, of the same key."""


def test_a_server_moves_to_another_mode_while_clients_come_back(stage: Stage) -> None:
    """POL-8, POL-14: clients that know both modes follow their server, whatever tickets of the old one they hold; a
    client of the old mode alone stays out."""
    first = serve(stage, "tcp://127.0.0.1:*", HYBRID)
    endpoint = endpoint_of(first)
    quick = {"reconnect_ivl": 20, "reconnect_ivl_max": 100, "linger": 0}
    clients = [stage.socket(zmq.DEALER, qzmq_policy=EITHER, **quick) for _ in range(scaled(10, 100))]
    old = stage.socket(zmq.DEALER, qzmq_policy=HYBRID, **quick)
    for client in (*clients, old):
        client.connect(endpoint)
    assert {suite_of_echo(first, client) for client in (*clients, old)} == {str(HYBRID.suites[0])}
    first.close()
    second = serve(stage, endpoint, POST_QUANTUM)
    assert {suite_of_echo(second, client) for client in clients} == {str(POST_QUANTUM.suites[0])}
    old.send(b"left behind")
    assert not second.poll(500)


def serve(stage: Stage, endpoint: str, policy: Policy) -> AnySocket:
    server = stage.socket(zmq.ROUTER, qzmq_policy=policy, linger=0)
    eventually(lambda: bound(server, endpoint))
    return server


def bound(server: AnySocket, endpoint: str) -> bool:
    """Whether it could bind; the port of a socket just closed may take a moment."""
    try:
        server.bind(endpoint)
    except zmq.ZMQError:
        return False
    return True


def suite_of_echo(server: AnySocket, client: AnySocket) -> str:
    """The suite by which a message came; one that was sent on a connection about to be lost is lost, as over tcp."""
    for _ in range(10):
        client.send(b"which?")
        if server.poll(1000):
            *_, frame = server.recv_multipart(copy=False)
            return str(frame.get("X-QZMQ-Suite"))
    raise AssertionError("nothing arrived")
