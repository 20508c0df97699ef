"""Whatever knocks at a QZMQ port: its own connection ends, with a log line, and no other session notices."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import zmq

from qzmq_ref.policy import Policy
from qzmq_ref.zmtp import greeting
from tests.sockets import QZMQ, AnySocket, Stage, client_keys, endpoint_of, eventually, running, server_keys

CLIENT = greeting(b"QZMQ", as_server=False)
BAD = {
    "an HTTP request": (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "ZMTP-2"),
    "a TLS hello": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60), "ZMTP-2"),
    "ZMTP 2": (b"\xff" + bytes(7) + b"\x01\x7f\x01\x03", "ZMTP-3"),
    "mechanism NULL": (greeting(b"NULL", as_server=False), "ZMTP-4"),
    "mechanism CURVE": (greeting(b"CURVE", as_server=False), "ZMTP-4"),
    "another server": (greeting(b"QZMQ", as_server=True), "ZMTP-5"),
    "a plain frame": (CLIENT + b"\x00\x05hello", "ZMTP-8"),
    "another command": (CLIENT + b"\x04\x06\x05READY", "ZMTP-8"),
    "a giant": (CLIENT + b"\x06" + (2**40).to_bytes(8) + b"\x04QZMQ", "ZMTP-10"),
    "an unknown message": (CLIENT + b"\x04\x06\x04QZMQ\x77", "REG-1"),
    "a record before its time": (CLIENT + b"\x04\x30\x04QZMQ\x10" + bytes(42), "REC-1"),
    "a broken hello": (CLIENT + b"\x04\x09\x04QZMQ\x01\x01\x02\x03", "REG-2"),
}


class Server:
    """A bound ROUTER with one honest peer, whose session must not notice anything."""

    def __init__(self, stage: Stage) -> None:
        self.router = stage.socket(zmq.ROUTER)
        self.router.bind("tcp://127.0.0.1:*")
        self.address = endpoint_of(self.router)
        self.honest = stage.socket(zmq.DEALER, identity=b"honest")
        self.honest.connect(self.address)
        self.check()

    def check(self) -> None:
        """The honest peer is still heard, and nobody else is."""
        self.honest.send(b"still here")
        assert self.router.recv_multipart() == [b"honest", b"still here"]
        assert not self.router.poll(0)

    def knock(self) -> socket.socket:
        """A connection from somebody unknown."""
        knocker = socket.create_connection(("127.0.0.1", int(self.address.rpartition(":")[2])), timeout=8)
        knocker.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return knocker


@pytest.fixture
def server() -> Iterator[Server]:
    with running(QZMQ) as stage:
        yield Server(stage)


def read_to_end(knocker: socket.socket) -> bytes:
    """Everything until the server hangs up; a reset is an end too."""
    heard = b""
    try:
        while octets := knocker.recv(65536):
            heard += octets
    except ConnectionResetError:
        pass
    return heard


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("cut", [1, 1 << 20], ids=["octet by octet", "at once"])
def test_bad_input_is_closed_and_logged(server: Server, caplog: pytest.LogCaptureFixture, name: str, cut: int) -> None:
    """SEC-4, SEC-9: the log line names the requirement and the peer's address."""
    octets, requirement = BAD[name]
    with server.knock() as knocker:
        address = "{}:{}".format(*knocker.getsockname())
        try:
            for start in range(0, len(octets), cut):
                knocker.sendall(octets[start : start + cut])
        except ConnectionError:
            pass  # it has heard enough
        heard = read_to_end(knocker)
    assert heard[:64] == greeting(b"QZMQ", as_server=True)
    assert len(heard) <= 64 + 9, "at most the greeting and one alert"
    lines = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(lines) == 1
    assert requirement in lines[0]
    assert address in lines[0]
    server.check()


