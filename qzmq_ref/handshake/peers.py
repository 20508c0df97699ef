"""Metadata in, `Peer` out, for both roles (spec/patterns.md)."""

from __future__ import annotations

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.messages import ClientKey, Finished
from qzmq_ref.handshake.outputs import Peer
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.patterns import accept_properties, added_properties, check_identity_is_pin
from qzmq_ref.registries import AlertDescription


def accept_metadata(session: Session, message: ClientKey | Finished) -> Session:
    """The peer's metadata, the ticket's if the session is resumed (RES-7, RES-12), makes the `Peer`."""
    requirement, octets = (
        ("RES-12", message.metadata)
        if isinstance(message, Finished)
        else ("RES-7", known(session.client_auth).metadata)
    )
    if session.resumed and octets != session.peer_metadata:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, requirement, "metadata is not what the ticket is bound to")
    return session.but(peer=peer_of(session, octets), peer_metadata=octets)


def peer_of(session: Session, octets: bytes) -> Peer:
    """The peer with these metadata octets, checked, filtered and extended (PAT-1 to PAT-10)."""
    pin = session.peer_key.pin if session.peer_key else None
    configuration = session.configuration
    properties = accept_properties(octets, configuration.socket_type)
    if configuration.policy.identity_is_pin:
        check_identity_is_pin(properties, pin)
    if configuration.socket_type:
        properties += added_properties(pin, session.chosen, session.peer_address)
    return Peer(pin, session.chosen, properties, session.resumed)
