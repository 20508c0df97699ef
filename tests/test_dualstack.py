"""One port for CURVE and QZMQ clients."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import zmq

import qzmq_ref
from qzmq_ref import metrics
from qzmq_ref.auth import ThreadAuthenticator
from qzmq_ref.patterns import CURVE, MECHANISM
from qzmq_ref.zmtp import OPENING, greeting

PUBLIC, SECRET = qzmq_ref.keypair("performance")
CURVE_PUBLIC, CURVE_SECRET = zmq.curve_keypair()
CLIENT_PUBLIC, CLIENT_SECRET = zmq.curve_keypair()

Socket = zmq.Socket[bytes]


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def context(stack: ExitStack) -> qzmq_ref.Context:
    return stack.enter_context(qzmq_ref.Context())


@pytest.fixture
def curve(stack: ExitStack) -> Callable[..., Socket]:
    """Makes CURVE clients, on a Context that knows nothing of QZMQ."""
    context = stack.enter_context(zmq.Context())

    def make(kind: int, endpoint: str, *metadata: str, key: bytes = CLIENT_SECRET) -> Socket:
        client = stack.enter_context(context.socket(kind))
        client.linger, client.rcvtimeo = 0, 10_000
        client.curve_serverkey = CURVE_PUBLIC
        client.curve_publickey, client.curve_secretkey = zmq.curve_public(key), key
        for each in metadata:
            client.set(zmq.METADATA, each.encode())
        client.connect(endpoint)
        return client

    return make


def serve(stack: ExitStack, context: qzmq_ref.Context, kind: int, **attributes: Any) -> tuple[qzmq_ref.Socket, str]:
    """A server for both mechanisms, and where it is bound."""
    server = stack.enter_context(context.socket(kind))
    server.linger, server.rcvtimeo = 0, 10_000
    attributes = {"qzmq_curve_clients": {CLIENT_PUBLIC}} | attributes
    server.qzmq_policy, server.qzmq_secretkey, server.qzmq_curve_secretkey = "performance", SECRET, CURVE_SECRET
    for name, value in attributes.items():
        setattr(server, name, value)
    server.bind("tcp://127.0.0.1:*")
    return server, bytes(server.get(zmq.LAST_ENDPOINT)).decode()


def secured(stack: ExitStack, context: qzmq_ref.Context, kind: int, endpoint: str) -> Socket:
    """A QZMQ client."""
    client = stack.enter_context(context.socket(kind))
    client.linger, client.rcvtimeo = 0, 10_000
    client.qzmq_policy, client.qzmq_serverkey = "performance", PUBLIC
    client.connect(endpoint)
    return client


def test_both_reach_one_socket(stack: ExitStack, context: qzmq_ref.Context, curve: Callable[..., Socket]) -> None:
    """ZMTP-11 to ZMTP-14: either is served by its own mechanism, and application and operator can tell which."""
    figures = metrics.Metrics()
    figures.watch(context)
    server, endpoint = serve(stack, context, zmq.ROUTER)
    for client, mechanism, user in (
        (curve(zmq.DEALER, endpoint), "CURVE", CLIENT_PUBLIC.decode()),
        (secured(stack, context, zmq.DEALER, endpoint), "QZMQ", None),
    ):
        client.send(b"hello")
        identity, frame = server.recv_multipart(copy=False)
        assert frame.get("X-QZMQ-Mechanism") == mechanism
        if user is not None:
            assert frame.get("User-Id") == user
        server.send_multipart([identity.bytes, bytes(100_000)])
        assert client.recv() == bytes(100_000)
    assert server.qzmq_sessions == {"QZMQ": 1, "CURVE": 1}
    for mechanism in server.qzmq_sessions:
        assert figures.registry.get_sample_value("qzmq_clients_total", {"mechanism": mechanism}) == 1


def test_subscriptions_of_both(stack: ExitStack, context: qzmq_ref.Context, curve: Callable[..., Socket]) -> None:
    server, endpoint = serve(stack, context, zmq.XPUB)
    subscribers = [curve(zmq.SUB, endpoint), secured(stack, context, zmq.SUB, endpoint)]
    for subscriber in subscribers:
        subscriber.subscribe(b"topic")
    assert server.recv() == b"\1topic"  # the second one is no news
    deadline = time.monotonic() + 10
    missing = list(subscribers)
    while missing:
        assert time.monotonic() < deadline
        server.send(b"topic")
        missing = [each for each in missing if not each.poll(20)]


def test_a_hostile_client_forges_nothing(
    stack: ExitStack, context: qzmq_ref.Context, curve: Callable[..., Socket]
) -> None:
    """ZMTP-16: a CURVE client brings every name that a QZMQ receiver sets; what it brings is not what is read."""
    server, endpoint = serve(stack, context, zmq.PULL)
    victim = PUBLIC.decode()
    forged = {
        "X-QZMQ-Peer": victim,
        "X-QZMQ-Mechanism": "QZMQ",
        "X-QZMQ-Suite": "X25519/ED25519/AES_256_GCM/SHA_256",
        "X-QZMQ-Peer-Address": "192.0.2.1",
    }
    hostile = curve(zmq.PUSH, endpoint, *(f"{name}:{value}" for name, value in forged.items()), "X-Own:allowed")
    hostile.send(b"I am somebody else")
    frame = server.recv(copy=False)
    assert frame.get("X-Own") == "allowed"
    assert frame.get("User-Id") == CLIENT_PUBLIC.decode()
    assert frame.get("X-QZMQ-Mechanism") == "CURVE"
    assert {frame.get(name) for name in forged if name != "X-QZMQ-Mechanism"} == {""}


def test_who_is_not_listed_is_refused(
    stack: ExitStack, context: qzmq_ref.Context, curve: Callable[..., Socket]
) -> None:
    """ZMTP-15: an unknown key, and a known one from the moment at which it leaves the list."""
    clients = {CLIENT_PUBLIC.decode()}
    server, endpoint = serve(stack, context, zmq.PULL, qzmq_curve_clients=clients)
    stranger = curve(zmq.PUSH, endpoint, key=zmq.curve_keypair()[1])
    stranger.send(b"from a stranger")
    known = curve(zmq.PUSH, endpoint)
    known.send(b"from a friend")
    assert server.recv() == b"from a friend"
    clients.clear()
    curve(zmq.PUSH, endpoint).send(b"from a friend who has moved on")
    assert not server.poll(500)
    assert server.qzmq_sessions == {"CURVE": 1}


def test_the_applications_handler_judges(
    stack: ExitStack, context: qzmq_ref.Context, curve: Callable[..., Socket]
) -> None:
    """With 'zap' the library's own authenticators decide about both, and CURVE clients forge nothing there either."""
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    stack.callback(authenticator.stop)
    authenticator.configure_curve_callback("jobs", Known())
    authenticator.configure_qzmq("jobs", lambda _domain, _key: True)
    server, endpoint = serve(stack, context, zmq.PULL, zap_domain=b"jobs", qzmq_curve_clients="zap")
    curve(zmq.PUSH, endpoint, key=zmq.curve_keypair()[1]).send(b"from a stranger")
    curve(zmq.PUSH, endpoint, f"X-QZMQ-Peer:{PUBLIC.decode()}", "X-QZMQ-Mechanism:QZMQ").send(b"from a friend")
    frame = server.recv(copy=False)
    assert (frame.bytes, frame.get("X-QZMQ-Mechanism"), frame.get("X-QZMQ-Peer")) == (b"from a friend", "CURVE", "")
    secured(stack, context, zmq.PUSH, endpoint).send(b"from a QZMQ client")
    frame = server.recv(copy=False)
    assert (frame.bytes, frame.get("X-QZMQ-Mechanism")) == (b"from a QZMQ client", "QZMQ")


