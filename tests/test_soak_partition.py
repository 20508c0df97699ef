"""Networks that are cut, stall, or leave one side believing: the sockets come back by themselves, as over plain TCP."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterator

import pytest
import zmq

from qzmq_interop.network import Network
from tests.soak import scaled, timeout
from tests.sockets import NULL, QZMQ, TIMEOUT, AnySocket, Kind, Stage, endpoint_of, running

pytestmark = pytest.mark.timeout(timeout(60))

HEARTBEAT = 100
"""Milliseconds between ZMTP heartbeats where a test needs them."""


@pytest.fixture(params=[NULL, QZMQ], ids=str)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    kind: Kind = request.param
    with running(kind) as stage:
        yield stage


def echo(client: AnySocket, server: AnySocket, text: bytes) -> None:
    """One round trip; what older rounds left on the way is passed over."""
    client.send(text)
    while (request := server.recv_multipart())[-1] != text:
        pass
    server.send_multipart(request)
    while client.recv() != text:
        pass


def pair(stage: Stage, **options: int) -> tuple[AnySocket, AnySocket]:
    """A ROUTER that is bound, and a DEALER that is not connected yet."""
    more = {"linger": 0, "reconnect_ivl": 20, "reconnect_ivl_max": 100, **options}
    server, client = stage.socket(zmq.ROUTER, **more), stage.socket(zmq.DEALER, **more)
    server.bind("tcp://127.0.0.1:*")
    return server, client


def recovers(client: AnySocket, server: AnySocket, seconds: float = 10.0) -> None:
    """An echo succeeds again, though single messages may be lost meanwhile."""
    deadline = time.monotonic() + seconds
    client.rcvtimeo = server.rcvtimeo = 100
    for attempt in itertools.count():
        assert time.monotonic() < deadline, "the sockets did not come back"
        with contextlib.suppress(zmq.Again):
            echo(client, server, b"back %d" % attempt)
            break
    client.rcvtimeo = server.rcvtimeo = TIMEOUT


def test_a_cut_connection_comes_back(stage: Stage) -> None:
    server, client = pair(stage)
    with Network(endpoint_of(server)) as network:
        client.connect(network.endpoint)
        echo(client, server, b"first")
        for _ in range(scaled(5)):
            assert network.cut() == 1
            recovers(client, server)


def test_a_partition_heals(stage: Stage) -> None:
    """What is sent meanwhile waits with its sender, and is not lost."""
    server, client = pair(stage)
    with Network(endpoint_of(server)) as network:
        client.connect(network.endpoint)
        echo(client, server, b"first")
        for _ in range(scaled(2)):
            assert network.partition() == 1
            time.sleep(0.3)
            client.send(b"said into the void")
            assert not server.poll(200)
            network.heal()
            assert server.recv_multipart()[-1] == b"said into the void"
            recovers(client, server)


def test_a_stall_loses_nothing(stage: Stage) -> None:
    server, client = pair(stage)
    with Network(endpoint_of(server)) as network:
        client.connect(network.endpoint)
        echo(client, server, b"first")
        for number in range(scaled(3)):
            network.stall()
            for part in range(100):
                client.send(b"%d.%d" % (number, part))
            assert not server.poll(100)
            network.heal()
            received = [server.recv_multipart()[-1] for _ in range(100)]
            assert received == [b"%d.%d" % (number, part) for part in range(100)]


def test_a_stall_longer_than_a_heartbeat_is_an_end(stage: Stage) -> None:
    """Heartbeats go through the session end to end: they notice what TCP does not."""
    server, client = pair(stage, heartbeat_ivl=HEARTBEAT, heartbeat_timeout=3 * HEARTBEAT)
    with Network(endpoint_of(server)) as network:
        client.connect(network.endpoint)
        echo(client, server, b"first")
        network.stall()
        time.sleep(1.0)
        network.heal()
        recovers(client, server)


def test_a_half_open_connection_is_noticed(stage: Stage) -> None:
    """The server's end was reset, the client's end hears nothing of it: its heartbeats find out."""
    server, client = pair(stage, heartbeat_ivl=HEARTBEAT, heartbeat_timeout=3 * HEARTBEAT)
    with Network(endpoint_of(server)) as network:
        client.connect(network.endpoint)
        echo(client, server, b"first")
        for _ in range(scaled(2)):
            assert network.forget() == 1
            recovers(client, server)


def test_a_server_that_is_not_there_yet(stage: Stage) -> None:
    """The network is there, its upstream not: connections are reset until the server comes."""
    server, client = pair(stage)
    endpoint = endpoint_of(server)
    server.close()
    with Network(endpoint) as network:
        client.connect(network.endpoint)
        client.send(b"early")
        time.sleep(0.3)
        late = stage.socket(zmq.ROUTER, linger=0)
        late.bind(endpoint)
        assert late.recv_multipart()[-1] == b"early"
        recovers(client, late)
