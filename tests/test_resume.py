"""Tickets and resumption (spec/resumption.md)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import (
    ClientTicket,
    Connection,
    Established,
    Received,
    TicketReceived,
)
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.messages import ClientHello, NewTicket, PreSharedKey, ServerHello, build, parse_structure
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import AlertDescription, Extension, ExtensionType
from qzmq_ref.tickets import MemoryTickets
from tests.pairs import Clock, Pair, seeded
from tests.resuming import POLICY, World, ended, resumed, session_of, tickets_of


@pytest.mark.parametrize("preset", ["default", "performance", "maximum"])
@pytest.mark.parametrize("authorised", [True, None])
def test_coming_back(preset: str, authorised: bool | None) -> None:
    """RES-1, RES-4, RES-5: without a signature, and known as before; the new session issues tickets of its own."""
    world = World.make(Policy.preset(preset), authorised=authorised)
    first = world.pair().exchange()
    pair = world.pair(tickets_of(first)[0]).exchange()
    assert resumed(pair)
    before, after = (
        [event.peer for event in (*each.client_events, *each.server_events) if isinstance(event, Established)]
        for each in (first, pair)
    )
    assert after == [replace(peer, resumed=True) for peer in before]
    assert not any(peer.resumed for peer in before)
    pair.client.send(b"up")
    pair.server.send(b"down")
    pair.exchange()
    assert [e.octets for e in pair.server_events if isinstance(e, Received)] == [b"up"]
    assert [e.octets for e in pair.client_events if isinstance(e, Received)] == [b"down"]
    assert resumed(world.pair(tickets_of(pair)[0]).exchange())


@pytest.mark.parametrize("tickets", range(4))
def test_a_resumed_session_brings_one_ticket_for_the_one_it_used(tickets: int) -> None:
    """RES-1; a new generation, whose predecessor's tickets are gone, brings all of them again."""
    world = World.make(Policy.preset("default"))
    (ticket, _) = world.tickets()
    server = replace(world.server, policy=replace(world.server.policy, tickets=tickets))
    pair = replace(world, server=server).pair(ticket).exchange()
    assert resumed(pair)
    assert len(tickets_of(pair)) == min(1, tickets)
    pair.client.rekey()
    pair.exchange()
    assert len(tickets_of(pair)) == min(1, tickets) + tickets


def test_no_signature_is_made_or_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """RES-10, RES-11."""
    world = World.make()
    (ticket, _) = world.tickets()

    def refuse(*_: object) -> bytes:
        raise AssertionError("a signature")

    monkeypatch.setattr("qzmq_ref.crypto.signature.SigningKey.sign", refuse)
    monkeypatch.setattr("qzmq_ref.crypto.signature.PublicKey.verify", refuse)
    assert resumed(world.pair(ticket).exchange())


def test_a_ticket_is_accepted_once() -> None:
    """RES-4: also if two connections offer it at the same time."""
    world = World.make()
    (ticket, other) = world.tickets()
    one, two = world.pair(ticket), world.pair(ticket)
    for pair in (one, two):
        pair.server.receive(pair.client.data_to_send())
        pair.client.receive(pair.server.data_to_send())
        pair.server.receive(pair.client.data_to_send())
    assert [resumed(pair.exchange()) for pair in (one, two)] == [True, False]
    assert not resumed(world.pair(ticket).exchange())
    assert resumed(world.pair(other).exchange())


@pytest.mark.parametrize(
    "change",
    [
        lambda server: replace(server, client_pins=None),
        lambda server: replace(server, client_pins=frozenset({bytes(32), *server.client_pins})),
        lambda server: replace(server, policy=replace(POLICY, suites=POLICY.suites + Policy.preset("default").suites,
                                                      mixed=True)),
        lambda server: replace(server, tickets=MemoryTickets(Clock(1e9))),
        lambda server: replace(server, tickets=None),
    ],
)  # fmt: skip
def test_a_listener_that_changed_asks_for_a_full_handshake(change: Callable[[Configuration], Configuration]) -> None:
    """RES-5, RES-6: nobody is refused, the signatures are back."""
    world = World.make()
    (ticket, _) = world.tickets()
    world.server = change(world.server)
    assert not resumed(world.pair(ticket).exchange())


