"""Coming back with a ticket: offering, taking, proving and issuing (spec/resumption.md)."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto.hash import HashFunction, hash_function
from qzmq_ref.crypto.signature import PublicKey
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.certificates import not_after, trusted_client, trusted_server
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.extensions import listed_extensions
from qzmq_ref.handshake.messages import (
    ClientHello,
    EarlyDataStatus,
    Empty,
    NewTicket,
    PreSharedKey,
    ServerHello,
    build,
    build_message,
)
from qzmq_ref.handshake.outputs import EarlyAnswered, EarlyReceived, ReceiveEarly, Send, SendEarly, TicketReceived
from qzmq_ref.handshake.peers import peer_of
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.handshake.tickets import MAX_EARLY_OCTETS, MAX_EARLY_RECORDS, ClientTicket, ServerTicket
from qzmq_ref.policy import MAX_TICKET_LIFETIME
from qzmq_ref.registries import AlertDescription, Extension, ExtensionType, MessageType

_EARLY: Mapping[EarlyDataStatus, Literal["accepted", "rejected", "undetermined"]] = {
    EarlyDataStatus.ACCEPTED: "accepted",
    EarlyDataStatus.REJECTED: "rejected",
    EarlyDataStatus.UNKNOWN: "undetermined",
}

IDENTITY = 32
NONCE = 8


# ---------------------------------------------------------------------- client


def offerable(configuration: Configuration, ticket: ClientTicket) -> bool:
    """Whether a client may offer this ticket now: same key and metadata (RES-7), a server it still trusts (RES-6)."""
    key = configuration.key
    try:
        trusted_server(configuration, ticket.server_certificate, ticket.suite.sig)
    except Alert:
        return False
    return (
        ticket.suite in configuration.policy.suites
        and ticket.client_pin == (key.pin if key else None)
        and ticket.client_metadata == configuration.metadata_octets
    )


def check_ticket(configuration: Configuration, ticket: ClientTicket | None, early_data: bytes) -> None:
    """RES-6, RES-7, RES-14 as a client keeps them."""
    if ticket and not offerable(configuration, ticket):
        raise LocalError("RES-7: the ticket is of another server, key or metadata: connect without it")
    if early_data and not configuration.policy.early_data:
        raise LocalError("RES-14: the policy does not allow early data; set early_data=True if replays are harmless")
    room = min(ticket.early_octets, MAX_EARLY_OCTETS) if ticket else 0
    if len(early_data) > room:
        raise LocalError(f"RES-14: {len(early_data)} octets of early data, {room} allowed: send the rest later")


def offer_ticket(session: Session, hello: ClientHello) -> ClientHello:
    """The hello with early_data, if there are octets, and the ticket last, its binder still zero (RES-8, RES-14)."""
    ticket = session.offered
    if ticket is None:
        return hello
    early = (Extension(ExtensionType.EARLY_DATA, build(Empty())),) if session.early else ()
    key = PreSharedKey(ticket.identity, bytes(hash_function(ticket.suite.hash).length))
    return replace(hello, extensions=(*hello.extensions, *early, Extension(ExtensionType.PRE_SHARED_KEY, build(key))))


def bound(session: Session, hello: ClientHello) -> bytes:
    """The octets of a ClientHello, its binder computed if it offers a ticket (RES-9)."""
    octets = build_message(MessageType.CLIENT_HELLO, hello)
    if session.offered is None:
        return octets
    h = hash_function(session.offered.suite.hash)
    covered = session.prologue + octets[: -h.length - 1]
    return octets[: -h.length] + keyschedule.psk_mac(h, session.offered.psk, "binder_key", covered)


def send_early(session: Session) -> Session:
    """The early octets as one record, right behind ClientHello (RES-14)."""
    if not session.early:
        return session
    ticket = known(session.offered)
    h = hash_function(ticket.suite.hash)
    secret = early_traffic(h, ticket.psk, session)
    return session.but(early_records=1).emit(SendEarly(ticket.suite, secret, session.early))


def early_traffic(h: HashFunction, psk: bytes, session: Session) -> bytes:
    """c_early, over prologue || ClientHello."""
    transcript = h.digest(session.prologue + session.client_hello)
    return keyschedule.expand(h, keyschedule.early_secret(h, psk), "c_early", transcript)


def accept_resumption(session: Session, message: ServerHello, extensions: Mapping[int, Any]) -> Session:
    """What ServerHello says of the ticket and of early data (RES-10, RES-13, RES-15, RES-18)."""
    offered, early = session.offered, bool(session.early)
    resumed, answer = ExtensionType.PRE_SHARED_KEY in extensions, extensions.get(ExtensionType.EARLY_DATA)
    if (resumed and offered is None) or (answer and not early):
        detail = "ServerHello answers a ticket or early data that was not offered"
        raise Alert(AlertDescription.UNSUPPORTED_EXTENSION, "RES-13", detail)
    if answer and not resumed and answer.status is not EarlyDataStatus.UNKNOWN:
        detail = f"early data is {answer.status.name.lower()} without the ticket"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "RES-15", detail)
    if early:
        session = session.but(early=b"").emit(EarlyAnswered(_EARLY[answer.status] if answer else "undetermined"))
    if not resumed:
        return session
    ticket = known(offered)
    if message.suite != ticket.suite or message.certificate or ExtensionType.CLIENT_AUTH_REQUEST in extensions:
        detail = "ServerHello resumes with another suite, a certificate or client_auth_request"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "RES-10", detail)
    return session.but(resumed=True, psk=ticket.psk, peer_metadata=ticket.server_metadata)


def accept_ticket(session: Session, message: NewTicket) -> Session:
    """RES-1, RES-2: the ticket goes to whoever keeps tickets."""
    if message.lifetime > MAX_TICKET_LIFETIME:
        detail = f"NewTicket.lifetime is {message.lifetime} s"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "RES-2", detail)
    configuration = session.configuration
    ticket = ClientTicket(
        identity=message.identity,
        psk=ticket_psk(session, message.nonce),
        suite=session.chosen,
        server_certificate=session.peer_certificate,
        server_metadata=session.peer_metadata,
        client_metadata=configuration.metadata_octets,
        client_pin=configuration.key.pin if configuration.key else None,
        early_octets=min(message.early_octets, MAX_EARLY_OCTETS),
    )
    return session.emit(TicketReceived(ticket, message.lifetime))


def ticket_psk(session: Session, nonce: bytes) -> bytes:
    """PSK = Expand-Label(res_g, "ticket", nonce), by both sides."""
    return keyschedule.expand(session.hash, known(session.generation_secrets).res, "psk", nonce)


# ---------------------------------------------------------------------- server


def resume(session: Session, message: ClientHello) -> Session:
    """Take the ticket that the client offers, if it still holds; else go on with a full handshake (RES-4 to RES-9)."""
    extensions = listed_extensions(message.extensions, MessageType.CLIENT_HELLO)
    early, key = ExtensionType.EARLY_DATA in extensions, extensions.get(ExtensionType.PRE_SHARED_KEY)
    if key is None:
        if early:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER, "RES-19", "early_data without pre_shared_key")
        return session
    if message.extensions[-1].extension_type != ExtensionType.PRE_SHARED_KEY:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "RES-8", "pre_shared_key is not the last extension")
    session = session.but(early_status=EarlyDataStatus.UNKNOWN if early else None)
    held = _held_ticket(session.configuration, message, key.identity)
    if held is None or (session.authorizing and held.key is None):  # ZAP-10
        return session
    _check_binder(session, held.ticket, key.binder)
    if not known(session.configuration.tickets).take(key.identity):
        return session
    return _resumed(session, held, early=early)


@dataclass(frozen=True)
class _Held:
    """A ticket that holds, and the key of its client, None for an anonymous one."""

    ticket: ServerTicket
    key: PublicKey | None


def _held_ticket(configuration: Configuration, hello: ClientHello, identity: bytes) -> _Held | None:
    """The ticket, if this listener as it is now would accept it (RES-5, RES-6)."""
    ticket = configuration.tickets.peek(identity) if configuration.tickets else None
    if ticket is None or ticket.digest != configuration.digest or ticket.suite not in hello.suites:
        return None
    if not ticket.client_certificate:
        return None if configuration.asks_clients else _Held(ticket, None)
    try:
        return _Held(ticket, trusted_client(configuration, ticket.client_certificate))
    except Alert:
        return None


def _check_binder(session: Session, ticket: ServerTicket, binder: bytes) -> None:
    """RES-9."""
    h = hash_function(ticket.suite.hash)
    covered = session.prologue + session.received[: -len(binder) - 1]
    if not hmac.compare_digest(binder, keyschedule.psk_mac(h, ticket.psk, "binder_key", covered)):
        raise Alert(AlertDescription.DECRYPT_ERROR, "RES-9", "PreSharedKey.binder does not match")


def _resumed(session: Session, held: _Held, *, early: bool) -> Session:
    """The session as the ticket makes it; from here on nobody else can use the ticket."""
    ticket = held.ticket
    session = session.but(
        resumed=True,
        client_hello=session.received,
        suite=ticket.suite,
        psk=ticket.psk,
        peer_key=held.key,
        peer_certificate=ticket.client_certificate,
        peer_metadata=ticket.client_metadata,
        authenticated_at=ticket.authenticated_at,
    )
    if not early:
        return session
    if session.authorizing or not (session.configuration.policy.early_data and ticket.early_octets):  # ZAP-10
        return session.but(early_status=EarlyDataStatus.REJECTED)
    session = session.but(early_status=EarlyDataStatus.ACCEPTED, peer=peer_of(session, ticket.client_metadata))
    return session.emit(ReceiveEarly(ticket.suite, early_traffic(session.hash, ticket.psk, session)))


def new_tickets(session: Session) -> Session:
    """RES-1, RES-2, CERT-18: none without a store, or once the last signatures or a certificate are too old, and one
    for the one that a resumed session has used."""
    configuration = session.configuration
    store, policy = configuration.tickets, configuration.policy
    if store is None:
        return session
    now = store.now()
    signed = session.authenticated_at or now
    ends = min(signed + MAX_TICKET_LIFETIME, not_after(configuration, session.peer_certificate))
    lifetime = int(min(policy.ticket_lifetime, ends - now))
    if lifetime <= 0:
        return session
    early_octets = MAX_EARLY_OCTETS if policy.early_data else 0
    session = session.but(authenticated_at=signed, issued=())
    for _ in range(min(policy.tickets, 1) if session.resumed and session.generation == 1 else policy.tickets):
        nonce, identity = session.entropy(NONCE), session.entropy(IDENTITY)
        ticket = ServerTicket(
            psk=ticket_psk(session, nonce),
            suite=session.chosen,
            client_certificate=session.peer_certificate,
            client_metadata=session.peer_metadata,
            digest=configuration.digest,
            authenticated_at=signed,
            expires_at=now + lifetime,
            early_octets=early_octets,
        )
        store.put(identity, ticket)
        message = build(NewTicket(lifetime, early_octets, nonce, identity))
        session = session.but(issued=(*session.issued, identity)).emit(Send(MessageType.NEW_TICKET, message))
    return session


def discard_tickets(session: Session, _: object) -> Session:
    """RES-3: this session's tickets are of a generation that is over."""
    if session.configuration.tickets:
        session.configuration.tickets.discard(session.issued)
    return session.but(issued=())


# ---------------------------------------------------------------------- early data, server


def early_is_accepted(session: Session, _: object) -> bool:
    """Guard of HS-70."""
    return session.early_status is EarlyDataStatus.ACCEPTED


def early_was_announced(session: Session, _: object) -> bool:
    """Guard of HS-71 and HS-72."""
    return session.early_status is not None


def deliver_early(session: Session, octets: bytes) -> Session:
    """RES-14, RES-16."""
    return discard_early(session, octets).emit(EarlyReceived(known(session.peer), octets))


def discard_early(session: Session, octets: bytes) -> Session:
    """Count an early record, opened or not (RES-14, RES-17)."""
    records, total = session.early_records + 1, session.early_octets + len(octets)
    if records > MAX_EARLY_RECORDS or total > MAX_EARLY_OCTETS:
        detail = f"{total} octets of early data in {records} records"
        raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "RES-14", detail)
    return session.but(early_records=records, early_octets=total)
