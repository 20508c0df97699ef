"""Records and steps: order, epochs, limits, padding (spec/records.md, spec/rotation.md)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.policy import MAX_RECORD, Limits, Policy
from qzmq_ref.records import HEADER, OVERHEAD, RecordHeader, RecordReader, RecordWriter, pad, unpadded_size
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.schema import load
from tests.pairs import Clock

SUITES = [suite for name in ("default", "performance", "conservative") for suite in Policy.preset(name).suites]
SUITE = SUITES[0]
DATA = MessageType.DATA


LIMITS = Limits()


def writer(limits: Limits = LIMITS, clock: Clock | None = None, suite: object = SUITE) -> RecordWriter:
    return RecordWriter(suite, limits, clock or Clock(), b"s" * 32, 1)  # type: ignore[arg-type]


def reader() -> RecordReader:
    return RecordReader(SUITE, b"s" * 32, 1)


def seal(source: RecordWriter, plaintext: bytes, message_type: MessageType = DATA, flags: int = 0) -> bytes:
    out = bytearray(len(plaintext) + OVERHEAD)
    assert source.seal_into(message_type, memoryview(plaintext), memoryview(out), flags) == len(out)
    return bytes(out)


def unseal(sink: RecordReader, record: bytes) -> tuple[int, int, bytes]:
    out = memoryview(bytearray(max(0, len(record) - OVERHEAD)))
    message_type, flags, size = sink.open_into(memoryview(record), out)
    return message_type, flags, bytes(out[:size])


def refused(sink: RecordReader, record: bytes) -> tuple[AlertDescription | int, str]:
    """The alert for a record, after which the reader must still take the record it expects."""
    before = (sink.seq, sink.epoch)
    with pytest.raises(Alert) as caught:
        unseal(sink, record)
    assert (sink.seq, sink.epoch) == before
    return caught.value.description, caught.value.requirement


@given(st.builds(RecordHeader, st.sampled_from(MessageType), st.integers(0, 255), st.integers(0, 2**16 - 1),
                 st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)))  # fmt: skip
def test_the_packed_header_is_the_schema_s(header: RecordHeader) -> None:
    """REC-10: the hot path's `struct` and the specification's structure are one."""
    packed = HEADER.pack(header.type, header.flags, header.epoch, header.stream_id, header.seq)
    assert packed == load().build(header)
    assert load().parse("RecordHeader", packed) == header


@pytest.mark.parametrize("suite", SUITES, ids=str)
@given(plaintexts=st.lists(st.binary(max_size=300), min_size=1, max_size=5))
def test_round_trip_in_order(suite: object, plaintexts: list[bytes]) -> None:
    """REC-8, REC-10, REC-12."""
    source, sink = writer(suite=suite), RecordReader(suite, b"s" * 32, 1)  # type: ignore[arg-type]
    for seq, plaintext in enumerate(plaintexts):
        record = seal(source, plaintext)
        assert load().parse("RecordHeader", record[:16]) == RecordHeader(DATA, 0, 0x0100, 1, seq)
        assert unseal(sink, record) == (DATA, 0, plaintext)


@given(st.binary(max_size=40), st.data())
def test_no_changed_bit_passes(plaintext: bytes, data: st.DataObject) -> None:
    """REC-4 to REC-9: whichever bit of a record is flipped, it is refused, and the right record still opens."""
    source, sink = writer(), reader()
    record = seal(source, plaintext)
    bit = data.draw(st.integers(0, 8 * len(record) - 1))
    changed = (int.from_bytes(record, "big") ^ 1 << bit).to_bytes(len(record), "big")
    _, requirement = refused(sink, changed)
    assert requirement in {"REC-4", "REC-5", "REC-6", "REC-7", "REC-8"}
    assert unseal(sink, record)[2] == plaintext


def test_replay_gap_and_reordering() -> None:
    """REC-6."""
    source, sink = writer(), reader()
    records = [seal(source, b"%d" % i) for i in range(3)]
    unseal(sink, records[0])
    for wrong in (records[0], records[2]):
        assert refused(sink, wrong) == (AlertDescription.UNEXPECTED_MESSAGE, "REC-6")
    assert unseal(sink, records[1])[2] == b"1"


def test_lengths() -> None:
    """REC-2, REC-3."""
    assert refused(reader(), bytes(31)) == (AlertDescription.DECODE_ERROR, "REC-2")
    record = seal(writer(), bytes(MAX_RECORD))
    assert refused(reader(), record + b"x") == (AlertDescription.RECORD_OVERFLOW, "REC-3")
    assert len(unseal(reader(), record)[2]) == MAX_RECORD


@pytest.mark.parametrize(
    ("message_type", "flags", "requirement"),
    [(DATA, 2, "REC-4"), (DATA, 0x81, "REC-4"), (MessageType.SEALED_ALERT, 1, "REC-4")],
)
def test_flags(message_type: MessageType, flags: int, requirement: str) -> None:
    """REC-4."""
    record = seal(writer(), b"\0\0", message_type, flags)
    assert refused(reader(), record) == (AlertDescription.ILLEGAL_PARAMETER, requirement)


def test_steps_follow_and_nothing_else() -> None:
    """ROT-2, ROT-4, ROT-5, REC-7."""
    source, sink = writer(), reader()
    old_key = seal(source, b"old")
    unseal(sink, old_key)
    source.step()
    stepped = seal(source, b"new")
    broken = stepped[:-1] + bytes([stepped[-1] ^ 1])
    assert refused(sink, broken) == (AlertDescription.BAD_RECORD_MAC, "REC-8")
    assert unseal(sink, stepped)[2] == b"new"
    assert sink.epoch == source.epoch == 0x0101

    late = writer()
    for _ in range(2):
        seal(late, b"")
    assert refused(sink, seal(late, b"old step")) == (AlertDescription.ILLEGAL_PARAMETER, "REC-7")
    source.step()
    source.step()
    assert refused(sink, seal(source, b"skipped")) == (AlertDescription.ILLEGAL_PARAMETER, "REC-7")


def test_directions_step_on_their_own() -> None:
    """ROT-3: a reader that steps moves no writer."""
    source, other, sink = writer(), writer(), reader()
    source.step()
    unseal(sink, seal(source, b""))
    assert (sink.epoch, other.epoch) == (0x0101, 0x0100)


@pytest.mark.parametrize(
    ("limits", "sizes", "steps"),
    [
        (Limits(step_records=2), [1, 1, 1, 1, 1], [0, 0, 1, 1, 2]),
        (Limits(step_octets=10), [6, 4, 1, 20, 1], [0, 0, 1, 2, 3]),
        (Limits(step_blocks=3), [17, 1, 1], [0, 0, 1]),
    ],
)
def test_a_record_that_would_pass_a_limit_is_sealed_at_the_next_step(
    limits: Limits, sizes: list[int], steps: list[int]
) -> None:
    """ROT-1."""
    source = writer(limits)
    assert [load().parse(RecordHeader, seal(source, bytes(size))[:16]).epoch & 0xFF for size in sizes] == steps


def test_blocks_do_not_limit_chacha() -> None:
    """ROT-1: the block limit is AES-GCM's."""
    source = writer(Limits(step_blocks=1), suite=SUITES[1])
    seal(source, bytes(100))
    seal(source, bytes(100))
    assert source.epoch == 0x0100


