"""Area `resumption`: tickets of both roles, what becomes of them, and handshakes that use them wrongly."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import (
    Fault,
    changing,
    expect_opaque_alert,
    flip,
    refused,
    resized,
    updating,
)
from qzmq_conformance.keys import as_server, key, policy
from qzmq_conformance.metadata import SOCKET_TYPE, metadata
from qzmq_conformance.peer import Deviation, Edit, Peer
from qzmq_conformance.returning import Returning
from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_conformance.scene import Meet, Scene, check_alive
from qzmq_conformance.security import Security
from qzmq_conformance.stage import Stage
from qzmq_ref import z85
from qzmq_ref.handshake.messages import (
    ClientHello,
    EarlyDataAnswer,
    EarlyDataStatus,
    Empty,
    PreSharedKey,
    build,
    parse_body,
    parse_structure,
)
from qzmq_ref.handshake.outputs import TicketReceived
from qzmq_ref.handshake.session import known
from qzmq_ref.metadata import Property
from qzmq_ref.policy import MAX_TICKET_LIFETIME, Policy
from qzmq_ref.registries import (
    AeadId,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    MessageType,
)

OTHERS_METADATA = metadata(SOCKET_TYPE, Property(b"X-Own", b"changed"))
TWO_TICKETS = 2
LIFETIME = 1  # seconds


@dataclass(frozen=True)
class Revoking(Scene):
    """A scene whose target, a server, no longer admits the peer's key."""

    @property
    def security(self) -> Security:
        """What the target's application sets."""
        return as_server("target", self.chosen, "stranger")


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        server, client = Returning(mode, "server"), Returning(mode, "client")
        for scene in (server, client):
            for name, (rules, change, resumed) in _COMING_BACK.items():
                play = partial(_comes_back, replace(scene, **change), resumed)
                yield Case(f"resumption/{mode}/{scene.role}/{name}", rules, play)
        for name, (rules, first, elsewhere) in _changed_listeners(mode).items():
            play = partial(_comes_back, replace(server, **first, elsewhere=elsewhere), False)
            yield Case(f"resumption/{mode}/server/changed-{name}", rules, play)
        for name, (rules, alert, lead) in _SERVER.items():
            waits = LIFETIME if lead is _expires else 0.0
            yield Case(f"resumption/{mode}/server/{name}", rules, partial(lead, server), alert, waits)
        for fault in _of_client(mode):
            yield fault.case("resumption", server)
        yield refused("early-without-ticket", "RES-19", "ClientHello", content=_adding(EARLY)).case(
            "resumption", Scene(mode, "server")
        )
        yield from _of_tickets(mode)
        two = replace(client, policy=_two_suites(mode))
        for fault in _of_server(two.chosen):
            yield fault.case("resumption", two)
        for fault in _of_answers():
            yield fault.case("resumption", Scene(mode, "client"))


def _two_suites(mode: str) -> Policy:
    """The mode's policy with a second suite of another AEAD."""
    (suite,) = policy(mode).suites
    other = AeadId.CHACHA20_POLY1305 if suite.aead == AeadId.AES_256_GCM else AeadId.AES_256_GCM
    return replace(policy(mode), suites=(suite, replace(suite, aead=other)))


# ---------------------------------------------------------------------- coming back


def _comes_back(scene: Returning, resumed: bool, stage: Stage) -> None:
    """The second session is resumed, or a full one, as expected; either way no alert, and both sides can speak."""
    with scene.play(stage) as peer:
        peer.bring("established")
        if isinstance(peer, ServerPeer) and scene.forgotten and not offered(peer):
            raise Failed("no ticket in ClientHello", "the ticket of before")
        if isinstance(peer, ServerPeer) and not resumed and not scene.forgotten and offered(peer):
            raise Failed("a ticket in ClientHello", "none")
        expect_resumed(peer, resumed)
        check_alive(scene, peer)


def offered(peer: Peer) -> bool:
    """Whether the client offered a ticket."""
    hello: ClientHello = parse_body(MessageType.CLIENT_HELLO, peer.session.client_hello[1:])
    return any(each.extension_type == ExtensionType.PRE_SHARED_KEY for each in hello.extensions)


