"""The hashes against HMAC and HKDF written out once more from their definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.registries import HashId
from qzmq_ref.spec.tables import tables

NAMES = {HashId.SHA_256: "sha256", HashId.SHA_384: "sha384", HashId.SHA_512: "sha512"}
every_hash = pytest.mark.parametrize("hash_id", NAMES)


def hmac(name: str, key: bytes, octets: bytes) -> bytes:
    """RFC 2104 section 2."""
    block = hashlib.new(name).block_size
    key = hashlib.new(name, key).digest() if len(key) > block else key
    key = key.ljust(block, b"\0")
    inner, outer = (bytes(octet ^ pad for octet in key) for pad in (0x36, 0x5C))
    return hashlib.new(name, outer + hashlib.new(name, inner + octets).digest()).digest()


@every_hash
def test_length_is_the_specifications(hash_id: HashId) -> None:
    row = next(row for row in tables()["hashes"] if row["HashId"] == hash_id.name.lower())
    assert HashFunction(hash_id).length == len(HashFunction(hash_id).digest(b"")) == int(row["Hash.length"])


@every_hash
@given(octets=st.binary(max_size=300))
def test_digest(hash_id: HashId, octets: bytes) -> None:
    assert HashFunction(hash_id).digest(octets) == hashlib.new(NAMES[hash_id], octets).digest()


@every_hash
@given(key=st.binary(max_size=200), octets=st.binary(max_size=200))
def test_hmac_and_extract(hash_id: HashId, key: bytes, octets: bytes) -> None:
    """RFC 5869 section 2.2: extracting is HMAC with the salt as key, an empty one included."""
    expected = hmac(NAMES[hash_id], key, octets)
    assert HashFunction(hash_id).hmac(key, octets) == expected
    assert HashFunction(hash_id).extract(key, octets) == expected


@every_hash
@given(prk=st.binary(min_size=32, max_size=64), info=st.binary(max_size=600), length=st.integers(1, 255))
def test_expand(hash_id: HashId, prk: bytes, info: bytes, length: int) -> None:
    """RFC 5869 section 2.3: T(i) = HMAC(PRK, T(i - 1) || info || i)."""
    expected, last, counter = b"", b"", 1
    while len(expected) < length:
        last = hmac(NAMES[hash_id], prk, last + info + bytes([counter]))
        expected, counter = expected + last, counter + 1
    assert HashFunction(hash_id).expand(prk, info, length) == expected[:length]


@every_hash
def test_expand_is_bounded(hash_id: HashId) -> None:
    function = HashFunction(hash_id)
    longest = 255 * function.length
    assert len(function.expand(bytes(32), b"", longest)) == longest
    with pytest.raises(ValueError, match=str(longest)):
        function.expand(bytes(32), b"", longest + 1)


def test_the_reserved_hash_is_refused() -> None:
    with pytest.raises(LocalError, match="SHA_256"):
        HashFunction(HashId.BLAKE3)
