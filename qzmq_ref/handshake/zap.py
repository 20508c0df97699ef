"""Asking an authority about a client, and what its answer does (spec/zap.md; ZeroMQ RFC 27)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.outputs import Authorize, Ended
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.patterns import authorized_properties
from qzmq_ref.registries import AlertDescription

ALERTS: Mapping[int, tuple[AlertDescription, str]] = {
    300: (AlertDescription.USER_CANCELED, "ZAP-7"),
    400: (AlertDescription.ACCESS_DENIED, "ZAP-8"),
    500: (AlertDescription.INTERNAL_ERROR, "ZAP-9"),
}
"""What a client hears, by the status of its refusal."""


def asks_zap(session: Session, _: object) -> bool:
    """Guard of HS-80."""
    return session.authorizing


def ask_zap(session: Session, _: object) -> Session:
    """ZAP-3, ZAP-4: all that can be checked here has been."""
    spki = session.peer_key.spki if session.peer_key else b""
    properties = known(session.peer).metadata
    identity = next((each.value for each in properties if each.name == b"Identity"), b"")
    return session.emit(Authorize(spki, identity, session.peer_address))


def admit(session: Session, _: object) -> Session:
    """ZAP-5, ZAP-6: the peer is who ZAP says it is. Over raw nothing is told of a peer."""
    peer, decision = known(session.peer), known(session.decision)
    if session.configuration.socket_type:
        peer = replace(peer, metadata=authorized_properties(peer.metadata, decision.user_id, decision.metadata))
    return session.but(peer=peer, decision=None)


def refuse(session: Session, _: object) -> Session:
    """ZAP-7 to ZAP-9."""
    decision = known(session.decision)
    description, requirement = ALERTS[decision.status]
    alert = Alert(description, requirement, f"ZAP refused the client with status {decision.status}: {decision.text}")
    return session.but(pending_alert=description).emit(Ended("alert", alert))
