"""Options: what READY says, what a receiver learns of its peer, what the transport is given."""

from __future__ import annotations

import socket
import threading

import pytest
import zmq
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.bridge.options import Options
from qzmq_ref.socket.options import WITH_IDENTITY, ready_properties, socket_type
from qzmq_ref.zmtp import after_ready, greeting, ready
from tests.sockets import QZMQ, client_keys, endpoint_of, running, server_keys
from tests.test_socket_patterns import TYPES


def libzmq_says(kind: int, identity: bytes) -> bytes:
    """The first octets of a NULL socket of this type: its greeting and READY."""
    with zmq.Context() as context, context.socket(kind) as client, socket.create_server(("127.0.0.1", 0)) as server:
        client.linger = 0
        if kind in WITH_IDENTITY:
            client.identity = identity
        client.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        with server.accept()[0] as peer:
            peer.sendall(greeting(b"NULL", as_server=False))
            octets = b""
            while after_ready(octets) is None:
                octets += peer.recv(4096)
            return octets


@pytest.mark.parametrize("name", TYPES)
@settings(max_examples=3)
@given(identity=st.binary(min_size=1, max_size=255).filter(lambda octets: octets[0] != 0))
def test_what_is_sealed_is_what_libzmq_would_say(name: str, identity: bytes) -> None:
    kind = zmq.SocketType[name]
    with running(QZMQ) as stage:
        own = stage.socket(kind)
        if kind in WITH_IDENTITY:
            own.identity = identity
        assert socket_type(own) == name.encode()
        assert libzmq_says(kind, identity)[64:] == ready(ready_properties(own, ()))


def test_the_receiver_knows_who_spoke() -> None:
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.ROUTER), stage.socket(zmq.DEALER, identity=b"me")
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        client.send(b"question")
        frame = server.recv_multipart(copy=False)[1]
        expected = {
            "User-Id": client_keys()[0].decode(),
            "X-QZMQ-Peer": client_keys()[0].decode(),
            "X-QZMQ-Peer-Address": "127.0.0.1",
            "X-QZMQ-Mechanism": "QZMQ",
            "X-QZMQ-Suite": "X25519_ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256",
            "Socket-Type": "DEALER",
            "Identity": "me",
        }
        assert {name: frame.get(name) for name in expected} == expected
        server.send_multipart([b"me", b"answer"])
        assert client.recv(copy=False).get("User-Id") == server_keys()[0].decode()


def test_a_policy_is_taken_when_the_socket_binds() -> None:
    """POL-14: what is set later is for later binds."""
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
        server.bind("tcp://127.0.0.1:*")
        server.qzmq_policy = "conservative"
        client.connect(endpoint_of(server))
        client.send(b"message")
        assert server.recv(copy=False).get("X-QZMQ-Suite") == "X25519_ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256"


def test_zap_domain_stays_with_the_socket() -> None:
    """It is not for the private hop, where libzmq would ask ZAP about it."""
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
        server.zap_domain = b"domain"
        assert server.get(zmq.ZAP_DOMAIN) == b"domain"
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        client.send(b"message")
        assert server.recv() == b"message"


def test_options_are_as_before_after_a_connect() -> None:
    with running(QZMQ) as stage:
        for kind in (zmq.PUSH, zmq.STREAM):
            client = stage.socket(kind, handshake_ivl=1234, reconnect_ivl=77, reconnect_ivl_max=770)
            client.connect("tcp://127.0.0.1:1")
            assert (client.handshake_ivl, client.reconnect_ivl, client.reconnect_ivl_max) == (1234, 77, 770)


def test_no_reconnect_if_told_so() -> None:
    """RECONNECT_IVL -1: one attempt, as libzmq does."""
    attempts = []
    with running(QZMQ) as stage, socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)

        def hang_up() -> None:
            while True:
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    return
                attempts.append(1)

        counting = threading.Thread(target=hang_up)
        counting.start()
        client = stage.socket(zmq.PUSH, reconnect_ivl=-1, linger=0)
        client.connect(f"tcp://127.0.0.1:{server.getsockname()[1]}")
        counting.join()
    assert attempts == [1]


@given(st.floats(0.001, 10), st.floats(0.001, 100), st.integers(1, 100))
def test_backoff_doubles_up_to_its_limit(interval: float, limit: float, failures: int) -> None:
    delay = Options(reconnect_ivl=interval, reconnect_ivl_max=limit).backoff(failures)
    assert delay == min(interval * 2 ** min(failures - 1, 30), limit)


@given(st.floats(0.001, 10), st.integers(1, 100))
def test_without_a_limit_chance_spreads_the_attempts(interval: float, failures: int) -> None:
    delay = Options(reconnect_ivl=interval).backoff(failures)
    assert delay is not None
    assert interval <= delay <= 2 * interval


def test_keepalive_and_buffers_reach_the_connection() -> None:
    options = Options(
        sndbuf=8192, rcvbuf=8192, tos=16, tcp_keepalive=1, tcp_keepalive_cnt=3, tcp_keepalive_idle=7,
        tcp_keepalive_intvl=5, tcp_maxrt=9.0,
    )  # fmt: skip
    with socket.socket() as sock:
        options.prepare(sock)
        options.tune(sock)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 16384  # the system doubles it
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        found = [
            sock.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPCNT, socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_USER_TIMEOUT)
        ]
        assert found == [3, 7, 5, 9000]
        assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == 16
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1
