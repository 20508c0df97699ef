"""Area `records`: header, order, epoch, protection, length and padding of records on an established session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from qzmq_conformance.case import MODES, Case, once
from qzmq_conformance.fault import beginning, flip, resized
from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.session import known
from qzmq_ref.records import HEADER, MAX_STEP, OVERHEAD, PADDED, STREAMS
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import requirements, tables

Forge = Callable[[Peer, Sealer], bytes]
"""Makes the one message that ends the session, in place of the honest next record."""

GENERATION_1 = 0x0100
CLOSE_NOTIFY = bytes([AlertDescription.CLOSE_NOTIFY])


@dataclass(frozen=True)
class Attack:
    """A wrong record, the rule it breaks, and that rule's alert."""

    name: str
    requirement: str
    alert: str
    forge: Forge


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        yield from _of_mode(mode, attacks)
    yield from once(partial(_of_mode, attacks_of=_sealed_headers))


def _of_mode(mode: str, attacks_of: Callable[[int], Iterator[Attack]]) -> Iterator[Case]:
    """These attacks on either role, each on the first record behind an honest exchange."""
    for role in ROLES:
        for attack in attacks_of(2 if role == "client" else 1):
            label, play = f"records/{mode}/{role}/{attack.name}", partial(_attack, Scene(mode, role), attack)
            yield Case(label, (attack.requirement,), play, attack.alert)


def attacks(seq: int) -> Iterator[Attack]:
    """Wrong records in place of number `seq`."""
    yield from _altered_headers(seq)
    yield from _alerts()
    yield from _order()
    yield from _epochs()
    yield from _protection()
    yield from _lengths()
    yield from _padding()


def _attack(scene: Scene, attack: Attack, stage: Stage) -> None:
    """An honest exchange, then the wrong record: the alert, the end, and nothing of it reached the application."""
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)
        peer.send_message(attack.forge(peer, known(peer.sealer)))
        peer.expect_alert(attack.alert, sealed=True)


def broken(name: str, requirement: str, forge: Forge, alert: str = "") -> Attack:
    """An attack whose alert is the one its requirement names first, or the given one."""
    return Attack(name, requirement, alert or requirements()[requirement].alerts[0], forge)


def payload(peer: Peer) -> bytes:
    """Application octets that must not arrive."""
    return frame(peer.stage.token)


def honest(peer: Peer, sealing: Sealer) -> bytes:
    """The record that would be right."""
    return sealing.seal(MessageType.DATA, payload(peer))


def altered(change: Callable[[bytes], bytes]) -> Forge:
    """The right record, changed after it was sealed."""
    return lambda peer, sealing: change(honest(peer, sealing))


def sealed(**header: int) -> Forge:
    """A record sealed with other fields in its header, validly under the current key."""
    return lambda peer, sealing: sealing.seal(MessageType.DATA, payload(peer), **header)


def first_broken_rule(header: bytes, seq: int) -> str:
    """The requirement that a receiver finds broken first, in the order of spec/records.md, if the epoch is step 0 of
    generation 1 and the tag is wrong for this header."""
    kind, flags, epoch, stream_id, number = HEADER.unpack(header)
    protection = {MessageType[row["Type"].upper()]: row["Protection"] for row in tables()["messages"]}
    if kind not in protection:
        return "REG-1"
    if protection[kind] == "plain":
        return "HS-18"
    if flags and (flags != PADDED or kind != MessageType.DATA):
        return "REC-4"
    if stream_id != STREAMS[kind]:
        return "REC-5"
    if number != seq:
        return "REC-6"
    return "REC-8" if epoch in (GENERATION_1, GENERATION_1 + 1) else "REC-7"


def _inverted(seq: int, *, every: int = 1) -> Iterator[tuple[str, bytes]]:
    """The header of record `seq` with one bit inverted, for one bit in `every`: where, and the octets."""
    right = HEADER.pack(MessageType.DATA, 0, GENERATION_1, 1, seq)
    for bit in range(0, 8 * HEADER.size, every):
        changed = (int.from_bytes(right) ^ 1 << bit).to_bytes(HEADER.size)
        yield f"octet-{HEADER.size - 1 - bit // 8}-bit-{bit % 8}", changed


def _altered_headers(seq: int) -> Iterator[Attack]:
    """A bit of every octet of the header, inverted after the record was sealed."""
    for place, changed in _inverted(seq, every=8):
        yield broken(f"header/altered/{place}", first_broken_rule(changed, seq), altered(beginning(changed)))


def _sealed_headers(seq: int) -> Iterator[Attack]:
    """Every bit of the header, inverted before: what a header says, every mode refuses for the same reason."""
    for place, changed in _inverted(seq):
        kind, flags, epoch, stream_id, number = HEADER.unpack(changed)
        if flags != PADDED:  # a padded record is legal; its padding has cases of its own
            forge = _sealed_as(kind, flags=flags, epoch=epoch, stream_id=stream_id, seq=number)
            yield broken(f"header/sealed/{place}", first_broken_rule(changed, seq), forge)


def _alerts() -> Iterator[Attack]:
    """What only `data` may have, on an alert: padding, well formed, and the stream."""
    alert, padded, stream = MessageType.SEALED_ALERT, CLOSE_NOTIFY + bytes(2), STREAMS[MessageType.DATA]
    yield broken("header/padded-alert", "REC-4", lambda _, sealing: sealing.seal(alert, padded, flags=PADDED))
    yield broken(
        "header/alert-of-data", "REC-5", lambda _, sealing: sealing.seal(alert, CLOSE_NOTIFY, stream_id=stream)
    )


def _sealed_as(kind: int, **header: int) -> Forge:
    return lambda peer, sealing: sealing.seal(kind, payload(peer), **header)


