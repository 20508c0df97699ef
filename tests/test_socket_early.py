"""Early data under real sockets: accepted, rejected and undetermined, each with somebody on the wire who replays."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
import zmq

import qzmq_ref
from qzmq_ref.bridge import early
from qzmq_ref.policy import Policy
from qzmq_ref.tickets import MemoryTickets

PUBLIC, SECRET = qzmq_ref.keypair()
ALLOWED = replace(Policy.preset("default"), early_data=True)
Make = Callable[..., "zmq.Socket[bytes]"]


class Attacker:
    """Forwards tcp connections, records what clients say, cuts, and says it all again on connections of its own."""

    def __init__(self) -> None:
        self.target = 0
        self.flights: list[bytearray] = []
        self.stop_after: int | None = None
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self._open += [client, server]
                self.flights.append(flight := bytearray())
                for one, other, record in ((client, server, flight), (server, client, None)):
                    threading.Thread(target=self._pump, args=(one, other, record), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket, record: bytearray | None) -> None:
        with contextlib.suppress(OSError):
            while octets := one.recv(65536):
                if record is not None:
                    record += octets
                    if self.stop_after is not None and len(record) > self.stop_after:
                        self.stop_after = None
                        break
                other.sendall(octets)
        for sock in (one, other):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """End every connection, and go on accepting new ones."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def replay(self, flight: bytes) -> None:
        """The client's octets once more."""
        with socket.create_connection(("127.0.0.1", self.target)) as again, contextlib.suppress(OSError):
            again.settimeout(1)
            again.sendall(flight)
            while again.recv(65536):
                pass

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for sock in self._open:
            sock.close()


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    attacker = Attacker()
    yield attacker
    attacker.close()


@pytest.fixture
def make() -> Iterator[Make]:
    context, sockets = qzmq_ref.Context(), []
    tickets = MemoryTickets()

    def make(kind: int, policy: Policy) -> zmq.Socket[bytes]:
        made = context.socket(kind)
        sockets.append(made)
        made.qzmq_secretkey, made.qzmq_serverkey, made.qzmq_clientkeys = SECRET, PUBLIC, [PUBLIC]
        made.qzmq_policy, made.qzmq_tickets = policy, tickets
        made.rcvtimeo = made.sndtimeo = 5000
        made.reconnect_ivl = 250
        return made

    yield make
    for each in sockets:
        each.close(linger=0)
    context.term()


@pytest.fixture
def outcomes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bytes, bool, bytes | None]]:
    """Of each attempt with early octets: the octets, whether they went out, and what is still to be sent."""
    seen: list[tuple[bytes, bool, bytes | None]] = []
    decide = early.left_to_send

    def spy(octets: bytes, sent: bool, events: Any) -> bytes | None:
        left = decide(octets, sent, events)
        seen.append((octets, sent, left))
        return left

    monkeypatch.setattr("qzmq_ref.bridge.connector.left_to_send", spy)
    return seen


def lose_connection(make: Make, attacker: Attacker, again: Policy) -> tuple["zmq.Socket[bytes]", "zmq.Socket[bytes]"]:
    """A PUSH whose connection has just been cut, and the PULL, of policy `again`, that it will come back to."""
    pull, push = make(zmq.PULL, ALLOWED), make(zmq.PUSH, ALLOWED)
    attacker.target = pull.bind_to_random_port("tcp://127.0.0.1")
    push.connect(f"tcp://127.0.0.1:{attacker.port}")
    push.send(b"first")
    assert pull.recv() == b"first"
    wait_for_ticket(push)
    if again is not ALLOWED:
        pull = make(zmq.PULL, again)
        attacker.target = pull.bind_to_random_port("tcp://127.0.0.1")
    attacker.cut()
    time.sleep(0.1)
    return pull, push


def wait_for_ticket(push: "zmq.Socket[bytes]") -> None:
    """Tickets come behind Finished, and may be a moment later than the first message's way back."""
    book = cast("qzmq_ref.Context", push.context).ticket_book
    for _ in range(200):
        if any(tickets.newest() for tickets in book._places.values()):  # noqa: SLF001
            return
        time.sleep(0.02)
    raise AssertionError("no ticket came")


def nothing_more(pull: "zmq.Socket[bytes]") -> bool:
    return pull.poll(400) == 0


def test_accepted_and_replayed(make: Make, attacker: Attacker, outcomes: list[Any]) -> None:
    """RES-14, RES-16: what is said early arrives once; whoever replays the flight releases nothing."""
    pull, push = lose_connection(make, attacker, ALLOWED)
    push.send(b"early")
    assert pull.recv() == b"early"
    ((octets, sent, left),) = outcomes
    assert (sent, left) == (True, b"")
    assert b"early" in octets
    push.send(b"later")
    assert pull.recv() == b"later"
    for flight in list(attacker.flights):
        attacker.replay(bytes(flight))
    assert nothing_more(pull)


def test_rejected_is_sent_again(make: Make, attacker: Attacker, outcomes: list[Any]) -> None:
    """RES-15, RES-17, RES-18: by the library, once, under the session's own keys."""
    pull, push = lose_connection(make, attacker, Policy.preset("default"))
    push.send(b"early")
    assert pull.recv() == b"early"
    ((octets, sent, left),) = outcomes
    assert sent
    assert left == octets
    for flight in list(attacker.flights):
        attacker.replay(bytes(flight))
    assert nothing_more(pull)


def test_undetermined_is_reported_and_not_sent_again(
    make: Make, attacker: Attacker, outcomes: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """RES-18: the attacker keeps the flight from the server and plays it later; it counts once, if at all."""
    pull, push = lose_connection(make, attacker, ALLOWED)
    attacker.stop_after = 200  # behind the greeting, in the ClientHello
    push.send(b"early")
    for _ in range(50):
        if outcomes:
            break
        time.sleep(0.05)
    ((_, sent, left),) = outcomes
    assert (sent, left) == (True, None)
    assert "RES-18" in caplog.text
    push.send(b"later")
    assert pull.recv() == b"later"
    held = bytes(attacker.flights[1])
    for _ in range(3):
        attacker.replay(held)
    assert nothing_more(pull)


def test_nothing_to_say_early(make: Make, attacker: Attacker, outcomes: list[Any]) -> None:
    """RES-14: then the session is resumed all the same."""
    pull, push = lose_connection(make, attacker, ALLOWED)
    time.sleep(0.5)
    push.send(b"in time")
    assert pull.recv() == b"in time"
    assert [outcome[1] for outcome in outcomes] == [False]
