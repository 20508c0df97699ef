"""Kind `records`: records of one direction in their order, padding, and every way in which one can be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import product

from qzmq_conformance.fault import flip, resized
from qzmq_conformance.records import first_broken_rule
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_conformance.vectors.shape import (
    HEX,
    INTEGER,
    TEXT,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Refusal,
    Source,
    array,
    constant,
    refusal,
)
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.records import HEADER, PADDED, STREAMS, RecordReader, pad, unpadded_size
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, MessageType, SigId

HASHES = (HashId.SHA_256, HashId.SHA_384, HashId.SHA_512)
SIZES = (0, 1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 100, 255)
SEQS = (0, 1, 255, 2**32, 2**63, 2**64 - 1)
PADDINGS = (16, 64, 250)
CONTROL = tuple(MessageType(kind) for kind in STREAMS if kind != MessageType.DATA)
GENERATION_1 = 0x0100
Forge = Callable[[Sealer, bytes], bytes]
"""Makes a record of application octets, right or wrong."""


@dataclass(frozen=True)
class Direction:
    """Where a direction stands: its suite, and the number of the next record."""

    suite: CipherSuite
    seq: int = 0

    @property
    def name(self) -> str:
        """What its octets are drawn by."""
        return f"records/{self.suite.aead}/{self.suite.hash}/{self.seq}"

    def secret(self, source: Source) -> bytes:
        """The traffic secret."""
        return source.octets(f"{self.name}/secret", HashFunction(HashId(self.suite.hash)).length)

    def sealing(self, source: Source, generation: int = 1) -> Sealer:
        """Its sender."""
        sealing = sealer(self.suite, self.secret(source), generation)
        sealing.seq = self.seq
        return sealing


def groups(source: Source) -> Iterator[Group]:
    """Each AEAD with each hash."""
    for aead, hash_id in product(AeadId, HASHES):
        suite = CipherSuite(KemId.X25519, SigId.ED25519, aead, hash_id)
        recipes = (*_right(source, suite), *_orders(source, suite), *_wrong(source, suite), *_bits(source, suite))
        yield Group("Records", constant(aead=aead.name.lower(), hash=hash_id.name.lower()), recipes)


def opened(
    source: Source, at: Direction, records: tuple[bytes, ...], why: Refusal | None, following: bytes = b""
) -> Fields:
    """The fields of a test; the reference's reader must say what the test says.

    With `following`, the traffic secret of generation 2, the sender may begin that generation (ROT-14).
    """
    reader = RecordReader(at.suite, at.secret(source), 1)
    reader.seq = at.seq
    if following:
        reader.allow(following, 2)
    found: list[str] = []
    said = None
    for record in records:
        out = bytearray(len(record))
        try:
            _, flags, size = reader.open_into(memoryview(record), memoryview(out))
            found.append(bytes(out[: unpadded_size(memoryview(out)[:size]) if flags & PADDED else size]).hex())
        except Alert as alert:
            said = alert_name(alert.description)
    if said != (why.alert if why else None):
        raise AssertionError(f"the reference says {said}, the test {why}")
    return {
        "secret": at.secret(source).hex(),
        **({"next_secret": following.hex()} if following else {}),
        "generation": 1,
        "seq": at.seq,
        "records": [record.hex() for record in records],
        "plaintexts": found,
    }


def _right(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """One record: sizes, numbers, padding, types."""
    for size, seq in product(SIZES, SEQS):
        if size < 40 or seq < 2:
            make = partial(_one, source, Direction(suite, seq), size, lambda sealing, octets: data(sealing, octets))
            yield Recipe(f"{size} octets, seq {seq}", make)
    for size, multiple in product(SIZES, PADDINGS):
        make = partial(_one, source, Direction(suite), size, partial(_padded, multiple))
        yield Recipe(f"{size} octets padded to a multiple of {multiple}", make, flags=("Padding",))
    for kind in CONTROL:
        make = partial(_one, source, Direction(suite, 3), 20, partial(_of_type, kind))
        yield Recipe(f"type {kind.name.lower()}", make)


def _one(source: Source, at: Direction, size: int, forge: Forge, why: Refusal | None = None) -> Fields:
    octets = source.octets(f"{at.name}/octets", size)
    return opened(source, at, (forge(at.sealing(source), octets),), why)


def data(sealing: Sealer, octets: bytes, **header: int) -> bytes:
    """A data record."""
    return sealing.seal(MessageType.DATA, octets, **header)


def _padded(multiple: int, sealing: Sealer, octets: bytes) -> bytes:
    return data(sealing, pad(memoryview(octets), multiple), flags=PADDED)


def _of_type(kind: MessageType, sealing: Sealer, octets: bytes) -> bytes:
    return sealing.seal(kind, octets)


def _orders(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """The same octets, cut into records in several ways (REC-12); then records that are not the next one."""
    for sizes in ((60,), (30, 30), (0, 60), (60, 0), (1, 58, 1), (20, 0, 20, 20), (12,) * 5, (6,) * 10):
        yield Recipe(f"60 octets as {'+'.join(map(str, sizes))}", partial(_cut, source, suite, sizes), flags=("Order",))
    orders = {"repeated": (0, 1, 1), "swapped": (1, 0), "a gap": (0, 2), "again from the first": (0, 1, 2, 0)}
    for comment, order in orders.items():
        why = refusal("REC-6")
        yield Recipe(f"records {comment}", partial(_reordered, source, suite, order, why), why, ("Order",))


def _cut(source: Source, suite: CipherSuite, sizes: tuple[int, ...]) -> Fields:
    at = Direction(suite)
    sealing, octets = at.sealing(source), source.octets(f"{at.name}/stream", sum(sizes))
    starts = (sum(sizes[:position]) for position in range(len(sizes)))
    pieces = (octets[start : start + size] for start, size in zip(starts, sizes, strict=True))
    return opened(source, at, tuple(data(sealing, piece) for piece in pieces), None)


def _reordered(source: Source, suite: CipherSuite, order: tuple[int, ...], why: Refusal) -> Fields:
    """Records in that order, up to the first that is not the next one."""
    at = Direction(suite)
    sealing = at.sealing(source)
    sealed = [data(sealing, bytes([number])) for number in range(3)]
    upto = next(i for i, number in enumerate(order) if number != i) + 1
    return opened(source, at, tuple(sealed[number] for number in order[:upto]), why)


def _wrong(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """One record each, which breaks one rule; whatever it can be, it is validly sealed."""
    for size in range(1, 32):
        yield _altered(source, suite, f"cut to {size} octets", "REC-2", resized(size))
    for size in (32, 33, 40):
        yield _altered(source, suite, f"cut to {size} octets", "REC-8", resized(size))
    yield _altered(source, suite, "with an octet more", "REC-8", lambda octets: octets + b"\0")
    for position in (16, 17, 25, *range(-16, 0)):
        yield _altered(source, suite, f"a bit of octet {position} changed", "REC-8", flip(position))
    for distance in (-1, 1, 2, 2**32, -(2**32)):
        forge = partial(_ahead, distance)
        yield _refused(source, suite, f"seq {distance:+d}", "REC-6", forge, "Order", seq=2**40)
    for epoch in (0x0000, 0x0001, 0x00FF, 0x0102, 0x0103, 0x01FF, 0x0200, 0x0201, 0x8100, 0xFFFF):
        yield _refused(source, suite, f"epoch {epoch:#06x}", "REC-7", partial(data, epoch=epoch), "Header")
    for stream in (0, 2, 3, 255, 2**16, 2**24 + 1, 2**31 + 1, 2**32 - 1):
        yield _refused(source, suite, f"stream {stream}", "REC-5", partial(data, stream_id=stream), "Header")
    for kind in CONTROL:
        for stream in (1, 2**32 - 1):
            forge = partial(_in_stream, kind, stream)
            yield _refused(source, suite, f"{kind.name.lower()} on stream {stream}", "REC-5", forge, "Header")
        yield _refused(source, suite, f"{kind.name.lower()} padded", "REC-4", partial(_flagged, kind), "Header")
    for comment, plaintext in _bad_paddings():
        forge = partial(_sealed_as_padded, plaintext)
        yield _refused(source, suite, f"padding: {comment}", "REC-13", forge, "Padding")


def _bits(source: Source, suite: CipherSuite) -> Iterator[Recipe]:
    """Every bit of the header, inverted and sealed that way."""
    right = HEADER.pack(MessageType.DATA, 0, GENERATION_1, 1, 2)
    for bit in range(8 * HEADER.size):
        changed = (int.from_bytes(right) ^ 1 << bit).to_bytes(HEADER.size)
        flags, rule = changed[1], first_broken_rule(changed, 2)
        if flags != PADDED and changed[0] in STREAMS:  # what is no sealed type never reaches a reader of records
            comment = f"bit {bit % 8} of header octet {HEADER.size - 1 - bit // 8} inverted"
            yield _refused(source, suite, comment, rule, partial(_with_header, changed), "Header", seq=2)


def _altered(source: Source, suite: CipherSuite, comment: str, rule: str, change: Callable[[bytes], bytes]) -> Recipe:
    """The right record, changed after it was sealed."""
    return _refused(source, suite, comment, rule, lambda sealing, octets: change(data(sealing, octets)), "Sealed")


def _refused(
    source: Source, suite: CipherSuite, comment: str, rule: str, forge: Forge, flag: str, seq: int = 5
) -> Recipe:
    why = refusal(rule)
    return Recipe(comment, partial(_one, source, Direction(suite, seq), 40, forge, why), why, (flag,))


def _ahead(distance: int, sealing: Sealer, octets: bytes) -> bytes:
    return data(sealing, octets, seq=sealing.seq + distance)


def _in_stream(kind: MessageType, stream: int, sealing: Sealer, octets: bytes) -> bytes:
    return sealing.seal(kind, octets, stream_id=stream)


def _flagged(kind: MessageType, sealing: Sealer, octets: bytes) -> bytes:
    return sealing.seal(kind, pad(memoryview(octets), 16), flags=PADDED)


def _sealed_as_padded(plaintext: bytes, sealing: Sealer, _: bytes) -> bytes:
    return data(sealing, plaintext, flags=PADDED)


def _with_header(header: bytes, sealing: Sealer, octets: bytes) -> bytes:
    kind, flags, epoch, stream_id, seq = HEADER.unpack(header)
    return sealing.seal(kind, octets, flags=flags, epoch=epoch, stream_id=stream_id, seq=seq)


def _bad_paddings() -> Iterator[tuple[str, bytes]]:
    yield "no octet", b""
    yield "one octet", b"\0"
    yield "n one too large", bytes(10) + (11).to_bytes(2)
    yield "n two too large", bytes(10) + (12).to_bytes(2)
    yield "n largest", bytes(100) + b"\xff\xff"
    for position in range(8):
        yield f"pad octet {position} not zero", b"octets" + flip(position)(bytes(8)) + (8).to_bytes(2)


KIND = Kind(
    name="records",
    purpose="Records: opening, order, epochs, streams, padding, and every way to be wrong (REC-1 to REC-13).",
    header=(
        "A receiver with traffic secret secret at step 0 of generation has received seq records and now reads records.",
        "All of a valid test open, to plaintexts (without padding); of an invalid one all but the last. What REC-3",
        "forbids is too long to be written down here.",
    ),
    notes={
        "Header": "A field of the header is wrong, and sealed that way.",
        "Order": "The order of records, or how octets are cut into them.",
        "Padding": "Flag bit 0 is set.",
        "Sealed": "Octets were changed after the record was sealed.",
    },
    layouts={
        "Records": Layout(
            {"aead": TEXT, "hash": TEXT},
            {"secret": HEX, "generation": INTEGER, "seq": INTEGER, "records": array(HEX), "plaintexts": array(HEX)},
        )
    },
    groups=groups,
)
