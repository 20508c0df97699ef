"""Sessions whose sides show chains of certificates (spec/certificates.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509

from qzmq_conformance.chains import MIDDLE, ROOT, Shape
from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import Configuration, Connection, Ended, Established
from qzmq_ref.handshake.messages import NewTicket, parse_structure
from qzmq_ref.handshake.outputs import Send
from qzmq_ref.handshake.resume import new_tickets, offerable
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import MAX_TICKET_LIFETIME, Policy, preset_names
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import AlertDescription, SigId
from qzmq_ref.tickets import MemoryTickets
from tests.chains import CLIENT, CLIENTS, NOW, SERVER, SERVERS, chain_of, server_and_client, trust_in
from tests.pairs import Clock, Pair, seeded
from tests.resuming import resumed, session_of, tickets_of

DAY = 86400.0
ROOTS = chain_of(ROOT)
EXPIRED: dict[str, Any] = {"days": (-9, -1)}


def run(server: Configuration, client: Configuration, **ticket: Any) -> Pair:
    """The pair after its handshake."""
    clock = Clock()
    return Pair(
        Connection(client, RawBinding("client"), entropy=seeded("client entropy"), clock=clock, **ticket),
        Connection(server, RawBinding("server"), entropy=seeded("server entropy"), clock=clock),
        clock,
    ).exchange()


def pins(pair: Pair) -> tuple[bytes | None, bytes | None]:
    """Who the server and who the client is, as the other side established."""
    (server,) = (event.peer.pin for event in pair.client_events if isinstance(event, Established))
    (client,) = (event.peer.pin for event in pair.server_events if isinstance(event, Established))
    return server, client


def refusal(pair: Pair, who: str) -> tuple[AlertDescription | int, str]:
    """The alert that `who` sent, which the other side received."""
    own, others = (
        (pair.client_events, pair.server_events) if who == "client" else (pair.server_events, pair.client_events)
    )
    (sent,) = (event.alert for event in own if isinstance(event, Ended))
    (received,) = (event for event in others if isinstance(event, Ended))
    assert sent is not None
    assert received.alert is not None
    assert (received.reason, received.alert.description) == ("peer_alert", sent.description)
    return sent.description, sent.requirement


# ---------------------------------------------------------------------- trusted


@pytest.mark.parametrize("preset", preset_names())
def test_both_sides_show_chains(preset: str) -> None:
    """CERT-3, CERT-4: whoever was vouched for is known by the pin of its key, as ever."""
    sig = Policy.preset(preset).signature
    servers, clients = ([shape.but(sig=sig) for shape in shapes] for shapes in (SERVERS, CLIENTS))
    server, client = server_and_client(servers, clients, preset)
    assert pins(run(server, client)) == (servers[0].key.pin, clients[0].key.pin)


def test_algorithms_of_a_mode_mix() -> None:
    """CERT-10: a leaf of the suite's algorithm below authorities of the mode's others."""
    servers = (SERVER.but(sig=SigId.ML_DSA_44), MIDDLE.but(sig=SigId.ML_DSA_65), ROOT.but(sig=SigId.ML_DSA_87))
    server, client = server_and_client(servers, policy="default")
    assert pins(run(server, client)) == (servers[0].key.pin, None)


def test_a_pin_is_the_whole_decision() -> None:
    """CERT-3, CERT-4: expired, for another name and purpose, of an unknown authority."""
    stray = Shape("stray", ca=False, usage=None, days=(-9, -1))
    chain = chain_of(stray, ROOT.but(sig=SigId.ML_DSA_44))
    server, client = server_and_client(SERVERS, CLIENTS)
    shown: dict[str, Any] = {"key": stray.key, "chain": chain[:1]}
    accepting = replace(client, server_pins=frozenset({stray.key.pin}))
    assert pins(run(replace(server, **shown), accepting)) == (stray.key.pin, CLIENT.key.pin)
    assert pins(run(replace(server, **shown), replace(accepting, trust=None))) == (stray.key.pin, CLIENT.key.pin)
    admitting = replace(server, client_pins=frozenset({stray.key.pin}))
    assert pins(run(admitting, replace(client, **shown))) == (SERVER.key.pin, stray.key.pin)


def test_pins_and_anchors_beside_each_other() -> None:
    """CERT-3, CERT-4: what no pin matches may still come by a chain, and the other way round a raw key by its pin."""
    server, client = server_and_client(SERVERS, CLIENTS)
    other = frozenset({bytes(32)})
    server, client = replace(server, client_pins=other), replace(client, server_pins=other)
    assert pins(run(server, client)) == (SERVER.key.pin, CLIENT.key.pin)
    server, client = replace(server, client_pins=frozenset({CLIENT.key.pin})), replace(client, chain=())
    assert pins(run(server, client)) == (SERVER.key.pin, CLIENT.key.pin)


# ---------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("change", "alert", "requirement"),
    [
        ({"trust": trust_in(*chain_of(ROOT.but(name="other")))}, "unknown_ca", "CERT-9"),
        ({"trust": trust_in(*ROOTS, name="other.example")}, "unrecognized_name", "CERT-16"),
        ({"trust": trust_in(*ROOTS, now=NOW + 31 * DAY)}, "certificate_expired", "CERT-12"),
        ({"trust": trust_in(*chain_of(ROOT.but(sig=SigId.ML_DSA_44)))}, "unsupported_certificate", "CERT-10"),
        ({"trust": None, "server_pins": frozenset({bytes(32)})}, "certificate_unknown", "CERT-3"),
    ],
)
def test_a_client_refuses_a_chain(change: dict[str, Any], alert: str, requirement: str) -> None:
    """CERT-3, CERT-9 to CERT-16."""
    server, client = server_and_client(SERVERS)
    assert refusal(run(server, replace(client, **change)), "client") == (
        AlertDescription[alert.upper()],
        requirement,
    )


@pytest.mark.parametrize(
    ("shapes", "alert", "requirement"),
    [
        ((CLIENT.but(**EXPIRED), ROOT), "certificate_expired", "CERT-12"),
        ((SERVER, ROOT), "unsupported_certificate", "CERT-15"),
        ((CLIENT, MIDDLE.but(ca=False), ROOT), "unknown_ca", "CERT-13"),
        ((CLIENT.but(signer="mallory"), ROOT), "bad_certificate", "CERT-11"),
    ],
)
def test_a_server_refuses_a_chain(shapes: tuple[Shape, ...], alert: str, requirement: str) -> None:
    """CERT-4, CERT-8 to CERT-15; the alert comes sealed, after the client's signature was checked."""
    server, client = server_and_client(SERVERS, CLIENTS)
    client = replace(client, key=shapes[0].key, chain=chain_of(*shapes)[:-1])
    pair = run(server, client)
    assert refusal(pair, "server") == (AlertDescription[alert.upper()], requirement)
    assert [event.authenticated for event in pair.client_events if isinstance(event, Ended)] == [True]


