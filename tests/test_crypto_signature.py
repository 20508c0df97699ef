"""Signature keys: both providers accept each other's signatures, and an SPKI is accepted in one form only."""

from __future__ import annotations

import hashlib
import random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, mlkem, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto import Entropy, Invalid, Provider, provider
from qzmq_ref.crypto.signature import PublicKey, SigningKey, public_key
from qzmq_ref.registries import SigId
from qzmq_ref.spec.tables import tables

PROVIDERS = [provider("openssl"), provider("pure")]
SEED = bytes(range(32))
KEYS = {sig: SigningKey.from_seed(sig, SEED, PROVIDERS[0]) for sig in SigId}
SIGNATURES = {sig: key.sign(b"message", bytes) for sig, key in KEYS.items()}
NULL = bytes.fromhex("0500")

every_provider = pytest.mark.parametrize("chosen", PROVIDERS, ids=lambda chosen: chosen.name)
every_sig = pytest.mark.parametrize("sig", SigId)
ml_dsa = pytest.mark.parametrize("sig", [SigId.ML_DSA_44, SigId.ML_DSA_65, SigId.ML_DSA_87])


def entropy(seed: int) -> Entropy:
    return random.Random(seed).randbytes


@every_sig
def test_sizes_are_the_specifications(sig: SigId) -> None:
    row = next(row for row in tables()["signatures"] if row["SigId"] == sig.name.lower())
    assert len(SIGNATURES[sig]) == int(row["Signature"])
    prefix = KEYS[sig].spki[: -int(row["Public key"])]
    assert prefix.endswith(b"\0")  # the unused bits of the BIT STRING
    assert public_key(prefix + bytes(int(row["Public key"])), PROVIDERS[0]).sig is sig


@pytest.mark.parametrize("signing", PROVIDERS, ids=lambda chosen: chosen.name)
@pytest.mark.parametrize("verifying", PROVIDERS, ids=lambda chosen: chosen.name)
@every_sig
@settings(max_examples=4, deadline=None)
@given(seed=st.binary(min_size=32, max_size=32), message=st.binary(max_size=200))
def test_providers_interoperate(
    sig: SigId, verifying: Provider, signing: Provider, seed: bytes, message: bytes
) -> None:
    key = SigningKey.from_seed(sig, seed, signing)
    signature = key.sign(message, entropy(len(message)))
    public_key(key.spki, verifying).verify(signature, message)
    with pytest.raises(Invalid):
        public_key(key.spki, verifying).verify(signature, message + b"\0")


@every_sig
def test_keys_follow_from_the_seed_in_both_providers(sig: SigId) -> None:
    assert [SigningKey.from_seed(sig, SEED, chosen).spki for chosen in PROVIDERS] == [KEYS[sig].spki] * 2


@ml_dsa
def test_signing_is_hedged(sig: SigId) -> None:
    """FIPS 204 algorithm 2: fresh rnd each time; in `pure` it comes from entropy."""
    assert KEYS[sig].sign(b"message", bytes) != KEYS[sig].sign(b"message", bytes)
    key = SigningKey.from_seed(sig, SEED, provider("pure"))
    first, again, other = (key.sign(b"message", entropy(seed)) for seed in (1, 1, 2))
    assert first == again != other


@every_provider
@every_sig
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_changed_signature_is_refused(sig: SigId, chosen: Provider, data: st.DataObject) -> None:
    """Wherever the change is, the hint of ML-DSA included; and nothing but `Invalid` is raised."""
    forged = bytearray(SIGNATURES[sig])
    position = data.draw(st.integers(0, len(forged) - 1))
    forged[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Invalid):
        verifier(sig, chosen).verify(bytes(forged), b"message")


@every_provider
@every_sig
@pytest.mark.parametrize("length", [0, 1, -1])
def test_a_signature_of_wrong_length_is_refused(sig: SigId, chosen: Provider, length: int) -> None:
    signature = SIGNATURES[sig] + b"\0" if length == 1 else SIGNATURES[sig][:length]
    with pytest.raises(Invalid, match="octets"):
        verifier(sig, chosen).verify(signature, b"message")


@every_sig
def test_another_key_is_refused(sig: SigId) -> None:
    other = SigningKey.from_seed(sig, SEED[::-1], PROVIDERS[0])
    with pytest.raises(Invalid):
        public_key(other.spki, PROVIDERS[0]).verify(SIGNATURES[sig], b"message")


@every_sig
def test_pin_is_sha_256_of_the_spki(sig: SigId) -> None:
    expected = hashlib.sha256(KEYS[sig].spki).digest()
    assert KEYS[sig].pin == verifier(sig, PROVIDERS[0]).pin == expected


@every_sig
@settings(max_examples=50)
@given(data=st.data())
def test_every_octet_before_the_key_is_fixed(sig: SigId, data: st.DataObject) -> None:
    """Tags, lengths, algorithm, absent parameters, unused bits: RFC 5280 section 4.1 in DER."""
    row = next(row for row in tables()["signatures"] if row["SigId"] == sig.name.lower())
    spki = bytearray(KEYS[sig].spki)
    position = data.draw(st.integers(0, len(spki) - int(row["Public key"]) - 1))
    spki[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Invalid):
        public_key(bytes(spki), PROVIDERS[0])


@every_sig
def test_trailing_and_missing_octets_are_refused(sig: SigId) -> None:
    spki = KEYS[sig].spki
    for octets in (spki + b"\0", spki[:-1], spki[1:], b""):
        with pytest.raises(Invalid):
            public_key(octets, PROVIDERS[0])


def test_parameters_are_refused() -> None:
    """RFC 8410 section 3: they must be absent, a NULL included."""
    with_null = bytes.fromhex("302c3007 06032b6570") + NULL + KEYS[SigId.ED25519].spki[9:]
    with pytest.raises(Invalid):
        public_key(with_null, PROVIDERS[0])


def test_other_algorithms_are_refused() -> None:
    der = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    for spki in (
        x25519.X25519PrivateKey.generate().public_key().public_bytes(*der),
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*der),
        mlkem.MLKEM768PrivateKey.generate().public_key().public_bytes(*der),
    ):
        with pytest.raises(Invalid):
            public_key(spki, PROVIDERS[0])


@pytest.mark.parametrize("size", [0, 31, 33, 64])
@every_sig
def test_a_seed_of_wrong_size_is_the_callers_fault(sig: SigId, size: int) -> None:
    with pytest.raises(LocalError, match="qzmq keygen"):
        SigningKey.from_seed(sig, bytes(size), PROVIDERS[0])


@every_provider
@every_sig
def test_repr_tells_no_secret(sig: SigId, chosen: Provider) -> None:
    text = repr(SigningKey.from_seed(sig, b"\xa7" * 32, chosen))
    assert sig.name in text
    assert "a7a7" not in text
    assert "\\xa7\\xa7" not in text


def verifier(sig: SigId, chosen: Provider) -> PublicKey:
    return public_key(KEYS[sig].spki, chosen)