def test_a_port_scanner_is_no_event(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(20):
        server.knock().close()
    server.check()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("said", [b"", CLIENT[:10], CLIENT], ids=["nothing", "half a greeting", "a greeting"])
def test_a_silent_peer_is_closed(caplog: pytest.LogCaptureFixture, said: bytes) -> None:
    """SEC-2: with user_canceled if its greeting has come, else with nothing."""
    policy = replace(Policy.preset("default"), handshake_timeout=0.2)
    with running(QZMQ) as stage:
        router = stage.bare(zmq.ROUTER)
        router.qzmq_secretkey, router.qzmq_policy = server_keys()[1], policy
        router.bind("tcp://127.0.0.1:*")
        with socket.create_connection(("127.0.0.1", int(endpoint_of(router).rpartition(":")[2])), timeout=8) as knocker:
            started = time.monotonic()
            knocker.sendall(said)
            heard = read_to_end(knocker)
            assert 0.15 < time.monotonic() - started < 2
    assert heard[64:] == (b"\x04\x07\x04QZMQ\x30\x5a" if said == CLIENT else b"")
    assert "SEC-2" in caplog.text


def test_five_seconds_are_the_limit(server: Server) -> None:
    """SEC-2: HANDSHAKE_IVL may lower it, not raise it."""
    with server.knock() as knocker:
        started = time.monotonic()
        assert read_to_end(knocker) == greeting(b"QZMQ", as_server=True)
        assert 4.5 < time.monotonic() - started < 6


@pytest.mark.parametrize("mechanism", ["NULL", "CURVE"])
def test_plain_and_curve_clients_get_nothing(server: Server, mechanism: str) -> None:
    """Real ones, of libzmq: nothing of theirs arrives, nothing is sent to them."""
    with zmq.Context() as context, context.socket(zmq.DEALER) as client:
        client.linger, client.rcvtimeo, client.sndtimeo = 0, 300, 300
        if mechanism == "CURVE":
            client.curve_publickey, client.curve_secretkey = zmq.curve_keypair()
            client.curve_serverkey = zmq.curve_keypair()[0]
        client.connect(server.address)
        with contextlib.suppress(zmq.Again):  # libzmq may have given up by then
            client.send(b"let me in")
        with pytest.raises(zmq.Again):
            client.recv()
    server.check()


def refused(stage: Stage, address: str, **lines: object) -> AnySocket:
    """A DEALER with these security lines, which has tried to talk."""
    client = stage.bare(zmq.DEALER, linger=0)
    for name, value in {"qzmq_serverkey": server_keys()[0], "qzmq_secretkey": client_keys()[1], **lines}.items():
        setattr(client, name, value)
    client.connect(address)
    client.send(b"let me in")
    return client  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("lines", "requirement"),
    [
        ({"qzmq_secretkey": None}, "HS-12"),
        ({"qzmq_secretkey": server_keys()[1]}, "CERT-4"),
        ({"qzmq_serverkey": client_keys()[0]}, "CERT-3"),
        ({"qzmq_policy": "conservative"}, "HS-3"),
    ],
    ids=["no key", "a key that is not admitted", "another server's key", "another policy"],
)
def test_whoever_is_not_admitted_gets_nothing(
    server: Server, caplog: pytest.LogCaptureFixture, lines: dict[str, object], requirement: str
) -> None:
    with running(QZMQ) as stage:
        client = refused(stage, server.address, **lines)
        eventually(lambda: requirement in caplog.text)
        assert not client.poll(50)
    server.check()


def test_an_incompatible_socket_is_refused(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    """PAT-1: by both ends, each of which knows the table."""
    with running(QZMQ) as stage:
        client = stage.socket(zmq.SUB, linger=0)
        client.connect(server.address)
        eventually(lambda: "PAT-1" in caplog.text)
    server.check()


def test_over_the_bound_the_oldest_unfinished_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    """SEC-3: and established sessions never."""
    monkeypatch.setattr("qzmq_ref.bridge.listener.HALF_OPEN", 2)
    with running(QZMQ) as stage:
        server = Server(stage)
        server.check()
        crowd = [server.knock() for _ in range(4)]
        for each in crowd:
            each.settimeout(2)
            assert len(each.recv(64)) == 64
        assert [crowd[i].recv(1) for i in range(2)] == [b"", b""]
        for each in crowd[2:]:
            each.settimeout(0.2)
            with pytest.raises(TimeoutError):
                each.recv(1)
        server.check()
        for each in crowd:
            each.close()


def test_threads_do_not_grow_with_sessions() -> None:
    with running(QZMQ) as stage:
        server = Server(stage)
        before = threading.active_count()
        peers = [stage.socket(zmq.DEALER) for _ in range(40)]
        for peer in peers:
            peer.connect(server.address)
            peer.send(b"hello")
        assert {server.router.recv_multipart()[1] for _ in peers} == {b"hello"}
        assert threading.active_count() == before