def test_a_raw_key_is_accepted_by_pin_only() -> None:
    """CERT-3, CERT-4."""
    server, client = server_and_client(SERVERS, CLIENTS)
    refused = AlertDescription.CERTIFICATE_UNKNOWN, "CERT-3"
    assert refusal(run(replace(server, chain=()), client), "client") == refused
    refused = AlertDescription.ACCESS_DENIED, "CERT-4"
    assert refusal(run(server, replace(client, chain=())), "server") == refused
    anonymous = replace(client, key=None, chain=())
    assert refusal(run(server, anonymous), "server") == (AlertDescription.CERTIFICATE_REQUIRED, "HS-12")


def test_a_chain_beyond_a_messages_limit_is_not_even_read() -> None:
    """HS-1, as RAW-6 has it: names enough for 2^17 octets."""
    names = tuple(x509.DNSName(f"{i:064}.example") for i in range(2000))
    server, client = server_and_client((SERVER.but(names=names), ROOT))
    assert refusal(run(server, client), "client") == (AlertDescription.RECORD_OVERFLOW, "RAW-6")


# ---------------------------------------------------------------------- resumption


def with_tickets(clock: Clock) -> tuple[Configuration, Configuration]:
    """A server and a client whose trust is asked at the time of one wall clock."""
    server, client = server_and_client(SERVERS, CLIENTS)
    assert server.trust is not None
    assert client.trust is not None
    return (
        replace(server, tickets=MemoryTickets(clock), trust=replace(server.trust, now=clock)),
        replace(client, trust=replace(client.trust, now=clock)),
    )


