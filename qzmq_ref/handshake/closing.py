"""Actions, guard and sends that both roles share: delivery, alerts and close."""

from __future__ import annotations

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.messages import AlertBody, build, build_message
from qzmq_ref.handshake.outputs import Ended, Received, Send
from qzmq_ref.handshake.session import Session
from qzmq_ref.registries import AlertDescription, MessageType


def deliver(session: Session, octets: bytes) -> Session:
    """REC-12."""
    return session.emit(Received(octets))


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
