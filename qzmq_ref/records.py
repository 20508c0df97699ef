"""Records: sealing and opening with one sequence, one key chain per direction (spec/records.md, spec/rotation.md).

`RecordWriter` and `RecordReader` write into buffers of the caller; header and nonce are packed by `struct` and by
integer arithmetic, which tests/test_records.py proves equal to the schema's RecordHeader.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from struct import Struct
from typing import TypeAlias

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto import Invalid
from qzmq_ref.crypto.aead import TAG, Aead
from qzmq_ref.crypto.hash import hash_function
from qzmq_ref.handshake import keyschedule
from qzmq_ref.policy import MAX_RECORD, Limits
from qzmq_ref.registries import AeadId, AlertDescription, CipherSuite, MessageType
from qzmq_ref.spec.schema import structure
from qzmq_ref.spec.tables import tables

Clock: TypeAlias = Callable[[], float]

HEADER = Struct(">BBHIQ")
OVERHEAD = HEADER.size + TAG
PADDED = 0x01
MAX_STEP = 255
DATA = int(MessageType.DATA)
"""The type of the hot path, as a number: looking a member up costs as much as packing a header."""

STREAMS: Mapping[int, int] = {MessageType[row["Type"].upper()]: int(row["stream_id"]) for row in tables()["streams"]}
"""Table `streams`: the one stream_id of each sealed type (REC-5)."""


def streams(data_stream: int) -> Mapping[int, int]:
    """STREAMS with another stream for `data`."""
    return STREAMS if data_stream == STREAMS[MessageType.DATA] else {**STREAMS, MessageType.DATA: data_stream}


@structure("RecordHeader")
@dataclass(frozen=True)
class RecordHeader:
    """The first 16 octets of a record, and its AAD."""

    type: MessageType
    flags: int
    epoch: int
    stream_id: int
    seq: int


@dataclass(frozen=True)
class TrafficKey:
    """One step of a direction's key chain: the secret, and the AEAD key and IV from it."""

    secret: bytes = field(repr=False)
    epoch: int
    aead: Aead = field(repr=False)
    iv: int = field(repr=False)

    def nonce(self, stream_id: int, seq: int) -> bytes:
        """record_iv XOR (stream_id || seq), 12 octets."""
        return (self.iv ^ (stream_id << 64 | seq)).to_bytes(12)


class KeyChain:
    """The traffic keys of one direction: `install` starts a generation, `next_step` derives without changing."""

    def __init__(self, suite: CipherSuite) -> None:
        self._aead = AeadId(suite.aead)
        self._hash = hash_function(suite.hash)

    def first(self, secret: bytes, generation: int) -> TrafficKey:
        """Step 0 of a generation."""
        return self._key(secret, generation << 8)

    def next_step(self, key: TrafficKey) -> TrafficKey:
        """The key after this one (ROT-2); the caller drops the old one (ROT-4)."""
        return self._key(keyschedule.next_traffic_secret(self._hash, key.secret), key.epoch + 1)

    def _key(self, secret: bytes, epoch: int) -> TrafficKey:
        record_key = keyschedule.expand(self._hash, secret, "record_key")
        record_iv = keyschedule.expand(self._hash, secret, "record_iv")
        return TrafficKey(secret, epoch, Aead(self._aead, record_key), int.from_bytes(record_iv))


