"""The suite's hash with HMAC (RFC 2104) and HKDF (RFC 5869) on it (table `hashes`)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import cache

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

from qzmq_ref.alerts import LocalError
from qzmq_ref.registries import HashId

_HASHES: Mapping[HashId, hashes.HashAlgorithm] = {
    HashId.SHA_256: hashes.SHA256(),
    HashId.SHA_384: hashes.SHA384(),
    HashId.SHA_512: hashes.SHA512(),
}


class HashFunction:
    """One hash; `length` is Hash.length of the key schedule, in octets."""

    def __init__(self, hash_id: HashId) -> None:
        if hash_id not in _HASHES:
            raise LocalError(f"{hash_id!r} is reserved, no suite of QZMQ/1 has it: choose {list(_HASHES)}")
        self._algorithm = _HASHES[hash_id]
        self.name = self._algorithm.name
        self._new = getattr(hashlib, self.name)
        self.length = self._algorithm.digest_size

    def digest(self, octets: bytes) -> bytes:
        """Hash(octets)."""
        octets_hash: bytes = self._new(octets).digest()
        return octets_hash

    def hmac(self, key: bytes, octets: bytes) -> bytes:
        """HMAC-Hash(key, octets)."""
        return hmac.digest(key, octets, self.name)

    def extract(self, salt: bytes, ikm: bytes) -> bytes:
        """HKDF-Extract: a pseudorandom key of `length` octets."""
        return HKDF.extract(self._algorithm, salt, ikm)

    def expand(self, prk: bytes, info: bytes, length: int) -> bytes:
        """HKDF-Expand to `length` octets, 255 hash lengths at most (`ValueError` beyond)."""
        return HKDFExpand(self._algorithm, length, info).derive(prk)


@cache
def hash_function(hash_id: int) -> HashFunction:
    """The hash of a suite; a handshake asks for it dozens of times."""
    return HashFunction(HashId(hash_id))
