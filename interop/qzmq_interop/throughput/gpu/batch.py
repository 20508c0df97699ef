"""A batch of records, and what ChaCha20 on the processor makes of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20

BLOCK, KEY, NONCE = 64, 32, 12
FIRST_COUNTER = (1).to_bytes(4, "little")
"""ChaCha20-Poly1305 keeps block 0 for its authenticator's key (RFC 8439 section 2.8)."""


@dataclass(frozen=True)
class Batch:
    """`records` of `size` octets each, a multiple of 64, end to end; key and nonce per record likewise."""

    records: int
    size: int
    keys: bytes = field(repr=False)
    nonces: bytes = field(repr=False)
    plaintext: bytes = field(repr=False)

    @classmethod
    def random(cls, records: int, size: int) -> Batch:
        """Fresh keys, nonces and plaintext."""
        keys, nonces = os.urandom(records * KEY), os.urandom(records * NONCE)
        return cls(records, size, keys, nonces, os.urandom(records * size))

    @property
    def blocks(self) -> int:
        """Blocks per record."""
        return self.size // BLOCK

    def encrypted(self) -> bytes:
        """The ciphertext by OpenSSL, record after record on one core, without tags."""
        out = bytearray(len(self.plaintext) + BLOCK)
        view, into = memoryview(self.plaintext), memoryview(out)
        for record in range(self.records):
            key = self.keys[record * KEY : (record + 1) * KEY]
            nonce = FIRST_COUNTER + self.nonces[record * NONCE : (record + 1) * NONCE]
            start = record * self.size
            encryptor = Cipher(ChaCha20(key, nonce), mode=None).encryptor()
            encryptor.update_into(view[start : start + self.size], into[start:])
        return bytes(out[: len(self.plaintext)])