def test_a_revoked_client_does_not_come_back() -> None:
    """RES-6, CERT-4."""
    world = World.make()
    (ticket, _) = world.tickets()
    world.server = replace(world.server, client_pins=frozenset({bytes(32)}))
    pair = world.pair(ticket).exchange()
    assert ended(pair.server_events) == (AlertDescription.ACCESS_DENIED, "CERT-4")


def test_tickets_age() -> None:
    """RES-2: a day by default, and never past seven days from the last signatures."""
    world = World.make()
    (ticket, _) = world.tickets()
    world.wall.now += 86401
    assert not resumed(world.pair(ticket).exchange())

    world = World.make(replace(POLICY, ticket_lifetime=604800))
    (ticket, _) = world.tickets()
    for day in range(7):
        world.wall.now += 86399
        pair = world.pair(ticket).exchange()
        assert resumed(pair), day
        ticket, *_ = tickets_of(pair)
    lifetimes = [e.lifetime for e in pair.client_events if isinstance(e, TicketReceived)]
    assert max(lifetimes) <= 604800 - 7 * 86399
    world.wall.now += 8
    assert not resumed(world.pair(ticket).exchange())


def test_a_new_generation_discards_the_old_tickets() -> None:
    """RES-3."""
    world = World.make()
    pair = world.pair().exchange()
    (old, _) = tickets_of(pair)
    pair.client.rekey()
    pair.exchange()
    new = tickets_of(pair)[2]
    assert not resumed(world.pair(old).exchange())
    assert resumed(world.pair(new).exchange())


def test_what_a_client_does_not_offer() -> None:
    """RES-6, RES-7."""
    world = World.make()
    (ticket, _) = world.tickets()
    for changed in (
        replace(world.client, server_pins=frozenset({bytes(32)})),
        replace(world.client, key=None),
        replace(world.client, policy=Policy.preset("default"), key=None),
    ):
        with pytest.raises(LocalError, match="RES-7"):
            Connection(changed, RawBinding("client"), entropy=seeded(""), clock=Clock(), ticket=ticket)


def test_lifetime_and_role_of_new_ticket() -> None:
    """RES-1, RES-2."""
    world = World.make()
    for role, lifetime, expected in [
        ("client", 604801, (AlertDescription.ILLEGAL_PARAMETER, "RES-2")),
        ("server", 60, (AlertDescription.UNEXPECTED_MESSAGE, "HS-18")),
    ]:
        pair = world.pair().exchange()
        sender, receiver = (pair.server, pair.client) if role == "client" else (pair.client, pair.server)
        sender._queue(6, build(NewTicket(lifetime, 0, b"n", b"i")))  # type: ignore[arg-type]  # noqa: SLF001
        assert ended(receiver.receive(sender.data_to_send())) == expected


# ---------------------------------------------------------------------- a client or server that cheats


def tampered_hello(world: World, ticket: ClientTicket, change: Callable[[ClientHello], ClientHello]) -> list[Any]:
    """What the server makes of a ClientHello that was changed under way."""
    pair = world.pair(ticket)
    pair.client.receive(pair.server.data_to_send())
    hello: ClientHello = parse_structure("ClientHello", session_of(pair.client).client_hello[1:], "REG-2")
    message = b"\x01" + build(change(hello))
    pair.server.receive(b"QZMQ/1C\n")
    return pair.server.receive(len(message).to_bytes(4, "big") + message)


def forged(hello: ClientHello) -> ClientHello:
    key: PreSharedKey = parse_structure("PreSharedKey", hello.extensions[-1].extension_data, "REG-10")
    data = build(replace(key, binder=bytes([key.binder[0] ^ 1]) + key.binder[1:]))
    return replace(hello, extensions=(*hello.extensions[:-1], Extension(ExtensionType.PRE_SHARED_KEY, data)))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (forged, (AlertDescription.DECRYPT_ERROR, "RES-9")),
        (lambda hello: replace(hello, random=bytes(32)), (AlertDescription.DECRYPT_ERROR, "RES-9")),
        (
            lambda hello: replace(hello, extensions=hello.extensions[::-1]),
            (AlertDescription.ILLEGAL_PARAMETER, "RES-8"),
        ),
        (
            lambda hello: replace(hello, extensions=(Extension(ExtensionType.EARLY_DATA, b""),)),
            (AlertDescription.ILLEGAL_PARAMETER, "RES-19"),
        ),
        (
            lambda hello: replace(hello, extensions=(Extension(ExtensionType.EARLY_DATA, b"x"), hello.extensions[-1])),
            (AlertDescription.DECODE_ERROR, "REG-10"),
        ),
    ],
)
def test_a_changed_hello(change: Any, expected: tuple[AlertDescription, str]) -> None:
    """RES-8, RES-9, RES-19; and the ticket stays good for its owner."""
    world = World.make()
    (ticket, _) = world.tickets()
    assert ended(tampered_hello(world, ticket, change)) == expected
    assert resumed(world.pair(ticket).exchange())


