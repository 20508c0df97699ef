"""Area `records`, the other half: records that are legal however unusual, and what the target's own records must be."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed, once
from qzmq_conformance.keys import policy
from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref.handshake.session import known
from qzmq_ref.policy import MAX_RECORD, Limits, Policy
from qzmq_ref.records import HEADER, MAX_STEP, OVERHEAD, PADDED
from qzmq_ref.registries import AeadId, MessageType

Play = Callable[[Scene, Peer], None]
FIRST_EPOCH = 0x0100
DATA = MessageType.DATA
SHORT = 0.3  # seconds that a key may be used, where a policy is in haste


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        for role in ROLES:
            scene, prefix = Scene(mode, role), f"records/{mode}/{role}"
            for name, (requirement, play) in _RECEIVING.items():
                yield Case(f"{prefix}/legal/{name}", (requirement,), partial(_play, scene, play))
            for name, (requirement, change, play) in _SENDING.items():
                own = replace(scene, policy=change(replace(policy(mode), tickets=0)))  # whose records would count too
                yield Case(f"{prefix}/sending/{name}", (requirement,), partial(_play, own, play))
    yield from once(_last_steps)


def _last_steps(mode: str) -> Iterator[Case]:
    for role in ROLES:
        short = Scene(mode, role, policy=_limited(step_records=1)(policy(mode)))
        yield Case(f"records/{mode}/{role}/sending/closes-at-the-last-step", ("ROT-6",), partial(_used_up, short))


def _play(scene: Scene, play: Play, stage: Stage) -> None:
    """The unusual records, after which the session must still be alive."""
    with scene.play(stage) as peer:
        peer.bring("established")
        play(scene, peer)
        check_alive(scene, peer)


def _used_up(scene: Scene, stage: Stage) -> None:
    """With a record a step, that of the last step says close_notify. The target may ask for a generation before."""
    with scene.play(stage) as peer:
        peer.bring("established")
        kind, body = int(DATA), b""
        for _ in range(MAX_STEP + 3):
            if kind == DATA:
                peer.send_sealed(DATA, frame(token()))
            kind, body = peer.read_message()
            if kind == MessageType.SEALED_ALERT:
                break
        epoch = known(peer.reader).epoch
        if (kind, body, epoch) != (MessageType.SEALED_ALERT, b"\0", FIRST_EPOCH + MAX_STEP):
            raise Failed(f"message type {kind} {body[:32].hex()} in epoch 0x{epoch:04x}", "close_notify at step 255")


def _expect_echo(peer: Peer, octets: bytes) -> None:
    """The application returns exactly these octets."""
    received = b""
    while len(received) < len(octets):
        received += peer.read_data()
    if received != octets:
        raise Failed(f"the application's answer {received[:64].hex()}", octets[:64].hex())


def _empty(_: Scene, peer: Peer) -> None:
    for _times in range(3):
        peer.send_sealed(DATA, b"")


def _single_octets(_: Scene, peer: Peer) -> None:
    octets = frame(token())
    for position in range(len(octets)):
        peer.send_sealed(DATA, octets[position : position + 1])
    _expect_echo(peer, octets)


def _many_in_one(_: Scene, peer: Peer) -> None:
    octets = frame(token()) + frame(b"") + frame(token())
    peer.send_sealed(DATA, octets)
    _expect_echo(peer, octets)


def _largest(_: Scene, peer: Peer) -> None:
    octets = frame(token() + bytes(MAX_RECORD - 9 - 37))
    assert len(octets) == MAX_RECORD
    peer.send_sealed(DATA, octets)
    _expect_echo(peer, octets)


def _messages(sizes: tuple[int, ...]) -> Play:
    """Messages of the application, of so many octets each, whose answers fill a record or begin another one."""

    def play(_: Scene, peer: Peer) -> None:
        for size in sizes:
            octets = frame(token().ljust(size, b"."))
            peer.send_sealed(DATA, octets)
            _expect_echo(peer, octets)

    return play


def _padded(lengths: tuple[int, ...]) -> Play:
    def play(_: Scene, peer: Peer) -> None:
        for length in lengths:
            octets = frame(token())
            peer.send_sealed(DATA, octets + bytes(length) + length.to_bytes(2), flags=PADDED)
            _expect_echo(peer, octets)

    return play


def _padding_only(_: Scene, peer: Peer) -> None:
    for length in (0, 1, 1000):
        peer.send_sealed(DATA, bytes(length) + length.to_bytes(2), flags=PADDED)


def _steps(count: int) -> Play:
    """Steps of the peer alone; the target's direction stays where it is (ROT-3)."""

    def play(scene: Scene, peer: Peer) -> None:
        peer.leaves_updates = True
        for _ in range(count):
            known(peer.sealer).step()
            peer.send_sealed(DATA, b"")
        check_alive(scene, peer)
        if known(peer.reader).epoch != FIRST_EPOCH:
            raise Failed(f"the target's epoch 0x{known(peer.reader).epoch:04x}", f"0x{FIRST_EPOCH:04x}")

    return play