class Known:
    """What pyzmq calls with a domain and a key."""

    def callback(self, _domain: str, key: bytes) -> bool:
        """Whether the client may come in."""
        return key == CLIENT_PUBLIC


def test_own_and_application_handler_exclude_each_other(stack: ExitStack, context: qzmq_ref.Context) -> None:
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    stack.callback(authenticator.stop)
    with pytest.raises(qzmq_ref.LocalError, match="set qzmq_curve_clients to 'zap'"):
        serve(stack, context, zmq.PULL)


@pytest.mark.parametrize(
    ("attributes", "advice"),
    [
        ({"qzmq_curve_clients": None}, "set qzmq_curve_clients"),
        ({"qzmq_curve_secretkey": b"short"}, "is not a CURVE key"),
        ({"qzmq_curve_clients": "zap"}, "set zap_domain"),
        ({"qzmq_server": False, "qzmq_serverkey": PUBLIC}, "leave it out here"),
    ],
)
def test_errors_say_what_to_do(
    attributes: dict[str, Any], advice: str, stack: ExitStack, context: qzmq_ref.Context
) -> None:
    with pytest.raises(qzmq_ref.LocalError, match=advice):
        serve(stack, context, zmq.PULL, **attributes)


def test_unbind_and_what_comes_after(stack: ExitStack, context: qzmq_ref.Context) -> None:
    """Nobody listens for either any more; and a socket that has served CURVE takes no further endpoint."""
    server, endpoint = serve(stack, context, zmq.PULL)
    dial(endpoint).close()
    server.unbind(endpoint)
    with pytest.raises(ConnectionRefusedError):
        dial(endpoint)
    with pytest.raises(qzmq_ref.LocalError, match="on a socket of their own"):
        server.bind("tcp://127.0.0.1:*")