def _order() -> Iterator[Attack]:
    """Repeated, skipped, early, wrapped."""

    def relative(distance: int) -> Forge:
        return lambda peer, sealing: sealing.seal(MessageType.DATA, payload(peer), seq=sealing.seq + distance)

    yield broken("order/replay", "REC-6", relative(-1))
    yield broken("order/gap", "REC-6", relative(1))
    yield broken("order/far", "REC-6", relative(2**32))
    yield broken("order/first-again", "REC-10", sealed(seq=0))
    yield broken("order/largest", "REC-10", sealed(seq=2**64 - 1))


def _epochs() -> Iterator[Attack]:
    """Epochs that are neither the current one nor the next step."""
    for epoch in (0x0000, 0x0001, 0x00FF, 0x0102, 0x01FF, 0x0200, 0x0201, 0xFFFF):
        yield broken(f"epoch/0x{epoch:04x}", "REC-7", sealed(epoch=epoch))
    yield broken("epoch/next-step-old-key", "ROT-5", sealed(epoch=GENERATION_1 + 1))
    yield broken("epoch/two-steps", "ROT-2", _stepped(2, honest))
    yield broken("epoch/back", "ROT-4", _step_and_back)
    yield broken("epoch/after-the-last-step", "ROT-6", _after_the_last_step)
    yield broken("epoch/next-step-forged", "ROT-5", _stepped(1, altered(flip(-1))))


def _stepped(steps: int, forge: Forge) -> Forge:
    def stepped(peer: Peer, sealing: Sealer) -> bytes:
        for _ in range(steps):
            sealing.step()
        return forge(peer, sealing)

    return stepped


def _step_and_back(peer: Peer, sealing: Sealer) -> bytes:
    """A legal step, then a record of the step before."""
    old = sealing.key
    sealing.step()
    peer.send_message(sealing.seal(MessageType.DATA, b""))
    sealing.key = old
    return honest(peer, sealing)


def _after_the_last_step(peer: Peer, sealing: Sealer) -> bytes:
    """Every legal step, then the epoch that counting on would give."""
    peer.leaves_updates = True
    while sealing.key.epoch & 0xFF < MAX_STEP:
        sealing.step()
        peer.send_message(sealing.seal(MessageType.DATA, b""))
    return sealing.seal(MessageType.DATA, payload(peer), epoch=sealing.key.epoch + 1)


def _protection() -> Iterator[Attack]:
    """Ciphertext, tag, key, nonce and AAD."""
    for position in (16, 30, *range(-16, 0)):
        yield broken(f"protection/flip{position}", "REC-8", altered(flip(position)))
    yield broken("protection/plaintext", "REC-9", _in_the_clear)
    yield broken("protection/stranger", "REC-8", _by_a_stranger)
    yield broken("protection/reflected", "KS-1", _reflected, alert="bad_record_mac")
    yield broken("protection/no-aad", "REC-8", _without_aad)
    yield broken("protection/nonce", "REC-8", _other_nonce)


def _with_key(peer: Peer, sealing: Sealer, secret: bytes) -> Sealer:
    """The same place in the sequence, under another secret."""
    other = sealer(peer.session.chosen, secret, 1)
    other.seq = sealing.seq
    return other


def _by_a_stranger(peer: Peer, sealing: Sealer) -> bytes:
    return honest(peer, _with_key(peer, sealing, peer.session.entropy(32)))


def _reflected(peer: Peer, sealing: Sealer) -> bytes:
    """Sealed under the key of the other direction: no key serves both (property 12)."""
    generation = known(peer.generation)
    secret = generation.s_ap if peer.session.configuration.role == "client" else generation.c_ap
    return honest(peer, _with_key(peer, sealing, secret))


def _header(sealing: Sealer) -> bytes:
    return HEADER.pack(MessageType.DATA, 0, sealing.key.epoch, 1, sealing.seq)


def _in_the_clear(peer: Peer, sealing: Sealer) -> bytes:
    return _header(sealing) + payload(peer) + bytes(16)


def _without_aad(peer: Peer, sealing: Sealer) -> bytes:
    return _header(sealing) + sealing.key.aead.seal(sealing.key.nonce(1, sealing.seq), payload(peer), b"")


def _other_nonce(peer: Peer, sealing: Sealer) -> bytes:
    """The stream_id left out of the nonce."""
    header = _header(sealing)
    return header + sealing.key.aead.seal(sealing.key.nonce(0, sealing.seq), payload(peer), header)


def _lengths() -> Iterator[Attack]:
    """Too short for header and tag; cut or grown after it was sealed."""
    for size in (1, 2, 15, 16, 17, OVERHEAD - 1):
        yield broken(f"length/{size}", "REC-2", altered(resized(size)))
    yield broken("length/cut", "REC-8", altered(lambda octets: octets[:-1]))
    yield broken("length/grown", "REC-8", altered(lambda octets: octets + b"\0"))


def _padding() -> Iterator[Attack]:
    """Plaintexts that are not octets || zeros || n (REC-13)."""
    plaintexts = {
        "empty": b"",
        "one-octet": b"\0",
        "n-too-large": b"\0\0" + (3).to_bytes(2),
        "n-largest": bytes(100) + b"\xff\xff",
        "first-not-zero": b"octets" + b"\1" + bytes(9) + (10).to_bytes(2),
        "last-not-zero": b"octets" + bytes(9) + b"\1" + (10).to_bytes(2),
    }
    for name, plaintext in plaintexts.items():
        yield broken(f"padding/{name}", "REC-13", _padded(plaintext))


def _padded(plaintext: bytes) -> Forge:
    return lambda _, sealing: sealing.seal(MessageType.DATA, plaintext, flags=PADDED)
