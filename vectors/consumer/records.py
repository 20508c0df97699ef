"""One direction of records, as its receiver sees it (records.md, rotation.md)."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidTag

from .primitives import Hash, aead, xor
from .structures import parse
from .verdict import Json, Refused, Wrong, refuse, same

EARLY = 0xFFFFFFFF
SEALED = {0x10: 1, 0x04: 0, 0x31: 0, 0x20: 0, 0x21: 0, 0x06: 0}
"""Table `streams`."""
FINISHED, DATA = 0x04, 0x10


@dataclass
class Receiver:
    """One receiving direction."""

    aead: str
    h: Hash
    secret: bytes
    generation: int
    seq: int = 0
    data_stream: int = 1
    step: int = 0
    following: bytes = b""
    """The traffic secret of the next generation, if the sender may begin it (ROT-14)."""

    def open(self, record: bytes) -> tuple[int, bytes]:
        """Type and plaintext, without padding; REC-2 to REC-13 in the order of their numbers."""
        if len(record) < 32:
            refuse("REC-2")
        header = parse("RecordHeader", record[:16], "REC-5")
        kind, flags = header["type"], header["flags"]
        if flags and (flags != 1 or kind != DATA):
            refuse("REC-4")
        if header["stream_id"] != (self.data_stream if kind == DATA else SEALED.get(kind, -1)):
            refuse("REC-5")
        if header["seq"] != self.seq:
            refuse("REC-6")
        generation, step, secret, following = self._key(header["epoch"])
        nonce = xor(self.h.iv(secret), header["stream_id"], self.seq)
        try:
            plaintext = aead(self.aead, self.h.key(secret)).decrypt(nonce, record[16:], record[:16])
        except InvalidTag:
            refuse("REC-8")
        self.generation, self.step, self.secret, self.following = generation, step, secret, following
        self.seq += 1
        return kind, unpadded(plaintext) if flags else plaintext

    def _key(self, epoch: int) -> tuple[int, int, bytes, bytes]:
        """Generation, step, its secret, and the secret of the generation that may come next (REC-7)."""
        generation, step = self.generation, self.step
        if epoch == generation << 8 | step:
            return generation, step, self.secret, self.following
        if epoch == (generation << 8 | step + 1) and step < 255:
            return generation, step + 1, self.h.expand(self.secret, "traffic upd"), self.following
        if self.following and epoch == generation + 1 << 8:
            return generation + 1, 0, self.following, b""
        raise Refused("REC-7")


def unpadded(plaintext: bytes) -> bytes:
    """REC-13."""
    n = int.from_bytes(plaintext[-2:]) if len(plaintext) >= 2 else len(plaintext)
    end = len(plaintext) - 2 - n
    if end < 0 or any(plaintext[end:-2]):
        refuse("REC-13")
    return plaintext[:end]


def read_records(receiver: Receiver, test: Json) -> None:
    """All records, the last of which may be refused; plaintexts are those of the others."""
    records = [bytes.fromhex(record) for record in test["records"]]
    said = test["plaintexts"]
    if len(said) != len(records) - (test["result"] == "invalid"):
        raise Wrong(f"{len(said)} plaintexts of {len(records)} records")
    for number, record in enumerate(records):
        _, plaintext = receiver.open(record)
        if number < len(said):
            same(f"plaintext {number}", plaintext, said[number])


def check_records(group: Json, test: Json) -> None:
    h = Hash(group["hash"])
    receiver = Receiver(group["aead"], h, bytes.fromhex(test["secret"]), test["generation"], test["seq"])
    receiver.following = bytes.fromhex(test.get("next_secret", ""))
    read_records(receiver, test)