def expect_resumed(peer: Peer, resumed: bool) -> None:
    """The session is resumed, or not."""
    if peer.session.resumed != resumed:
        names = ("a full handshake", "a resumed session")
        raise Failed(names[peer.session.resumed], names[resumed])


def _lasting(seconds: int) -> Deviation:
    return Deviation("NewTicket", content=changing(lifetime=seconds))


_COMING_BACK: dict[str, tuple[tuple[str, ...], dict[str, Any], bool]] = {
    "back": (("RES-1", "RES-8", "RES-9", "RES-11", "HS-56"), {}, True),
    "back-known": (("RES-6", "RES-7", "RES-10"), {"mutual": True}, True),
    "back-raw": (("RES-1", "RES-5"), {"raw": True}, True),
    "back-with-puzzle": (("PUZ-4", "RES-9"), {"retry": True}, True),
    "forgotten": (("RES-4",), {"forgotten": True}, False),
    "forgotten-known": (("RES-4",), {"forgotten": True, "mutual": True}, False),
    "rekeyed": (("RES-3",), {"rekeyed": "after"}, False),
    "renewed": (("RES-3", "HS-55", "KS-8"), {"rekeyed": "before"}, True),
}


def _changed_listeners(mode: str) -> dict[str, tuple[tuple[str, ...], dict[str, Any], Scene]]:
    """Another socket of the same server, which has the same tickets but not the configuration they are bound to."""
    return {
        "socket-type": (("RES-5",), {}, Scene(mode, "server", own="DEALER")),
        "suites": (("RES-5",), {}, Scene(mode, "server", policy=_two_suites(mode))),
        "binding": (("RES-5",), {}, Scene(mode, "server", raw=True)),
        "asks": (("RES-5", "RES-6"), {}, Scene(mode, "server", mutual=True)),
        "asks-no-more": (("RES-5",), {"mutual": True}, Scene(mode, "server")),
    }


# ---------------------------------------------------------------------- the target is the server


def _meet(meet: Meet, ticket: TicketReceived, resumed: bool, scene: Scene) -> None:
    """One more session with that ticket."""
    with meet() as peer:
        assert isinstance(peer, ClientPeer)
        peer.offer(ticket.ticket)
        peer.bring("established")
        expect_resumed(peer, resumed)
        check_alive(scene, peer)


def _tickets(meet: Meet, scene: Scene) -> tuple[TicketReceived, ...]:
    """The tickets of a full session."""
    with meet() as peer:
        assert isinstance(peer, ClientPeer)
        peer.bring("established")
        check_alive(scene, peer)
        return peer.tickets


def _each_once(scene: Returning, stage: Stage) -> None:
    """Two tickets, for two sessions and no third."""
    with scene.meetings(stage) as meet:
        tickets = _tickets(meet, scene)
        if len(tickets) != TWO_TICKETS or len({each.ticket.psk for each in tickets}) != TWO_TICKETS:
            raise Failed(f"{len(tickets)} tickets", "two, by default")
        if (most := max(each.lifetime for each in tickets)) > scene.chosen.ticket_lifetime:
            raise Failed(f"a lifetime of {most} s", f"at most {scene.chosen.ticket_lifetime} s")
        for ticket in tickets:
            _meet(meet, ticket, True, scene)
        for ticket in tickets:
            _meet(meet, ticket, False, scene)


def _taken_before_the_answer(scene: Returning, stage: Stage) -> None:
    """A ticket is gone when ServerHello has come, even if the session goes no further."""
    with scene.meetings(stage) as meet:
        ticket = _tickets(meet, scene)[0]
        with meet() as peer:
            assert isinstance(peer, ClientPeer)
            peer.offer(ticket.ticket)
            peer.bring("wait_client_key")
            expect_resumed(peer, True)
        _meet(meet, ticket, False, scene)