def test_age_counts_from_the_first_record_of_a_key() -> None:
    """ROT-1."""
    clock = Clock()
    source = writer(Limits(step_seconds=10), clock)
    clock.now = 100
    seal(source, b"")
    clock.now = 110
    seal(source, b"")
    assert source.epoch == 0x0100
    clock.now = 110.5
    seal(source, b"")
    assert source.epoch == 0x0101


def test_the_last_step_never_wraps() -> None:
    """ROT-6."""
    source, sink = writer(Limits(step_records=1)), reader()
    for _ in range(256):
        unseal(sink, seal(source, b""))
    assert source.epoch == sink.epoch == 0x01FF
    assert source.exhausted(1)
    with pytest.raises(LocalError, match="ROT-6"):
        source.step()
    record = bytearray(seal(source, b"", MessageType.SEALED_ALERT))
    assert unseal(sink, bytes(record))[0] == MessageType.SEALED_ALERT
    HEADER.pack_into(record, 0, DATA, 0, 0x0200, 1, sink.seq)
    assert refused(sink, bytes(record)) == (AlertDescription.ILLEGAL_PARAMETER, "REC-7")


def test_generation_change_keeps_the_sequence() -> None:
    """REC-10, REC-11."""
    source, sink = writer(), reader()
    unseal(sink, seal(source, b""))
    source.install(b"t" * 32, 2)
    sink.install(b"t" * 32, 2)
    assert unseal(sink, seal(source, b"x"))[2] == b"x"
    assert (sink.seq, sink.epoch) == (2, 0x0200)


@given(st.binary(max_size=200), st.integers(1, 64))
def test_padding_round_trip(octets: bytes, multiple: int) -> None:
    """REC-13."""
    padded = pad(memoryview(octets), multiple)
    assert len(padded) % multiple == 0
    assert padded[: unpadded_size(memoryview(padded))] == octets


@pytest.mark.parametrize("padded", [b"", b"\0", b"\0\1", b"ab\0\3", b"a\1\0\1", b"\1\0\0\2"])
def test_malformed_padding(padded: bytes) -> None:
    """REC-13."""
    with pytest.raises(Alert, match="REC-13"):
        unpadded_size(memoryview(padded))


def test_keys_hide_themselves() -> None:
    source = writer()
    assert (b"s" * 32).hex() not in repr(vars_of(source))
    assert repr(b"s" * 32) not in repr(vars_of(source))


def vars_of(source: RecordWriter) -> list[object]:
    return [getattr(source, name) for name in RecordWriter.__slots__]


def test_limits_are_frozen() -> None:
    assert replace(Limits(), step_records=1) != Limits()