def test_the_own_handler_is_none_for_qzmq(stack: ExitStack, context: qzmq_ref.Context) -> None:
    """An enforced domain has no handler still, and without one nobody is asked: anonymous clients come in."""
    server, endpoint = serve(stack, context, zmq.PULL)
    secured(stack, context, zmq.PUSH, endpoint).send(b"anonymous")
    assert server.recv() == b"anonymous"
    strict, endpoint = serve(stack, context, zmq.PULL, zap_domain=b"strict", zap_enforce_domain=1)
    secured(stack, context, zmq.PUSH, endpoint).send(b"refused")
    assert not strict.poll(500)


@pytest.mark.parametrize("mechanism", [b"NULL", b"PLAIN", b"CURVEZMQ", b"qzmq"])
def test_no_other_mechanism(
    mechanism: bytes, stack: ExitStack, context: qzmq_ref.Context, caplog: pytest.LogCaptureFixture
) -> None:
    """ZMTP-4 holds on such a port too, and eleven octets are all that a stranger sees before it names one (ZMTP-11)."""
    _, endpoint = serve(stack, context, zmq.PULL)
    with caplog.at_level(logging.WARNING, "qzmq"), dial(endpoint) as peer:
        assert receive(peer, OPENING) == greeting(MECHANISM, as_server=True)[:OPENING]
        peer.settimeout(0.2)
        with pytest.raises(TimeoutError):
            peer.recv(1)
        peer.settimeout(10)
        peer.sendall(greeting(mechanism, as_server=False))
        receive_all(peer)
    assert any("ZMTP-4" in line for line in caplog.messages)


@pytest.mark.parametrize("mechanism", [MECHANISM, CURVE])
def test_one_octet_at_a_time(mechanism: bytes, stack: ExitStack, context: qzmq_ref.Context) -> None:
    """ZMTP-12, ZMTP-13: however the client's greeting is cut, the other 53 octets follow it, and name what it named."""
    _, endpoint = serve(stack, context, zmq.PULL)
    with dial(endpoint) as peer:
        for octet in greeting(mechanism, as_server=False):
            peer.sendall(bytes([octet]))
        answer = receive(peer, 64)
    assert answer[10:32] == b"\3\1" + mechanism.ljust(20, b"\0")
    assert answer[32] == (mechanism == MECHANISM)


def test_not_zmtp_ends_at_its_first_octet(
    stack: ExitStack, context: qzmq_ref.Context, caplog: pytest.LogCaptureFixture
) -> None:
    """ZMTP-2."""
    _, endpoint = serve(stack, context, zmq.PULL)
    with caplog.at_level(logging.WARNING, "qzmq"), dial(endpoint) as peer:
        peer.sendall(b"G")
        assert len(receive_all(peer)) == OPENING
    assert any("ZMTP-2" in line for line in caplog.messages)


def dial(endpoint: str) -> socket.socket:
    """A bare TCP connection."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return socket.create_connection((host, int(port)), timeout=10)


def receive(peer: socket.socket, count: int) -> bytes:
    """So many octets, with end of file before that a failure."""
    octets = b""
    while len(octets) < count:
        more = peer.recv(count - len(octets))
        assert more, f"the connection ended after {octets!r}"
        octets += more
    return octets


def receive_all(peer: socket.socket) -> bytes:
    """Everything up to the end of the connection."""
    octets = b""
    try:
        while more := peer.recv(4096):
            octets += more
    except ConnectionResetError:
        pass
    return octets
