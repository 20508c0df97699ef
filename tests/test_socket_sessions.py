"""Generations and tickets under real sockets."""

import gc
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import zmq

import qzmq_ref
from qzmq_ref.connection import Connection
from qzmq_ref.handshake import client as client_side
from qzmq_ref.handshake.messages import ServerHello
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.tickets import MemoryTickets
from tests.ports import reserved

KEYS = {name: qzmq_ref.keypair(name) for name in ("default", "performance")}
Make = Callable[..., "zmq.Socket[bytes]"]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes sockets of one Context that share a key pair, and closes them at the end."""
    context, sockets = qzmq_ref.Context(), []

    def make(kind: int, policy: Policy | str = "default", **attributes: object) -> zmq.Socket[bytes]:
        public, secret = KEYS["default" if policy == "default" else "performance"]
        socket = context.socket(kind)
        sockets.append(socket)
        socket.qzmq_secretkey, socket.qzmq_serverkey, socket.qzmq_clientkeys = secret, public, [public]
        socket.qzmq_policy = policy
        socket.rcvtimeo = socket.sndtimeo = 10_000
        socket.reconnect_ivl = 20
        for name, value in attributes.items():
            setattr(socket, name, value)
        return socket

    yield make
    for socket in sockets:
        socket.close(linger=0)
    context.term()


def echo(server: zmq.Socket[bytes], client: zmq.Socket[bytes], octets: bytes) -> None:
    client.send(octets)
    server.send(server.recv())
    assert client.recv() == octets


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """Client sessions of this process that have checked a server's signature."""
    seen: list[Session] = []
    signed = client_side.server_signed

    def spy(session: Session, hello: ServerHello) -> bytes:
        seen.append(session)
        return signed(session, hello)

    monkeypatch.setattr(client_side, "server_signed", spy)
    return seen


@pytest.mark.parametrize("stricter", [False, True])
def test_a_client_comes_back_with_a_ticket(make: Make, signatures: list[Session], stricter: bool) -> None:
    """RES-1, RES-4, RES-5, RES-6: without signatures, unless the listener is another one now."""
    tickets, others = MemoryTickets(), [KEYS["default"][0], qzmq_ref.keypair()[0]]
    server, client = make(zmq.REP, qzmq_tickets=tickets), make(zmq.REQ)
    with reserved() as port:
        server.bind(f"tcp://127.0.0.1:{port}")
        client.connect(f"tcp://127.0.0.1:{port}")
        echo(server, client, b"first")
        own = len(signatures)
        server.unbind(f"tcp://127.0.0.1:{port}")
        server.close(linger=0)
        again = make(zmq.REP, qzmq_tickets=tickets, **({"qzmq_clientkeys": others} if stricter else {}))
        again.bind(f"tcp://127.0.0.1:{port}")
    time.sleep(0.3)  # a request on the lost connection would be lost, as over plain TCP
    echo(again, client, b"second")
    assert (len(signatures) > own) is stricter


def test_generations_come_by_age_while_messages_flow(make: Make) -> None:
    """ROT-15: both sides ask, again and again, and every message arrives in order."""
    limits = Limits(step_records=50, generation_seconds=0.5)
    policy = replace(Policy.preset("performance"), limits=limits)
    pull, push = make(zmq.PULL, policy), make(zmq.PUSH, policy)
    push.connect(f"tcp://127.0.0.1:{pull.bind_to_random_port('tcp://127.0.0.1')}")
    number, end = 0, time.monotonic() + 3.5
    while time.monotonic() < end:
        push.send(b"%d" % number)
        assert pull.recv() == b"%d" % number
        number += 1
        time.sleep(0.002)
    live = [each for each in gc.get_objects() if isinstance(each, Connection) and each.established]
    assert max(each._session.generation for each in live) >= 3  # noqa: SLF001


def test_a_new_socket_comes_back_where_one_of_its_kind_has_been(make: Make, signatures: list[Session]) -> None:
    """RES-7: same Context, endpoint, key and metadata; a socket of another type starts anew."""
    server = make(zmq.ROUTER)
    port = server.bind_to_random_port("tcp://127.0.0.1")
    known = []
    for kind in (zmq.DEALER, zmq.DEALER, zmq.REQ):
        client = make(kind)
        client.connect(f"tcp://127.0.0.1:{port}")
        client.send(b"hello")
        server.recv_multipart()
        known.append(len(signatures))
        client.close()
        time.sleep(0.1)
    assert known[0] == known[1] < known[2]