def _not_taken_by_a_stranger(scene: Returning, stage: Stage) -> None:
    """Who only saw the identity cannot use the ticket up."""
    with scene.meetings(stage) as meet:
        ticket = _tickets(meet, scene)[0]
        with meet(Deviation("ClientHello", proved=rebinding(flip(0)))) as peer:
            assert isinstance(peer, ClientPeer)
            peer.offer(ticket.ticket)
            peer.bring("start")
            peer.send_client_hello()
            peer.expect_alert("decrypt_error", sealed=False)
        _meet(meet, ticket, True, scene)


def _expires(scene: Returning, stage: Stage) -> None:
    short = replace(scene, policy=replace(policy(scene.mode), ticket_lifetime=LIFETIME))
    with short.meetings(stage) as meet:
        ticket = _tickets(meet, short)[0]
        if ticket.lifetime != LIFETIME:
            raise Failed(f"a lifetime of {ticket.lifetime} s", f"{LIFETIME} s")
        time.sleep(LIFETIME + 0.1)
        _meet(meet, ticket, False, short)


def _suite_no_longer_offered(scene: Returning, stage: Stage) -> None:
    """The client offers all but the ticket's suite: a full handshake, in one that it offers."""
    chosen = _two_suites(scene.mode)
    without = Deviation("ClientHello", content=changing(suites=chosen.suites[1:]))
    with replace(scene, policy=chosen).play(stage, without) as peer:
        peer.bring("established")
        expect_resumed(peer, False)
        check_alive(scene, peer)


def _revoked(scene: Returning, stage: Stage) -> None:
    """A client whose key is no longer admitted does not come in by an old ticket either."""
    known_client = replace(scene, mutual=True, elsewhere=Revoking(scene.mode, "server", mutual=True))
    with known_client.play(stage) as peer:
        peer.bring("wait_client_key")
        expect_resumed(peer, False)
        peer.speak("wait_client_key")
        peer.expect_alert("access_denied", sealed=True)


def _identity(scene: Returning, stage: Stage) -> None:
    """The application reads the same pin as in a full session."""
    with replace(scene, mutual=True, alone=True).play(stage) as peer:
        peer.bring("established")
        expect_resumed(peer, True)
        application = known(peer.application)
        application.take()  # of the first session
        check_alive(scene, peer)
        pin = z85.encode(key("other", scene.chosen.signature).pin).decode()
        if (found := application.properties().get("User-Id")) != pin:
            raise Failed(f"User-Id {found}", pin)


def _without_psk(scene: Returning, stage: Stage) -> None:
    """A client that leaves the PSK out of the key schedule: the server cannot open `sealed_auth`."""
    with scene.play(stage) as peer:
        assert isinstance(peer, ClientPeer)
        peer.bring("start")
        peer.send_client_hello()
        message = peer.read_server_hello()
        peer.session = peer.session.but(psk=b"")
        peer.encapsulate(message)
        peer.send_client_key()
        expect_opaque_alert(peer)


_SERVER: dict[str, tuple[tuple[str, ...], str, Callable[[Returning, Stage], None]]] = {
    "each-once": (("RES-1", "RES-2", "RES-4"), "", _each_once),
    "taken-before-the-answer": (("RES-4",), "", _taken_before_the_answer),
    "not-taken-by-a-stranger": (("RES-9", "RES-4"), "", _not_taken_by_a_stranger),
    "expired": (("RES-2",), "", _expires),
    "suite-no-longer-offered": (("RES-5",), "", _suite_no_longer_offered),
    "revoked": (("RES-6", "CERT-4"), "access_denied", _revoked),
    "identity": (("RES-6", "PAT-5"), "", _identity),
    "without-psk": (("KS-3", "HS-9"), "decrypt_error", _without_psk),
}


def _adding(extension: Extension) -> Edit:
    return updating("extensions", lambda found: (*found, extension))


def rebinding(change: Callable[[bytes], bytes]) -> Edit:
    """An edit of the binder in a ClientHello whose ticket stands last."""

    def edit(hello: ClientHello) -> ClientHello:
        *others, last = hello.extensions
        offer: PreSharedKey = parse_structure("PreSharedKey", last.extension_data, "REG-10")
        changed = build(replace(offer, binder=change(offer.binder)))
        return replace(hello, extensions=(*others, replace(last, extension_data=changed)))

    return edit


