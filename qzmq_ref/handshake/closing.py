"""Actions, guard and sends that both roles share: delivery, metadata, alerts and close."""

from __future__ import annotations

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.messages import AlertBody, ClientKey, Finished, build, build_message
from qzmq_ref.handshake.session import Deliver, Ended, Peer, Send, Session, known
from qzmq_ref.patterns import accept_properties, added_properties, check_identity_is_pin
from qzmq_ref.registries import AlertDescription, MessageType


def accept_metadata(session: Session, message: ClientKey | Finished) -> Session:
    """The peer's metadata, checked, filtered and extended, makes the `Peer` (PAT-1 to PAT-10)."""
    octets = message.metadata if isinstance(message, Finished) else known(session.client_auth).metadata
    pin = session.peer_key.pin if session.peer_key else None
    configuration = session.configuration
    properties = accept_properties(octets, configuration.socket_type)
    if configuration.policy.identity_is_pin:
        check_identity_is_pin(properties, pin)
    if configuration.socket_type:
        properties += added_properties(pin, session.chosen, session.peer_address)
    return session.but(peer=Peer(pin, session.chosen, properties))


def deliver(session: Session, octets: bytes) -> Session:
    """REC-12."""
    return session.emit(Deliver(octets))


def is_close_notify(_: Session, message: AlertBody) -> bool:
    """Guard of HS-41."""
    return message.description == AlertDescription.CLOSE_NOTIFY


def end_by_alert(session: Session, message: AlertBody) -> Session:
    """The peer gave up; nothing is answered (ALR-4). Only a sealed alert is the peer's own word (ALR-5)."""
    authenticated = session.received[:1] == bytes([MessageType.SEALED_ALERT])
    alert = Alert(message.description, "ALR-4", "the peer ended the session with this alert")
    return session.emit(Ended("peer_alert", alert, authenticated))


def end_by_close(session: Session, _: AlertBody) -> Session:
    """CLS-2, CLS-3."""
    return session.emit(Ended("closed", authenticated=True))


def notify_close(session: Session, _: object) -> Session:
    """CLS-1."""
    return session.but(pending_alert=AlertDescription.CLOSE_NOTIFY)


def cancel(session: Session, _: object) -> Session:
    """CLS-5."""
    return session.but(pending_alert=AlertDescription.USER_CANCELED).emit(Ended("canceled"))


def alert(session: Session) -> Session:
    """The pending alert in the clear (ALR-1)."""
    return session.emit(Send(MessageType.ALERT, build_message(MessageType.ALERT, AlertBody(session.pending_alert))))


def sealed_alert(session: Session) -> Session:
    """The pending alert as a record (ALR-2)."""
    return session.emit(Send(MessageType.SEALED_ALERT, build(AlertBody(session.pending_alert))))
