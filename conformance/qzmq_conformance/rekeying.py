"""The peer's steps of a generation change, made of the reference's pure functions (spec/rotation.md, Generation)."""

from __future__ import annotations

from qzmq_conformance.case import Failed
from qzmq_conformance.peer import Peer, describe
from qzmq_ref.handshake import rekey
from qzmq_ref.handshake.messages import KeyUpdate, KeyUpdateAck, KeyUpdateKind
from qzmq_ref.handshake.outputs import Install
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.registries import MessageType


def whole_generation(peer: Peer) -> bytes:
    """One generation change from the first message to the last; returns the key or ciphertext that the target drew."""
    if peer.session.configuration.role == "client":
        send_offer(peer)
        drawn = take_ack(peer)
    else:
        request(peer)
        drawn = take_offer(peer)
        send_ack(peer)
    send_empty(peer)
    expect_first_record(peer)
    return drawn


def request(peer: Peer) -> None:
    """Asks the target for an offer."""
    _send(peer, KeyUpdate(KeyUpdateKind.REQUEST, peer.session.generation + 1, b""))


def send_offer(peer: Peer) -> None:
    """A fresh key for the next generation, or what the deviation makes of it."""
    session = rekey.generate_offer(peer.session, None)
    offer = KeyUpdate(KeyUpdateKind.OFFER, session.generation + 1, known(session.kem_key).public_key)
    peer.session = session.but(offer=_send(peer, offer))


def take_ack(peer: Peer) -> bytes:
    """Checks the target's answer; from here on the peer sends and reads the next generation. Returns the ciphertext."""
    message: KeyUpdateAck = peer.read(MessageType.KEY_UPDATE_ACK)
    enter(peer, rekey.accept_ack(peer.session.but(outputs=()), message))
    return message.kem_ciphertext


def take_offer(peer: Peer) -> bytes:
    """Checks the target's offer and encapsulates to it. Returns the key."""
    peer.stage.need("rekey")
    message: KeyUpdate = peer.read(MessageType.KEY_UPDATE)
    entered = peer.session.but(epoch=str(peer.session.generation))  # a target keeps ROT-9, or its records do not open
    peer.session = rekey.accept_offer(entered, message)
    return message.body


def send_ack(peer: Peer) -> None:
    """Answers the offer; from here on the peer sends the next generation, and reads it when the target begins it."""
    session = peer.session
    _send(peer, KeyUpdateAck(session.generation + 1, session.kem_ciphertext))
    enter(peer, rekey.key_update_ack(session.but(outputs=())))


def send_empty(peer: Peer) -> None:
    """The first record of a generation."""
    peer.send_sealed(MessageType.DATA, b"")


def enter(peer: Peer, session: Session) -> None:
    """Uses the keys that the session wants installed."""
    for output in session.outputs:
        if isinstance(output, Install) and output.direction == "send":
            known(peer.sealer).install(output.secret, output.generation)
        elif isinstance(output, Install) and output.from_peers_choice:
            known(peer.reader).allow(output.secret, output.generation)
        elif isinstance(output, Install):
            known(peer.reader).install(output.secret, output.generation)
    peer.session = session.but(outputs=())


def expect_first_record(peer: Peer) -> None:
    """The target begins the generation at once, at step 0, with an empty record if it has nothing to say (ROT-14)."""
    octets = peer.read_data()
    expect_generation(peer, peer.session.generation)
    if octets:
        raise Failed(describe(MessageType.DATA, octets), "an empty record")


def expect_generation(peer: Peer, generation: int) -> None:
    """The target's last record was of step 0 of that generation."""
    if (epoch := known(peer.reader).epoch) != generation << 8:
        raise Failed(f"epoch 0x{epoch:04x}", f"0x{generation << 8:04x}")


def _send(peer: Peer, message: KeyUpdate | KeyUpdateAck) -> bytes:
    peer.stage.need("rekey")
    kind = MessageType.KEY_UPDATE if isinstance(message, KeyUpdate) else MessageType.KEY_UPDATE_ACK
    _, octets = peer.shape(message)
    peer.send_sealed(kind, octets)
    return octets
