"""STREAM over the raw binding: octets as over TCP, with the notifications that libzmq's own STREAM gives."""

from __future__ import annotations

import pytest
import zmq

from tests.sockets import NULL, QZMQ, AnySocket, Kind, endpoint_of, running

KINDS = pytest.mark.parametrize("kind", [NULL, QZMQ], ids=str)


def receive(stream: AnySocket, peer: bytes, size: int) -> bytes:
    """So many octets of one peer; STREAM cuts them where it likes."""
    octets = b""
    while len(octets) < size:
        sender, part = stream.recv_multipart()
        assert sender == peer
        octets += part
    return octets


@pytest.mark.parametrize(
    ("kind", "address"), [(NULL, "tcp://127.0.0.1:*"), (QZMQ, "tcp://127.0.0.1:*"), (QZMQ, "ipc://*")], ids=str
)
def test_octets_both_ways_and_the_notifications(kind: Kind, address: str) -> None:
    """(libzmq's own STREAM is for tcp only.)"""
    with running(kind) as stage:
        server, client = stage.socket(zmq.STREAM), stage.socket(zmq.STREAM)
        server.bind(address)
        client.connect(endpoint_of(server))
        at_server, notice = server.recv_multipart()
        at_client, other = client.recv_multipart()
        assert (notice, other) == (b"", b"")
        for size in (1, 1000, 300_000):
            client.send_multipart([at_client, bytes(size)])
            assert receive(server, at_server, size) == bytes(size)
            server.send_multipart([at_server, b"x" * size])
            assert receive(client, at_client, size) == b"x" * size
        client.send_multipart([at_client, b"last words"])
        client.close()
        assert receive(server, at_server, 10) == b"last words"
        assert server.recv_multipart() == [at_server, b""]


@KINDS
def test_a_stream_connects_again(kind: Kind) -> None:
    """To the server it is somebody new; the client is told of the connection, not of the loss."""
    with running(kind) as stage:
        server, client = stage.socket(zmq.STREAM), stage.socket(zmq.STREAM, reconnect_ivl=20)
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        first = server.recv_multipart()[0]
        peer = client.recv_multipart()[0]
        server.send_multipart([first, b""])  # hangs up
        second, notice = server.recv_multipart()
        assert second != first
        assert notice == b""
        assert client.recv_multipart() == [peer, b""]


def test_a_stream_and_a_dealer_do_not_understand_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """PAT-2: each is refused at its greeting."""
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.STREAM), stage.socket(zmq.DEALER, linger=0)
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        client.send(b"message")
        assert not server.poll(200)
        assert "ZMTP-2" in caplog.text or "RAW-" in caplog.text