def test_coming_back() -> None:
    """RES-6: the session is the same person's."""
    server, client = with_tickets(Clock(NOW))
    first = run(server, client)
    pair = run(server, client, ticket=tickets_of(first)[0])
    assert resumed(pair)
    assert pins(pair) == pins(first)


@pytest.mark.parametrize(
    "change",
    [
        lambda trust: replace(trust, anchors=chain_of(ROOT.but(sig=SigId.ML_DSA_44))),
        lambda trust: replace(trust, now=lambda: NOW + 31 * DAY),
        lambda trust: replace(trust, name="other.example"),
        lambda _: None,
    ],
    ids=["another anchor", "expired", "another name", "no anchor"],
)
def test_a_client_does_not_offer_a_ticket_of_a_server_it_no_longer_trusts(change: Callable[[Any], Any]) -> None:
    """RES-6."""
    server, client = with_tickets(Clock(NOW))
    (ticket, _) = tickets_of(run(server, client))
    assert offerable(client, ticket)
    now = replace(client, trust=change(client.trust), server_pins=frozenset({bytes(32)}))
    assert not offerable(now, ticket)
    assert offerable(replace(now, server_pins=frozenset({SERVER.key.pin})), ticket)


@pytest.mark.parametrize(
    ("change", "comes_back"),
    [
        (lambda trust: replace(trust, anchors=(*trust.anchors, *chain_of(ROOT.but(name="other")))), True),
        (lambda trust: replace(trust, anchors=chain_of(ROOT.but(name="other"))), False),
        (lambda trust: replace(trust, now=lambda: NOW + 31 * DAY), False),
    ],
    ids=["more trust", "another anchor", "expired"],
)
def test_a_server_takes_no_ticket_under_other_trust(change: Callable[[Any], Any], comes_back: bool) -> None:
    """RES-5, RES-6: a full handshake follows, which then says what is wrong."""
    server, client = with_tickets(Clock(NOW))
    (ticket, _) = tickets_of(run(server, client))
    pair = run(replace(server, trust=change(server.trust)), client, ticket=ticket)
    assert not session_of(pair.server).resumed
    assert pair.server.established == pair.client.established == comes_back


@pytest.mark.parametrize("ends", [{"server": 2}, {"client": 2}, {"server": 3, "client": 2}])
def test_a_ticket_ends_with_the_first_certificate(ends: dict[str, int]) -> None:
    """CERT-18."""
    shapes = {"server": SERVER, "client": CLIENT}
    ending = {name: shape.but(days=(-1, ends.get(name, 30))) for name, shape in shapes.items()}
    server, client = server_and_client((ending["server"], ROOT), (ending["client"], ROOT))
    policy = replace(server.policy, ticket_lifetime=MAX_TICKET_LIFETIME)
    server = replace(server, policy=policy, tickets=MemoryTickets(Clock(NOW)))
    pair = run(server, client)
    assert tickets_lifetimes(session_of(pair.server)) == {2 * DAY}
    at_the_end = replace(server, tickets=MemoryTickets(Clock(NOW + 2 * DAY)))
    assert tickets_lifetimes(session_of(pair.server).but(configuration=at_the_end)) == set()


def tickets_lifetimes(session: Session) -> set[float]:
    """The lifetimes of the tickets that a server would send now."""
    outputs = new_tickets(session.but(outputs=())).outputs
    found: list[NewTicket] = [
        parse_structure("NewTicket", out.octets, "REG-2") for out in outputs if isinstance(out, Send)
    ]
    return {float(ticket.lifetime) for ticket in found}


# ---------------------------------------------------------------------- configuration


def test_a_configuration_that_could_not_work_is_a_local_error() -> None:
    """CERT-6, CERT-16, CERT-17."""
    server, client = server_and_client(SERVERS, CLIENTS)
    chain = chain_of(*SERVERS)
    with pytest.raises(LocalError, match="CERT-6"):
        replace(client, trust=None)
    with pytest.raises(LocalError, match="CERT-16"):
        replace(client, trust=trust_in(*ROOTS, name=""))
    with pytest.raises(LocalError, match="CERT-16"):
        replace(server, trust=trust_in(*ROOTS))
    for wrong in (chain_of(*CLIENTS), chain[::-1], (chain[0], chain[2]), (b"0",), chain * 3):
        with pytest.raises(LocalError, match="CERT-17"):
            replace(server, chain=wrong)
