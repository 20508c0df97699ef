"""The key schedule against a second, plain reading of RFC 5869 and of spec/keyschedule.md."""

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake import keyschedule
from qzmq_ref.registries import HashId
from qzmq_ref.spec.schema import load
from qzmq_ref.spec.tables import tables

HASHES = {HashId.SHA_256: "sha256", HashId.SHA_384: "sha384", HashId.SHA_512: "sha512"}
hash_ids = st.sampled_from(sorted(HASHES))


def plain_expand_label(name: str, secret: bytes, label: str, context: bytes, length: int) -> bytes:
    """HKDF-Expand written out: T(i) = HMAC(secret, T(i-1) || info || i)."""
    full = b"qzmq1 " + label.encode()
    info = length.to_bytes(2, "big") + bytes([len(full)]) + full + bytes([len(context)]) + context
    output, block = b"", b""
    for i in range(1, 256):
        block = hmac.digest(secret, block + info + bytes([i]), name)
        output += block
        if len(output) >= length:
            return output[:length]
    raise AssertionError(length)


@given(
    hash_ids,
    st.binary(min_size=32, max_size=64),
    st.text("abcdef ", min_size=1, max_size=20),
    st.binary(max_size=64),
    st.integers(1, 200),
)
def test_expand_label(hash_id: HashId, secret: bytes, label: str, context: bytes, length: int) -> None:
    """KS-1."""
    expected = plain_expand_label(HASHES[hash_id], secret, label, context, length)
    assert keyschedule.expand_label(HashFunction(hash_id), secret, label.encode(), context, length) == expected


@given(st.builds(keyschedule.HkdfLabel, st.integers(0, 2**16 - 1), st.binary(min_size=1, max_size=200),
                 st.binary(max_size=255)))  # fmt: skip
def test_the_label_built_by_hand_is_the_schema_s(label: keyschedule.HkdfLabel) -> None:
    """KS-1."""
    prefixed = replace(label, label=keyschedule.PREFIX + label.label)
    assert keyschedule.hkdf_label(label.length, label.label, label.context) == load().build(prefixed)


@given(hash_ids, st.binary(min_size=32, max_size=64), st.binary(min_size=1, max_size=200), st.binary(max_size=60))
def test_the_whole_schedule(hash_id: HashId, kem_secret: bytes, h1: bytes, rest: bytes) -> None:
    """KS-2, KS-3, KS-4, line by line as the page writes it."""
    name, h = HASHES[hash_id], HashFunction(hash_id)
    zeros = bytes(h.length)

    def digest(octets: bytes) -> bytes:
        return hashlib.new(name, octets).digest()

    def derive(secret: bytes, label: str, messages: bytes) -> bytes:
        return plain_expand_label(name, secret, label, digest(messages), h.length)

    early = hmac.digest(zeros, zeros, name)
    handshake = hmac.digest(derive(early, "derived", b""), kem_secret, name)
    master = hmac.digest(derive(handshake, "derived", b""), zeros, name)
    secrets = keyschedule.handshake_secrets(h, kem_secret, h1)
    assert secrets.c_hs == derive(handshake, "c hs traffic", h1)
    assert secrets.s_hs == derive(handshake, "s hs traffic", h1)
    assert secrets.master == master

    root_1 = derive(master, "root", h1 + rest)
    generation = keyschedule.first_generation(h, master, h1 + rest)
    assert generation.c_ap == derive(root_1, "c ap traffic", h1 + rest)
    assert generation.s_ap == derive(root_1, "s ap traffic", h1 + rest)
    assert generation.exp == derive(root_1, "exp", h1 + rest)


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=1, max_size=100), st.data())
def test_one_changed_bit_changes_every_secret(kem_secret: bytes, h1: bytes, data: st.DataObject) -> None:
    """KS-7."""
    h = HashFunction(HashId.SHA_256)
    bit = data.draw(st.integers(0, 8 * len(h1) - 1))
    changed = (int.from_bytes(h1, "big") ^ 1 << bit).to_bytes(len(h1), "big")
    first, second = (keyschedule.handshake_secrets(h, kem_secret, octets) for octets in (h1, changed))
    assert first.c_hs != second.c_hs
    assert first.s_hs != second.s_hs


def test_no_two_labels_are_equal() -> None:
    """KS-1: separation of keys rests on the labels of one secret."""
    labels = [row["Label"] for table in ("secrets", "keys") for row in tables()[table]]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize("length", [1, 32, 100])
def test_exporter(length: int) -> None:
    """KS-6."""
    h, exp = HashFunction(HashId.SHA_256), bytes(range(32))
    derived = plain_expand_label("sha256", exp, "label", hashlib.sha256(b"").digest(), 32)
    expected = plain_expand_label("sha256", derived, "exporter", hashlib.sha256(b"context").digest(), length)
    assert keyschedule.exporter(h, exp, b"label", b"context", length) == expected


def test_secrets_hide_themselves() -> None:
    """SEC: no secret in a repr."""
    secrets = keyschedule.handshake_secrets(HashFunction(HashId.SHA_256), b"k" * 32, b"h1")
    assert secrets.c_hs.hex() not in repr(secrets)
    assert repr(secrets.c_hs) not in repr(secrets)
