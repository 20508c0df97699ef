"""A new generation by a fresh key exchange, of both roles (spec/rotation.md, Generation)."""

from __future__ import annotations

from dataclasses import replace

from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid
from qzmq_ref.crypto.kem import Kem, kem
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.keyschedule import GenerationSecrets
from qzmq_ref.handshake.messages import KeyUpdate, KeyUpdateAck, KeyUpdateKind, build
from qzmq_ref.handshake.outputs import Install, Rekeying, Send
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.registries import AlertDescription, KemId, MessageType

LAST_GENERATION = 255


def offer_is_open(session: Session, _: object) -> bool:
    """Guard of HS-47, HS-51 and HS-53."""
    return bool(session.offer)


def may_rekey(session: Session, _: object) -> bool:
    """Guard of HS-50 and HS-54 (ROT-9, ROT-11, ROT-16)."""
    return not session.offer and not session.requested and session.generation < LAST_GENERATION


def generate_offer(session: Session, _: object) -> Session:
    """ROT-13."""
    key = _kem(session).generate(session.entropy)
    return session.but(kem_key=key).emit(Rekeying(session.generation + 1, complete=False))


def key_offer(session: Session) -> Session:
    """ROT-9."""
    octets = build(KeyUpdate(KeyUpdateKind.OFFER, session.generation + 1, known(session.kem_key).public_key))
    return session.but(offer=octets).emit(Send(MessageType.KEY_UPDATE, octets))


def key_request(session: Session) -> Session:
    """ROT-11."""
    octets = build(KeyUpdate(KeyUpdateKind.REQUEST, session.generation + 1, b""))
    asked = Rekeying(session.generation + 1, complete=False)
    return session.but(requested=True).emit(asked, Send(MessageType.KEY_UPDATE, octets))


def accept_request(session: Session, message: KeyUpdate) -> Session:
    """ROT-7, ROT-8, ROT-10."""
    _check_kind(message, KeyUpdateKind.REQUEST)
    _check_generation(session, message)
    return session


def accept_offer(session: Session, message: KeyUpdate) -> Session:
    """ROT-7, ROT-8, ROT-9, ROT-12; the ciphertext goes out with `key_update_ack`."""
    _check_kind(message, KeyUpdateKind.OFFER)
    _check_generation(session, message)
    if session.epoch != str(session.generation):
        detail = f"an offer in a record of generation {session.epoch}, after the ack of {session.generation}"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ROT-9", detail)
    try:
        ciphertext, secret = _kem(session).encapsulate(message.body, session.entropy)
    except Invalid as error:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ROT-12", f"KeyUpdate.kem_public_key: {error}") from None
    ack = build(KeyUpdateAck(session.generation + 1, ciphertext))
    fresh = _next_generation(session, secret, offer=session.received[1:], ack=ack)
    return session.but(kem_ciphertext=ciphertext, generation_secrets=fresh)


def key_update_ack(session: Session) -> Session:
    """The answer under the old keys, then the new ones: this side's at once, the peer's when it uses them (ROT-14)."""
    fresh = known(session.generation_secrets)
    ack = build(KeyUpdateAck(session.generation + 1, session.kem_ciphertext))
    session = _enter(session.emit(Send(MessageType.KEY_UPDATE_ACK, ack)), fresh)
    return session.emit(
        Install("send", session.generation, fresh.s_ap),
        Install("receive", session.generation, fresh.c_ap, from_peers_choice=True),
    )


def accept_ack(session: Session, message: KeyUpdateAck) -> Session:
    """ROT-8, ROT-13, ROT-14."""
    _check_generation(session, message)
    try:
        secret = known(session.kem_key).decapsulate(message.kem_ciphertext)
    except Invalid as error:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ROT-13", f"KeyUpdateAck.kem_ciphertext: {error}") from None
    fresh = _next_generation(session, secret, offer=session.offer, ack=session.received[1:])
    session = _enter(session, fresh)
    return session.emit(
        Install("receive", session.generation, fresh.s_ap), Install("send", session.generation, fresh.c_ap)
    )


def empty_data(session: Session) -> Session:
    """The new generation's first record, though there is nothing to say (ROT-14)."""
    return session.emit(Send(MessageType.DATA, b""))


def _enter(session: Session, fresh: GenerationSecrets) -> Session:
    """Generation g + 1 begins; what only the exchange needed is dropped (KS-8)."""
    kept = replace(fresh, c_ap=b"", s_ap=b"")
    session = session.but(generation=session.generation + 1, generation_secrets=kept, kem_key=None)
    session = session.but(kem_ciphertext=b"", offer=b"", requested=False)
    return session.emit(Rekeying(session.generation, complete=True))


def _next_generation(session: Session, kem_secret: bytes, *, offer: bytes, ack: bytes) -> GenerationSecrets:
    exchange = bytes([MessageType.KEY_UPDATE]) + offer + bytes([MessageType.KEY_UPDATE_ACK]) + ack
    return keyschedule.next_generation(session.hash, known(session.generation_secrets), kem_secret, exchange)


def _kem(session: Session) -> Kem:
    return kem(KemId(session.chosen.kem), session.configuration.provider)


def _check_kind(message: KeyUpdate, expected: KeyUpdateKind) -> None:
    if message.kind is not expected:
        detail = f"KeyUpdate.kind is {message.kind.name.lower()}"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ROT-7", detail)


def _check_generation(session: Session, message: KeyUpdate | KeyUpdateAck) -> None:
    """In generation 255 nothing passes: there is no 256 (ROT-16)."""
    if message.generation != session.generation + 1:
        detail = f"generation {message.generation} asked for in generation {session.generation}"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ROT-8", detail)
