"""ZAP without a socket: what the protocol core asks, and what it makes of each answer (spec/zap.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from os import urandom

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.alerts import Alert
from qzmq_ref.connection import (
    Authorize,
    ClientTicket,
    Configuration,
    Connection,
    Decision,
    EarlyAnswered,
    EarlyReceived,
    Ended,
    Established,
    Event,
    Received,
    TicketReceived,
)
from qzmq_ref.handshake.zap import ALERTS
from qzmq_ref.metadata import Property
from qzmq_ref.patterns import authorized_properties
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import tables
from qzmq_ref.tickets import MemoryTickets
from qzmq_ref.zmtp import ZmtpBinding
from tests.pairs import Clock, Pair, make_pair, seeded, signing_key

POLICY = Policy.preset("default")
NAMES = st.sampled_from(
    [b"X-Role", b"x-role", b"User-Id", b"Socket-Type", b"IDENTITY", b"X-QZMQ-Peer", b"__x", b"Team"]
)


def the(kind: type[Event], events: Iterable[Event]) -> Event:
    """The only event of its kind."""
    (found,) = (event for event in events if isinstance(event, kind))
    return found


def asked(pair: Pair) -> Authorize:
    """What the server wants to know once the client has shown its key."""
    event = the(Authorize, pair.exchange().server_events)
    assert isinstance(event, Authorize)
    assert pair.server.state == "wait_authorization"
    return event


def zmtp_pair(own: tuple[Property, ...] = ()) -> Pair:
    """A DEALER that connects to a ROUTER which asks ZAP about it."""
    key, server_key = signing_key(POLICY, "client"), signing_key(POLICY, "server")
    client = Configuration(
        "client",
        POLICY,
        key,
        frozenset({server_key.pin}),
        None,
        (Property(b"Socket-Type", b"DEALER"), Property(b"Identity", b"worker"), *own),
        b"DEALER",
    )
    server = Configuration(
        "server", POLICY, server_key, metadata=(Property(b"Socket-Type", b"ROUTER"),), socket_type=b"ROUTER",
        authorizing=lambda: True,
    )  # fmt: skip
    pair = make_pair()
    pair.client = Connection(client, ZmtpBinding("client"), entropy=seeded("client"), clock=pair.clock)
    pair.server = Connection(
        server, ZmtpBinding("server"), entropy=seeded("server"), clock=pair.clock, peer_address="192.0.2.7"
    )
    return pair


def test_zap_is_asked_about_the_key_the_identity_and_the_address() -> None:
    """ZAP-3, ZAP-4, HS-80."""
    pair = zmtp_pair()
    assert asked(pair) == Authorize(signing_key(POLICY, "client").spki, b"worker", "192.0.2.7")
    assert not pair.client.established


def test_an_anonymous_client_is_asked_about_too() -> None:
    """ZAP-2, HS-12."""
    pair = make_pair(client_key=False, authorised=None, zap=True)
    assert asked(pair).spki == b""


def test_known_clients_only_still_means_that() -> None:
    """ZAP-2, ZAP-3, CERT-4, HS-12: ZAP never hears of a client that the server itself refuses."""
    for pair, description in (
        (make_pair(client_key=False, zap=True), AlertDescription.CERTIFICATE_REQUIRED),
        (make_pair(authorised=False, zap=True), AlertDescription.ACCESS_DENIED),
    ):
        ended = the(Ended, pair.exchange().server_events)
        assert isinstance(ended, Ended)
        assert ended.alert is not None
        assert ended.alert.description == description
        assert not any(isinstance(event, Authorize) for event in pair.server_events)


def test_nobody_is_asked_for_a_key_where_zap_is_not_due() -> None:
    """ZAP-1, HS-33."""
    pair = make_pair(authorised=None).exchange()
    assert pair.server.established
    assert pair.server.peer is not None
    assert pair.server.peer.pin is None


@pytest.mark.parametrize("status", [300, 400, 500])
def test_a_refusal_is_a_sealed_alert(status: int) -> None:
    """ZAP-7 to ZAP-9, HS-82, and the same words in table zap-status."""
    pair = make_pair(zap=True)
    asked(pair)
    (ended,) = pair.server.decide(Decision(status, "because"))
    assert isinstance(ended, Ended)
    assert ended.alert is not None
    assert ended.alert.description == ALERTS[status][0]
    assert "because" in ended.alert.detail
    heard = the(Ended, pair.exchange().client_events)
    assert isinstance(heard, Ended)
    assert heard.authenticated
    assert heard.alert is not None
    rows = {int(row["Status"]): row["Alert"] for row in tables()["zap-status"]}
    assert rows[status].upper() == AlertDescription(heard.alert.description).name
    assert (pair.client.state, pair.server.state) == ("closed", "closed")


def test_admission_goes_on_where_the_handshake_stopped() -> None:
    """ZAP-5, HS-81."""
    pair = zmtp_pair((Property(b"X-Role", b"mine"),))
    asked(pair)
    added = (Property(b"x-role", b"theirs"), Property(b"User-Id", b"forged"), Property(b"Socket-Type", b"PUB"))
    established = the(Established, pair.server.decide(Decision(200, "OK", b"alice", added)))
    assert isinstance(established, Established)
    told = {each.name: each.value for each in established.peer.metadata}
    assert told[b"User-Id"] == b"alice"
    assert len(told[b"X-QZMQ-Peer"]) == 40
    assert (told[b"Socket-Type"], told[b"Identity"]) == (b"DEALER", b"worker")
    assert b"X-Role" not in told
    assert told[b"x-role"] == b"theirs"
    pair.exchange()
    assert pair.client.established


@given(cut=st.integers(1, 5000), extra=st.binary(min_size=1, max_size=2000))
@settings(max_examples=10)
def test_octets_that_come_while_zap_decides_wait(cut: int, extra: bytes) -> None:
    """ZAP-3: over raw, a client that is established by its own ClientKey may send at once; not one octet is read."""
    pair = make_pair(zap=True)
    asked(pair)
    assert pair.server.receive(b"") == []
    pair.client._queue(MessageType.DATA, extra)  # noqa: SLF001  # this library's own client waits for Finished
    assert Pair.feed(pair.server, pair.client.data_to_send(), cut) == []
    (established,) = pair.server.decide(Decision(200))
    assert isinstance(established, Established)
    assert b"".join(event.octets for event in pair.server.receive(b"") if isinstance(event, Received)) == extra


def test_an_answer_that_comes_too_late_does_nothing() -> None:
    """HS-83, CLS-5."""
    pair = make_pair(zap=True)
    asked(pair)
    pair.server.close()
    assert pair.server.decide(Decision(200)) == []
    heard = the(Ended, pair.exchange().client_events)
    assert isinstance(heard, Ended)
    assert isinstance(heard.alert, Alert)
    assert heard.alert.description == AlertDescription.USER_CANCELED
    assert pair.server.state == "closed"


def test_an_unasked_answer_does_nothing() -> None:
    pair = make_pair()
    assert pair.server.decide(Decision(400)) == []
    assert pair.exchange().server.established


class Comings:
    """One client that comes again and again to a server with tickets, which asks ZAP only when told to."""

    def __init__(self, *, client_key: bool = True) -> None:
        policy = replace(POLICY, early_data=True)
        pair = make_pair(policy, authorised=None, client_key=client_key)
        self.client, self.zap = pair.client._configuration, True  # noqa: SLF001
        self.server = replace(
            pair.server._configuration,  # noqa: SLF001
            tickets=MemoryTickets(Clock(1e9)),
            authorizing=lambda: self.zap,
        )

    def come(self, ticket: ClientTicket | None = None, early_data: bytes = b"") -> Pair:
        """The handshake until ZAP is asked, or until its end if nobody is."""
        clock = Clock()
        client = Connection(
            self.client, RawBinding("client"), entropy=urandom, clock=clock, ticket=ticket, early_data=early_data
        )
        server = Connection(self.server, RawBinding("server"), entropy=urandom, clock=clock)
        return Pair(client, server, clock).exchange()

    def ticket(self) -> ClientTicket:
        """Of a session that ZAP admitted, if it was asked."""
        pair = self.come()
        pair.server.decide(Decision(200))
        return next(event.ticket for event in pair.exchange().client_events if isinstance(event, TicketReceived))


def test_zap_is_asked_again_when_a_client_comes_back() -> None:
    """ZAP-4, RES-6: about the key in the ticket; and what it refuses now stays out."""
    world = Comings()
    pair = world.come(world.ticket())
    assert pair.server._session.resumed  # noqa: SLF001
    assert the(Authorize, pair.server_events) == Authorize(signing_key(POLICY, "client").spki, b"", "")
    pair.server.decide(Decision(400))
    heard = the(Ended, pair.exchange().client_events)
    assert isinstance(heard, Ended)
    assert heard.authenticated
    assert not pair.client.established


def test_early_data_is_not_released_before_zap_has_spoken() -> None:
    """ZAP-10: nor kept: the client may send it again."""
    world = Comings()
    pair = world.come(world.ticket(), b"early")
    assert the(EarlyAnswered, pair.client_events) == EarlyAnswered("rejected")
    events = [*pair.server.decide(Decision(200)), *pair.server.receive(b"")]
    assert not any(isinstance(event, EarlyReceived) for event in pair.server_events + events)
    assert pair.exchange().client.established


@pytest.mark.parametrize("client_key", [False, True])
def test_a_ticket_without_a_name_is_no_ticket_for_zap(*, client_key: bool) -> None:
    """ZAP-10: a client that was never asked who it is shows its key now, if it has one."""
    world = Comings(client_key=client_key)
    world.zap = False
    ticket = world.ticket()
    world.zap = True
    pair = world.come(ticket)
    assert not pair.server._session.resumed  # noqa: SLF001
    spki = signing_key(POLICY, "client").spki if client_key else b""
    assert the(Authorize, pair.server_events) == Authorize(spki, b"", "")


@given(
    said=st.lists(st.builds(Property, NAMES, st.binary(max_size=4)), max_size=6),
    added=st.lists(st.builds(Property, NAMES, st.binary(max_size=4)), max_size=6, unique_by=lambda p: p.name.lower()),
    user_id=st.binary(max_size=8),
)
def test_what_zap_says_wins_and_reserved_names_are_dropped(
    said: list[Property], added: list[Property], user_id: bytes
) -> None:
    """ZAP-5, ZAP-6, PAT-5: of each name one property, and no protocol name from ZAP."""
    own = tuple({each.name.lower(): each for each in said}.values())
    result = authorized_properties(own, user_id, tuple(added))
    by_name = {each.name.lower(): each.value for each in result}
    assert len(by_name) == len(result)
    assert by_name[b"user-id"] == user_id
    for name in (b"socket-type", b"identity", b"x-qzmq-peer", b"__x"):
        assert by_name.get(name) == next((each.value for each in own if each.name.lower() == name), None)
    for each in added:
        if each.name.lower() in (b"x-role", b"team"):
            assert by_name[each.name.lower()] == each.value


def test_the_decision_of_each_client_hello_is_its_own() -> None:
    """ZAP-1: a handler that comes or goes changes the next handshake, not the one that runs."""
    due = [True, False]
    pair = make_pair(authorised=None)
    server = replace(pair.server._configuration, authorizing=lambda: due.pop())  # noqa: SLF001
    for expected in (False, True):
        pair = make_pair(authorised=None)
        pair.server = Connection(server, pair.server._binding, entropy=seeded("s"), clock=pair.clock)  # noqa: SLF001
        pair.exchange()
        assert (pair.server.state == "wait_authorization") is expected
    assert not due