_RECEIVING: Mapping[str, tuple[str, Play]] = {
    "empty": ("REC-12", _empty),
    "one-octet-each": ("REC-12", _single_octets),
    "many-in-one": ("REC-12", _many_in_one),
    "largest": ("REC-3", _largest),
    "of-2^17-or-so": ("REC-12", _messages((2**17 - 1, 2**17, 2**17 + 1))),
    "padding": ("REC-13", _padded((0, 1, 2, 255, 256, 65535))),
    "padding-only": ("REC-13", _padding_only),
    "one-step": ("ROT-2", _steps(1)),
    "three-steps": ("ROT-3", _steps(3)),
    "all-steps": ("ROT-6", _steps(255)),
}


def _stepping(records_of_a_step: int) -> Play:
    """The target's epoch after each of its answers; the peer's own limits do not matter."""

    def play(scene: Scene, peer: Peer) -> None:
        for sent in range(3 * records_of_a_step):
            check_alive(scene, peer)
            expected = FIRST_EPOCH + sent // records_of_a_step
            if (epoch := known(peer.reader).epoch) != expected:
                raise Failed(f"record {sent} in epoch 0x{epoch:04x}", f"0x{expected:04x}")

    return play


def _stepping_in_time(scene: Scene, peer: Peer) -> None:
    """A key that is too old is not used again, however little it has sealed."""
    for expected in (FIRST_EPOCH, FIRST_EPOCH + 1):
        check_alive(scene, peer)
        if (epoch := known(peer.reader).epoch) != expected:
            raise Failed(f"a record in epoch 0x{epoch:04x}", f"0x{expected:04x}")
        time.sleep(1.1 * SHORT)


def _records_of(check: Callable[[bytes], bool], expected: str) -> Play:
    """Each record in which the target answers a long message must pass the check."""

    def play(_: Scene, peer: Peer) -> None:
        octets = frame(token() + bytes(1000))
        peer.send_sealed(DATA, octets)
        received = 0
        while received < len(octets):
            received += len(peer.read_data())
            if not check(peer.last):
                raise Failed(f"a record of {len(peer.last)} octets, header {peer.last[: HEADER.size].hex()}", expected)

    return play


def _limited(**limits: int) -> Callable[[Policy], Policy]:
    return lambda chosen: replace(chosen, limits=Limits(**limits))


def _block_limited(chosen: Policy) -> Policy:
    """4 blocks are one answer of 39 octets; only AES-GCM counts them, so the other AEAD counts records."""
    aes = chosen.suites[0].aead == AeadId.AES_256_GCM
    return replace(chosen, limits=Limits(step_blocks=4) if aes else Limits(step_records=1))


_SENDING: Mapping[str, tuple[str, Callable[[Policy], Policy], Play]] = {
    "step-after-1-record": ("ROT-1", _limited(step_records=1), _stepping(1)),
    "step-after-3-records": ("ROT-1", _limited(step_records=3), _stepping(3)),
    "step-after-seconds": (
        "ROT-1",
        lambda chosen: replace(chosen, limits=Limits(step_seconds=SHORT)),
        _stepping_in_time,
    ),
    "step-after-octets": ("ROT-1", _limited(step_octets=100), _stepping(2)),
    "step-after-blocks": ("ROT-1", _block_limited, _stepping(1)),
    "cut": (
        "REC-12",
        lambda chosen: replace(chosen, record_cut=100),
        _records_of(lambda record: len(record) <= 100 + OVERHEAD, "at most 100 octets of plaintext"),
    ),
    "padding": (
        "REC-13",
        lambda chosen: replace(chosen, padding=64),
        _records_of(lambda record: record[1] == PADDED and (len(record) - OVERHEAD) % 64 == 0, "padded to 64 octets"),
    ),
}
