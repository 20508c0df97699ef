"""ZAP with real sockets and handlers of every temper; where CURVE has the same, it does the same."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
import zmq

from qzmq_ref import z85
from tests.zap_handlers import PATIENCE, Reply, World, answer, delivered, silence, until

QUIET = 0.4
"""Seconds in which a client that goes on trying would have tried again."""

Event = zmq.Event


@pytest.fixture(params=["QZMQ", "CURVE"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """One mechanism and then the other."""
    world = World(request.param)
    yield world
    world.close()


@pytest.fixture
def qzmq() -> Iterator[World]:
    """Ours alone, where CURVE has nothing alike."""
    world = World("QZMQ")
    yield world
    world.close()


# ---------------------------------------------------------------------- the four statuses


def test_200_admits(world: World) -> None:
    """ZAP-5: user id and metadata arrive with each message; what ZAP sets wins over what the client says."""
    world.handler(answer(b"200", b"alice", b"\x06X-Role\0\0\0\x05admin"))
    server = world.server()
    client = world.client(server, metadata=b"X-Role:guest")
    frame = delivered(client, server)
    assert frame is not None
    assert frame.get("User-Id") == "alice"
    assert frame.get("X-Role") == "admin"
    assert not server.heard(Event.HANDSHAKE_FAILED_AUTH)


def test_an_empty_user_id_is_an_empty_user_id(world: World) -> None:
    """ZAP-5."""
    world.handler(answer(b"200"))
    server = world.server()
    frame = delivered(world.client(server), server)
    assert frame is not None
    assert frame.get("User-Id") == ""


def test_300_is_not_for_ever(world: World) -> None:
    """ZAP-7: the client comes back, and is told nothing but that it failed. libzmq lets the handshake time out."""
    statuses = [b"200", b"300", b"300"]
    handler = world.handler(lambda request: answer(statuses.pop())(request))
    server = world.server(handshake_ivl=300)
    client = world.client(server)
    assert delivered(client, server)
    assert len(handler.requests) == 3
    assert server.heard(Event.HANDSHAKE_FAILED_AUTH, 300)
    assert client.heard(Event.HANDSHAKE_FAILED_NO_DETAIL)
    assert not client.heard(Event.HANDSHAKE_FAILED_AUTH)


@pytest.mark.parametrize("status", [400, 500])
def test_400_and_500_are_final(world: World, status: int) -> None:
    """ZAP-8, ZAP-9, ALR-6: both monitors show the status, and the client stops."""
    handler = world.handler(answer(b"%d" % status))
    server = world.server()
    client = world.client(server)
    assert until(lambda: client.heard(Event.HANDSHAKE_FAILED_AUTH, status))
    assert until(lambda: server.heard(Event.HANDSHAKE_FAILED_AUTH, status))
    assert not until(lambda: len(handler.requests) > 1, QUIET)


def test_a_refusal_leaves_others_alone(world: World) -> None:
    """ZAP-8: two clients of one server, one of them welcome."""
    welcome, stranger = world.keypair(), world.keypair()
    names = {z85.decode(welcome[0]): b"200"}
    world.handler(lambda request: answer(names.get(known(world, request), b"400"))(request))
    server = world.server()
    refused = world.client(server, key=stranger)
    assert delivered(world.client(server, key=welcome), server)
    assert until(lambda: refused.heard(Event.HANDSHAKE_FAILED_AUTH, 400))


def known(world: World, request: list[bytes]) -> bytes:
    """The 32 octets by which a request's credential is known: CURVE's key, or the pin of our SubjectPublicKeyInfo."""
    return request[6] if world.mechanism == "CURVE" else sha256(request[6]).digest()


# ---------------------------------------------------------------------- the question


def test_what_a_handler_is_asked(world: World) -> None:
    """ZAP-4: RFC 27's frames; the identity is the client's, where libzmq gives the server's own."""
    handler = world.handler(answer())
    server = world.server(zmq.ROUTER, domain=b"global", routing_id=b"server")
    client = world.client(server, zmq.DEALER, routing_id=b"client")
    assert delivered(client, server)
    (request,) = handler.requests
    version, request_id, domain, address, identity, mechanism, *_ = request
    assert (version, domain, address) == (b"1.0", b"global", b"127.0.0.1")
    assert request_id
    assert mechanism == world.mechanism.encode()
    assert identity == (b"client" if world.mechanism == "QZMQ" else b"server")
    assert known(world, request) == z85.decode(world.client_key[0])
    assert len(request) == 7