# ---------------------------------------------------------------------- early data


def test_tickets_hide_their_secret() -> None:
    """SEC-7."""
    (ticket, _) = World.make().tickets()
    assert ticket.psk.hex() not in repr(ticket)
    assert repr(ticket.psk) not in repr(ticket)


def test_a_full_store_forgets_the_oldest() -> None:
    """RES-1."""
    world = World.make()
    world.server = replace(world.server, tickets=MemoryTickets(world.wall, capacity=2))
    (old, _), (new, _) = world.tickets(), world.tickets()
    assert not resumed(world.pair(old).exchange())
    assert len(tickets_of(world.pair().exchange())) == 2
    del new


def server_flight(world: World, ticket: ClientTicket | None, early: bytes = b"") -> tuple[Pair, ServerHello]:
    """A pair whose server has answered, and the answer, not yet delivered."""
    pair = world.pair(ticket, early)
    pair.client.receive(pair.server.data_to_send())
    pair.server.receive(pair.client.data_to_send())
    hello: ServerHello = parse_structure("ServerHello", session_of(pair.server).server_hello[1:], "REG-2")
    return pair, hello


def answer(pair: Pair, hello: ServerHello) -> tuple[AlertDescription | int, str]:
    message = b"\x02" + build(hello)
    return ended(pair.client.receive(len(message).to_bytes(4, "big") + message))


PSK, EARLY = Extension(ExtensionType.PRE_SHARED_KEY, b""), Extension(ExtensionType.EARLY_DATA, b"\1")


def test_answers_to_what_was_not_offered() -> None:
    """RES-13."""
    world = World.make()
    for extension in (PSK, EARLY):
        pair, hello = server_flight(world, None)
        wrong = replace(hello, extensions=(*hello.extensions, extension))
        assert answer(pair, wrong) == (AlertDescription.UNSUPPORTED_EXTENSION, "RES-13")


def test_a_resumed_server_hello_that_is_not_one() -> None:
    """RES-10, RES-11, RES-15."""
    world = World.make()
    full = server_flight(world, None)[1]
    request = next(each for each in full.extensions if each.extension_type == ExtensionType.CLIENT_AUTH_REQUEST)
    changes: list[tuple[Callable[[ServerHello], ServerHello], AlertDescription, str]] = [
        (lambda h: replace(h, certificate=full.certificate), AlertDescription.ILLEGAL_PARAMETER, "RES-10"),
        (lambda h: replace(h, extensions=(*h.extensions, request)), AlertDescription.ILLEGAL_PARAMETER, "RES-10"),
        (lambda h: replace(h, signature=bytes(32)), AlertDescription.DECRYPT_ERROR, "RES-11"),
        (lambda h: replace(h, random=bytes(32)), AlertDescription.DECRYPT_ERROR, "RES-11"),
        (lambda h: replace(h, extensions=(EARLY,)), AlertDescription.ILLEGAL_PARAMETER, "RES-15"),
    ]
    for change, description, requirement in changes:
        pair, hello = server_flight(world, world.tickets()[0], b"early")
        assert answer(pair, change(hello)) == (description, requirement)


def test_metadata_is_bound_to_the_ticket() -> None:
    """RES-7, RES-12: a side that tells something else of itself when it comes back is refused."""
    for role, requirement in (("client", "RES-7"), ("server", "RES-12")):
        world = World.make()
        pair = world.pair(world.tickets()[0])
        connection = pair.client if role == "client" else pair.server
        other = replace(session_of(connection).configuration, metadata=(Property(b"X-Other", b"1"),))
        pair.client.receive(pair.server.data_to_send())
        pair.server.receive(pair.client.data_to_send())
        connection._session = session_of(connection).but(configuration=other)  # noqa: SLF001
        pair.exchange()
        events = pair.server_events if role == "client" else pair.client_events
        assert ended(events) == (AlertDescription.ILLEGAL_PARAMETER, requirement)
