"""Monitor events: public names, the network's events rather than the private hop's, in libzmq's order."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest
import zmq
from zmq import Event

from tests.sockets import NULL, QZMQ, AnySocket, Kind, Stage, client_keys, endpoint_of, running

KINDS = pytest.mark.parametrize("kind", [NULL, QZMQ], ids=str)


def events(monitor: AnySocket, last: Event) -> Iterator[tuple[Event, str]]:
    """Events up to `last`, with their endpoints."""
    while True:
        head, endpoint = monitor.recv_multipart()
        event = Event(struct.unpack("=Hi", head)[0])
        yield event, endpoint.decode()
        if event == last:
            return


def monitored(stage: Stage, kind: int, mask: int = Event.ALL) -> tuple[AnySocket, AnySocket]:
    """A socket and the one that tells of it."""
    socket = stage.socket(kind)
    monitor = socket.get_monitor_socket(mask)
    monitor.rcvtimeo = 5000
    stage.sockets.append(monitor)
    return socket, monitor


@KINDS
def test_a_session_as_both_sides_see_it(kind: Kind) -> None:
    with running(kind) as stage:
        server, of_server = monitored(stage, zmq.PULL)
        client, of_client = monitored(stage, zmq.PUSH)
        server.bind("tcp://127.0.0.1:*")
        address = endpoint_of(server)
        client.connect(address)
        seen = list(events(of_client, Event.HANDSHAKE_SUCCEEDED))
        assert seen == [
            (Event.CONNECT_DELAYED, address),
            (Event.CONNECTED, address),
            (Event.HANDSHAKE_SUCCEEDED, address),
        ]
        seen = list(events(of_server, Event.HANDSHAKE_SUCCEEDED))
        assert seen == [(Event.LISTENING, address), (Event.ACCEPTED, address), (Event.HANDSHAKE_SUCCEEDED, address)]
        client.close()
        assert list(events(of_server, Event.DISCONNECTED)) == [(Event.DISCONNECTED, address)]
        assert list(events(of_client, Event.MONITOR_STOPPED))[-1] == (Event.MONITOR_STOPPED, "")


@KINDS
def test_attempts_that_fail(kind: Kind) -> None:
    with running(kind) as stage:
        other = stage.socket(zmq.PULL)
        other.bind("tcp://127.0.0.1:*")
        address = endpoint_of(other)
        other.unbind(address)
        client, monitor = monitored(stage, zmq.PUSH)
        client.reconnect_ivl = 20
        client.connect(address)
        seen = list(events(monitor, Event.CONNECT_RETRIED))
        assert [event for event, _ in seen] == [Event.CONNECT_DELAYED, Event.CLOSED, Event.CONNECT_RETRIED]
        assert {endpoint for _, endpoint in seen} == {address}


@KINDS
def test_only_what_was_asked_for(kind: Kind) -> None:
    with running(kind) as stage:
        server, monitor = monitored(stage, zmq.PULL, Event.LISTENING | Event.CLOSED)
        server.bind("tcp://127.0.0.1:*")
        address = endpoint_of(server)
        server.unbind(address)
        assert list(events(monitor, Event.CLOSED)) == [(Event.LISTENING, address), (Event.CLOSED, address)]
        server.disable_monitor()
        server.bind("tcp://127.0.0.1:*")
        assert not monitor.poll(50)


def test_a_refusal_is_told_to_both_sides() -> None:
    with running(QZMQ) as stage:
        server, of_server = monitored(stage, zmq.ROUTER)
        server.bind("tcp://127.0.0.1:*")
        stranger = stage.bare(zmq.DEALER, linger=0)
        monitor = stranger.get_monitor_socket()
        stage.sockets.append(monitor)
        stranger.qzmq_serverkey = client_keys()[0]
        stranger.connect(endpoint_of(server))
        assert list(events(monitor, Event.HANDSHAKE_FAILED_AUTH))[-1][1] == endpoint_of(server)
        assert list(events(of_server, Event.DISCONNECTED))[-2][0] in (
            Event.HANDSHAKE_FAILED_AUTH,
            Event.HANDSHAKE_FAILED_PROTOCOL,
        )