class RecordWriter:
    """The sending direction: numbers, seals and steps (REC-10, REC-11, ROT-1)."""

    __slots__ = (
        "_blocks",
        "_chain",
        "_clock",
        "_first_at",
        "_key",
        "_limits",
        "_octets",
        "_records",
        "_sealed_blocks",
        "_streams",
        "seq",
    )  # fmt: skip

    def __init__(
        self, suite: CipherSuite, limits: Limits, clock: Clock, secret: bytes, generation: int, data_stream: int = 1
    ) -> None:
        self._chain = KeyChain(suite)
        self._limits = limits
        self._clock = clock
        self._blocks = limits.step_blocks if suite.aead == AeadId.AES_256_GCM else None
        self._first_at: float | None = None
        self._streams = streams(data_stream)
        self.seq = 0
        self.install(secret, generation)

    def install(self, secret: bytes, generation: int) -> None:
        """Start a generation at step 0; the sequence goes on (REC-10)."""
        self._use(self._chain.first(secret, generation))

    @property
    def epoch(self) -> int:
        """generation || step of the next record, unless a limit moves it."""
        return self._key.epoch

    def exhausted(self, size: int) -> bool:
        """Whether a record of `size` plaintext octets would need a step after the last one (ROT-6)."""
        return self._key.epoch & 0xFF == MAX_STEP and self._passes_limit(size)

    def step(self) -> None:
        """Use the next traffic key from here on (ROT-2, ROT-3); LocalError at the last step (ROT-6)."""
        if self._key.epoch & 0xFF == MAX_STEP:
            raise LocalError("ROT-6: this direction is at its last step; close the session and connect again")
        self._use(self._chain.next_step(self._key))

    def announced_step(self) -> list[bytes]:
        """Step now, and return the empty records that tell the peer; none at the last step (ROT-6).

        A key that has sealed nothing seals one of them first, or the peer would see a jump (ROT-2).
        """
        if self._key.epoch & 0xFF == MAX_STEP:
            return []
        records = [self.seal(DATA, b"")] if self._first_at is None else []
        self.step()
        return [*records, self.seal(DATA, b"")]

    def seal_into(self, message_type: int, plaintext: memoryview, out: memoryview, flags: int = 0) -> int:
        """Write header || ciphertext || tag, `len(plaintext) + OVERHEAD` octets, to `out` and return their number.

        A record that would pass a limit is sealed at the next step (ROT-1). The last step's close_notify and
        alerts still pass.
        """
        size = len(plaintext)
        if self._passes_limit(size) and self._key.epoch & 0xFF != MAX_STEP:
            self.step()
        key, stream_id = self._key, self._streams[message_type]
        HEADER.pack_into(out, 0, message_type, flags, key.epoch, stream_id, self.seq)
        end = size + OVERHEAD
        key.aead.seal_into(key.nonce(stream_id, self.seq), plaintext, out[: HEADER.size], out[HEADER.size : end])
        self.seq += 1
        self._count(size)
        return end

    def seal(self, message_type: int, plaintext: bytes) -> bytes:
        """As `seal_into`, for a record by itself."""
        record = bytearray(len(plaintext) + OVERHEAD)
        self.seal_into(message_type, memoryview(plaintext), memoryview(record))
        return bytes(record)

    def _use(self, key: TrafficKey) -> None:
        self._key = key
        self._records = self._octets = self._sealed_blocks = 0
        self._first_at = None

    def _count(self, size: int) -> None:
        if self._first_at is None:
            self._first_at = self._clock()
        self._records += 1
        self._octets += size
        self._sealed_blocks += (size + 15) >> 4

    def _passes_limit(self, size: int) -> bool:
        if self._first_at is None:  # a key's first record always passes
            return False
        limits = self._limits
        return (
            self._records >= limits.step_records
            or self._octets + size > limits.step_octets
            or (self._blocks is not None and self._sealed_blocks + ((size + 15) >> 4) > self._blocks)
            or self._clock() - self._first_at > limits.step_seconds
        )