EARLY = Extension(ExtensionType.EARLY_DATA, build(Empty()))


def _of_client(mode: str) -> Iterator[Fault]:
    """A ticket that is used wrongly."""
    for name, change in (
        ("flip0", flip(0)),
        ("flip-1", flip(-1)),
        ("zero", lambda binder: bytes(len(binder))),
        ("long", resized(64)),
    ):
        yield refused(f"binder-{name}", "RES-9", "ClientHello", proved=rebinding(change))
    unbound = changing(random=bytes(32))
    yield refused("random-unbound", "RES-9", "ClientHello", proved=unbound)
    turned = updating("extensions", lambda found: found[::-1])
    yield refused("not-last", "RES-8", "ClientHello", content=turned)
    yield refused("metadata", "RES-7", "ClientAuth", content=changing(metadata=OTHERS_METADATA))
    unasked = changing(certificate=b"\0" + key("other", policy(mode).signature).spki, signature=b"unasked")
    yield refused("certificate", "HS-10", "ClientAuth", content=unasked)
    yield refused("early-count-1", "HS-15", "ClientAuth", content=changing(early_count=1))


# ---------------------------------------------------------------------- the target is the client


def _of_tickets(mode: str) -> Iterator[Case]:
    """What a client does with the lifetime of a ticket."""
    for lifetime in (MAX_TICKET_LIFETIME + 1, 2**32 - 1):
        play = partial(_refused_ticket, Scene(mode, "client"), lifetime)
        yield Case(f"resumption/{mode}/client/lifetime-{lifetime}", ("RES-2",), play, "illegal_parameter")
    client = Returning(mode, "client")
    for lifetime, comes_back in ((MAX_TICKET_LIFETIME, True), (0, False)):
        play = partial(_comes_back, replace(client, issued=_lasting(lifetime)), comes_back)
        yield Case(f"resumption/{mode}/client/lifetime-{lifetime}", ("RES-2",), play)


def _refused_ticket(scene: Scene, lifetime: int, stage: Stage) -> None:
    with scene.play(stage, _lasting(lifetime)) as peer:
        assert isinstance(peer, ServerPeer)
        peer.bring("established")
        check_alive(scene, peer)
        peer.issue()
        peer.expect_alert("illegal_parameter", sealed=True)


def _of_server(chosen: Policy) -> Iterator[Fault]:
    """A server that takes the ticket and then says something else."""
    yield refused("other-suite", "RES-10", "ServerHello", content=changing(suite=chosen.suites[1]))
    yield refused("certificate", "RES-10", "ServerHello", content=changing(certificate=b"\0some certificate"))
    request = build(ClientAuthRequest(chosen.client_signatures))
    asking = _adding(Extension(ExtensionType.CLIENT_AUTH_REQUEST, request))
    yield refused("asks", "RES-10", "ServerHello", content=asking)
    for position in (0, -1):
        edit = updating("signature", flip(position))
        yield refused(f"proof-flip{position}", "RES-11", "ServerHello", signed=edit)
    for name, proof in (("empty", b""), ("zero", bytes(32))):
        yield refused(f"proof-{name}", "RES-11", "ServerHello", signed=changing(signature=proof))
    yield refused("kem-key-unproved", "RES-11", "ServerHello", signed=updating("kem_public_key", flip(0)))
    yield refused("metadata", "RES-12", "Finished", content=changing(metadata=OTHERS_METADATA))
    yield refused("early-unasked", "RES-13", "ServerHello", content=_adding(_answer(EarlyDataStatus.UNKNOWN)))


def _answer(status: EarlyDataStatus) -> Extension:
    return Extension(ExtensionType.EARLY_DATA, build(EarlyDataAnswer(status)))


def _of_answers() -> Iterator[Fault]:
    """Answers to what was not offered."""
    ticket = Extension(ExtensionType.PRE_SHARED_KEY, build(Empty()))
    yield refused("ticket-unoffered", "RES-13", "ServerHello", content=_adding(ticket))
    for status in EarlyDataStatus:
        edit = _adding(_answer(status))
        yield refused(f"early-{status.name.lower()}-unoffered", "RES-13", "ServerHello", content=edit)
