"""The AEADs: what is sealed opens, nothing else does, and buffers are read and written in place."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.crypto import Invalid
from qzmq_ref.crypto.aead import KEY, NONCE, TAG, Aead
from qzmq_ref.registries import AeadId
from qzmq_ref.spec.tables import tables

every_aead = pytest.mark.parametrize("aead_id", AeadId)
keys = st.binary(min_size=KEY, max_size=KEY)
nonces = st.binary(min_size=NONCE, max_size=NONCE)
texts = st.binary(max_size=200)


@every_aead
def test_sizes_are_the_specifications(aead_id: AeadId) -> None:
    row = next(row for row in tables()["aeads"] if row["AeadId"] == aead_id.name.lower())
    assert [int(row[size]) for size in ("Key", "Nonce", "Tag")] == [KEY, NONCE, TAG]


@every_aead
@given(key=keys, nonce=nonces, plaintext=texts, aad=texts)
def test_what_is_sealed_opens(
    aead_id: AeadId, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes
) -> None:
    cipher = Aead(aead_id, key)
    sealed = cipher.seal(nonce, plaintext, aad)
    assert len(sealed) == len(plaintext) + TAG
    assert cipher.open(nonce, sealed, aad) == plaintext


@every_aead
@given(key=keys, nonce=nonces, plaintext=texts, aad=texts)
def test_views_are_read_and_written_in_place(
    aead_id: AeadId, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes
) -> None:
    """As the record layer does: every argument a part of one scratch buffer."""
    cipher = Aead(aead_id, key)
    source = memoryview(bytearray(aad + plaintext))
    wire = memoryview(bytearray(len(plaintext) + TAG + 2))
    body = wire[1:-1]
    assert cipher.seal_into(nonce, source[len(aad) :], source[: len(aad)], body) == len(body)
    assert body == cipher.seal(nonce, plaintext, aad)
    out = memoryview(bytearray(len(plaintext) + 2))
    assert cipher.open_into(nonce, body, source[: len(aad)], out[1:-1]) == len(plaintext)
    assert out == b"\0" + plaintext + b"\0"
    assert (wire[0], wire[-1]) == (0, 0)


@every_aead
@given(nonce=nonces, plaintext=texts, aad=texts, data=st.data())
def test_a_change_anywhere_is_refused(
    aead_id: AeadId, nonce: bytes, plaintext: bytes, aad: bytes, data: st.DataObject
) -> None:
    """One bit of nonce, ciphertext, tag or associated data; and no octet of plaintext is left behind."""
    cipher = Aead(aead_id, bytes(KEY))
    parts = bytearray(nonce + cipher.seal(nonce, plaintext, aad) + aad)
    parts[data.draw(st.integers(0, len(parts) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    end = NONCE + len(plaintext) + TAG
    changed = bytes(parts[:NONCE]), bytes(parts[NONCE:end]), bytes(parts[end:])
    with pytest.raises(Invalid):
        cipher.open(*changed)
    out = bytearray(b"\xff" * len(plaintext))
    with pytest.raises(Invalid):
        cipher.open_into(*changed, out)
    assert not any(out)


@every_aead
@pytest.mark.parametrize("size", range(TAG + 1))
def test_less_than_a_tag_is_refused(aead_id: AeadId, size: int) -> None:
    cipher = Aead(aead_id, bytes(KEY))
    with pytest.raises(Invalid):
        cipher.open(bytes(NONCE), bytes(size), b"")
    with pytest.raises(Invalid):
        cipher.open_into(bytes(NONCE), bytes(size), b"", bytearray(max(size - TAG, 0)))


@every_aead
@pytest.mark.parametrize("room", [-1, 1])
def test_a_buffer_of_wrong_size_is_the_callers_fault(aead_id: AeadId, room: int) -> None:
    cipher = Aead(aead_id, bytes(KEY))
    sealed = cipher.seal(bytes(NONCE), b"plain", b"")
    for call, octets, size in ((cipher.seal_into, b"plain", 5 + TAG), (cipher.open_into, sealed, 5)):
        with pytest.raises(ValueError, match="buffer") as raised:
            call(bytes(NONCE), octets, b"", bytearray(size + room))
        assert not isinstance(raised.value, Invalid)


@every_aead
@pytest.mark.parametrize("size", [0, 16, 24, 31, 33])
def test_a_key_of_another_size_is_refused(aead_id: AeadId, size: int) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Aead(aead_id, bytes(size))


@every_aead
@settings(max_examples=5)
@given(key=keys)
def test_repr_tells_no_secret(aead_id: AeadId, key: bytes) -> None:
    text = repr(Aead(aead_id, key))
    assert key.hex() not in text
    assert repr(key)[2:-1] not in text