class RecordReader:
    """The receiving direction: checks order and epoch, opens, then commits (REC-2 to REC-9, ROT-5)."""

    __slots__ = ("_begun", "_chain", "_key", "_next", "_streams", "seq")

    def __init__(self, suite: CipherSuite, secret: bytes, generation: int, data_stream: int = 1) -> None:
        self._chain = KeyChain(suite)
        self._streams = streams(data_stream)
        self.seq = 0
        self.install(secret, generation)

    def install(self, secret: bytes, generation: int) -> None:
        """Start a generation at step 0; the sequence goes on. From the second one on its first record is of step 0 too
        (ROT-14)."""
        self._key = self._chain.first(secret, generation)
        self._next: TrafficKey | None = None
        self._begun = generation <= 1

    def allow(self, secret: bytes, generation: int) -> None:
        """Let the peer begin this generation with any record from here on (ROT-14)."""
        self._next = self._chain.first(secret, generation)

    @property
    def epoch(self) -> int:
        """generation || step of the last record opened, or of the key installed since."""
        return self._key.epoch

    def open_into(self, record: memoryview, out: memoryview) -> tuple[int, int, int]:
        """Open one record into `out` (at least its plaintext's size); returns (type, flags, plaintext size).

        Raises Alert and leaves the reader as it was; `out` then holds nothing of the plaintext (REC-9).
        """
        size = len(record) - OVERHEAD
        if size < 0:
            raise Alert(
                AlertDescription.DECODE_ERROR,
                "REC-2",
                f"a record of {len(record)} octets, at least {OVERHEAD}",
            )
        if size > MAX_RECORD:
            raise Alert(
                AlertDescription.RECORD_OVERFLOW,
                "REC-3",
                f"a ciphertext of {size} octets, at most {MAX_RECORD}",
            )
        message_type, flags, epoch, stream_id, seq = HEADER.unpack_from(record)
        if flags and (flags != PADDED or message_type != DATA):
            raise Alert(
                AlertDescription.ILLEGAL_PARAMETER,
                "REC-4",
                f"flags 0x{flags:02x} on type 0x{message_type:02x}",
            )
        if self._streams.get(message_type) != stream_id:
            detail = f"stream_id {stream_id} on type 0x{message_type:02x}"
            raise Alert(AlertDescription.ILLEGAL_PARAMETER, "REC-5", detail)
        if seq != self.seq:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "REC-6", f"seq {seq}, expected {self.seq}")
        key = self._key if epoch == self._key.epoch else self._stepped(epoch)
        try:
            key.aead.open_into(key.nonce(stream_id, seq), record[HEADER.size :], record[: HEADER.size], out[:size])
        except Invalid:
            raise Alert(AlertDescription.BAD_RECORD_MAC, "REC-8", f"the tag of record {seq} does not verify") from None
        if key is self._next:
            self._next = None
        self._key = key
        self._begun = True
        self.seq += 1
        return message_type, flags, size

    def open(self, record: memoryview) -> bytes:
        """The plaintext of a record by itself, without padding; Alert as from `open_into` (REC-13)."""
        plaintext = memoryview(bytearray(max(0, len(record) - OVERHEAD)))
        _, flags, size = self.open_into(record, plaintext)
        return bytes(plaintext[: unpadded_size(plaintext[:size]) if flags & PADDED else size])

    def _stepped(self, epoch: int) -> TrafficKey:
        current = self._key.epoch
        if self._next and epoch == self._next.epoch:
            return self._next
        if epoch != current + 1 or current & 0xFF == MAX_STEP or not self._begun:
            detail = f"epoch 0x{epoch:04x} after 0x{current:04x}"
            raise Alert(AlertDescription.ILLEGAL_PARAMETER, "REC-7", detail)
        return self._chain.next_step(self._key)


def pad(octets: memoryview, multiple: int) -> bytes:
    """octets || n zeros || uint16 n, the whole a multiple of `multiple` octets (REC-13)."""
    n = -(len(octets) + 2) % multiple
    return bytes(octets) + bytes(n) + n.to_bytes(2)


def unpadded_size(plaintext: memoryview) -> int:
    """How many octets of a padded plaintext are the application's; Alert if the padding is wrong (REC-13)."""
    size = len(plaintext)
    n = int.from_bytes(plaintext[-2:]) if size >= 2 else size
    if n > size - 2 or any(plaintext[size - 2 - n : size - 2]):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "REC-13", f"padding of {n} octets in {size} is malformed")
    return size - 2 - n