def test_the_address_of_a_local_process(world: World, tmp_path: Path) -> None:
    """ZAP-4: over ipc it is made of user, group and process, so that a handler can judge by these."""
    handler = world.handler(answer())
    server = world.server(endpoint=f"ipc://{tmp_path}/server")
    assert delivered(world.client(server), server)
    assert handler.requests[0][3].decode() == f"localhost:{os.getuid()}:{os.getgid()}:{os.getpid()}"


def test_an_anonymous_client_has_no_credentials(qzmq: World) -> None:
    """ZAP-2, ZAP-4."""
    handler = qzmq.handler(answer(user_id=b"somebody"))
    server = qzmq.server()
    frame = delivered(qzmq.client(server, key=(b"", None)), server)
    assert frame is not None
    assert frame.get("User-Id") == "somebody"
    assert handler.requests[0][6:] == []


def test_the_pin_stays_whatever_the_user_id(qzmq: World) -> None:
    """ZAP-5, ZAP-6: nor can the handler's metadata forge what is QZMQ's to say."""
    qzmq.handler(answer(user_id=b"alice", metadata=b"\x0bX-QZMQ-Peer\0\0\0\x03you\x0bSocket-Type\0\0\0\x03PUB"))
    server = qzmq.server()
    frame = delivered(qzmq.client(server), server)
    assert frame is not None
    assert frame.get("User-Id") == "alice"
    assert frame.get("X-QZMQ-Peer") == qzmq.client_key[0].decode()
    assert frame.get("X-QZMQ-Peer-Address") == "127.0.0.1"
    assert frame.get("Socket-Type") == "PUSH"


def test_stream_sockets_are_asked_about(qzmq: World) -> None:
    """ZAP-1: CURVE does not protect these at all."""
    handler = qzmq.handler(answer(b"400"))
    server = qzmq.server(zmq.STREAM)
    client = qzmq.client(server, zmq.STREAM)
    assert until(lambda: server.heard(Event.HANDSHAKE_FAILED_AUTH, 400))
    assert until(lambda: client.heard(Event.HANDSHAKE_FAILED_AUTH, 400))
    assert not until(lambda: len(handler.requests) > 1, QUIET)
    assert handler.requests[0][5] == b"QZMQ"


# ---------------------------------------------------------------------- when to ask


@pytest.mark.parametrize(
    ("domain", "enforced", "handler", "expected"),
    [
        (b"", 0, True, "asks"),
        (b"some", 0, True, "asks"),
        (b"", 0, False, "admits"),
        (b"some", 0, False, "admits"),
        (b"", 1, True, "admits"),
        (b"", 1, False, "admits"),
        (b"some", 1, True, "asks"),
        (b"some", 1, False, "refuses"),
    ],
)
def test_table_zap_due(world: World, domain: bytes, enforced: int, *, handler: bool, expected: str) -> None:
    """ZAP-1."""
    bound = world.handler(answer(b"200", b"alice")) if handler else None
    server = world.server(domain=domain, zap_enforce_domain=enforced)
    client = world.client(server)
    if expected == "refuses":
        assert until(lambda: server.heard(Event.HANDSHAKE_FAILED_NO_DETAIL, errno.EFAULT))
        assert not client.heard(Event.HANDSHAKE_FAILED_AUTH)
        return
    frame = delivered(client, server)
    assert frame is not None
    assert (bool(bound and bound.requests), expected) in ((True, "asks"), (False, "admits"))


def test_handlers_come_and_go(world: World) -> None:
    """ZAP-1: each handshake finds out anew who is there."""
    server = world.server()
    assert delivered(world.client(server), server)
    for name in (b"first", b"second"):
        handler = world.handler(answer(user_id=name))
        frame = delivered(world.client(server), server)
        assert frame is not None
        assert frame.get("User-Id") == name.decode()
        assert len(handler.requests) == 1
        handler.stop()
        assert until(lambda: delivered(world.client(server), server))


# ---------------------------------------------------------------------- handlers that fail


def replies(**changes: bytes) -> Reply:
    """A reply of which some frames are wrong."""

    def reply(request: list[bytes]) -> list[bytes]:
        frames = {"version": b"1.0", "id": request[1], "status": b"200", "text": b"", "user": b"", "metadata": b""}
        return list({**frames, **changes}.values())

    return reply


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        (lambda request: [b"1.0", request[1], b"200"], zmq.PROTOCOL_ERROR_ZAP_MALFORMED_REPLY),
        (replies(more=b""), zmq.PROTOCOL_ERROR_ZAP_MALFORMED_REPLY),
        (replies(version=b"2.0"), zmq.PROTOCOL_ERROR_ZAP_BAD_VERSION),
        (replies(status=b"201"), zmq.PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE),
        (replies(status=b"600"), zmq.PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE),
        (replies(metadata=b"\x05X"), zmq.PROTOCOL_ERROR_ZAP_INVALID_METADATA),
    ],
    ids=["short", "long", "version", "201", "600", "metadata"],
)
def test_a_reply_that_is_none(world: World, reply: Reply, value: int) -> None:
    """ZAP-11: nobody is admitted by it, and nobody is refused for good."""
    handler = world.handler(reply)
    server = world.server()
    client = world.client(server)
    assert until(lambda: server.heard(Event.HANDSHAKE_FAILED_PROTOCOL, value))
    assert until(lambda: len(handler.requests) > 1)
    assert not client.heard(Event.HANDSHAKE_FAILED_AUTH)
    assert not client.heard(Event.HANDSHAKE_SUCCEEDED)


def test_properties_that_are_too_long(qzmq: World) -> None:
    """ZAP-11: PAT-3's bound holds for user id and metadata together."""
    qzmq.handler(answer(user_id=bytes(8193)))
    server = qzmq.server()
    qzmq.client(server)
    assert until(lambda: server.heard(Event.HANDSHAKE_FAILED_PROTOCOL, zmq.PROTOCOL_ERROR_ZAP_INVALID_METADATA))


def test_answers_in_another_order(world: World) -> None:
    """ZAP-3: several requests are under way at once, and each client gets its own answer."""
    clients = {z85.decode(key[0]): key for key in (world.keypair() for _ in range(4))}
    world.handler(lambda request: answer(user_id=known(world, request).hex().encode())(request), hold=len(clients))
    server = world.server()
    for key in clients.values():
        world.client(server, key=key).socket.send(key[0])
    for _ in clients:
        assert server.socket.poll(int(PATIENCE * 1000))
        frame = server.socket.recv(copy=False)
        assert frame.get("User-Id") == z85.decode(frame.bytes).hex()


def test_a_handler_that_never_answers(world: World) -> None:
    """ZAP-3, SEC-2, HS-83: the time of a handshake ends it, established sessions do not notice, the client tries on."""
    tempers = [silence, silence, answer()]
    handler = world.handler(lambda request: (tempers.pop() if tempers else silence)(request))
    server = world.server(handshake_ivl=300)
    first = world.client(server)
    assert delivered(first, server)
    world.client(server)
    assert until(lambda: len(handler.requests) >= 3)
    assert server.heard(Event.HANDSHAKE_FAILED_NO_DETAIL)
    assert delivered(first, server)


def test_a_handler_that_dies(world: World) -> None:
    """ZAP-11: whoever was being asked about tries again, and the next handler answers."""
    silent = world.handler(silence)
    server = world.server(domain=b"some", handshake_ivl=500, zap_enforce_domain=1)
    client = world.client(server)
    assert until(lambda: silent.requests)
    silent.stop()
    world.handler(answer(user_id=b"alice"))
    frame = delivered(client, server)
    assert frame is not None
    assert frame.get("User-Id") == "alice"


def test_a_client_that_leaves_meanwhile(qzmq: World) -> None:
    """ZAP-3: the answer to nobody's question is dropped, the next one's is not."""
    handler = qzmq.handler(answer(), hold=2)
    server = qzmq.server(handshake_ivl=200)
    impatient = qzmq.client(server)
    assert until(lambda: handler.requests)
    impatient.socket.disconnect(server.endpoint)
    assert delivered(qzmq.client(server), server)


def test_the_context_ends_while_a_handler_thinks(qzmq: World) -> None:
    """The fixture ends the Context: it must not wait for an answer."""
    handler = qzmq.handler(silence)
    qzmq.client(qzmq.server())
    assert until(lambda: handler.requests)


def test_several_domains_of_one_context(world: World) -> None:
    """ZAP-4: the handler tells sockets apart by their domains."""
    world.handler(lambda request: answer(b"200" if request[2] == b"open" else b"400", request[2])(request))
    lounge, vault = world.server(domain=b"open"), world.server(domain=b"closed")
    frame = delivered(world.client(lounge), lounge)
    assert frame is not None
    assert frame.get("User-Id") == "open"
    world.client(vault)
    assert until(lambda: vault.heard(Event.HANDSHAKE_FAILED_AUTH, 400))
