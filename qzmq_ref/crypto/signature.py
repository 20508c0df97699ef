"""Signature keys as SubjectPublicKeyInfo, and what they sign (table `signatures`).

An SPKI here is one fixed DER prefix, then the key. So unknown algorithms, parameters (RFC 8410 section 3 and
RFC 9881 section 2 want none), other encodings and trailing octets are all refused by one comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto.provider import Entropy, Invalid, Provider, SignaturePrivateKey
from qzmq_ref.registries import SigId

SEED = 32
PIN = 32


@dataclass(frozen=True)
class _Algorithm:
    spki_prefix: bytes
    public_key_size: int
    signature_size: int


_ALGORITHMS: Mapping[SigId, _Algorithm] = {
    SigId.ED25519: _Algorithm(bytes.fromhex("302a300506032b6570032100"), 32, 64),
    SigId.ML_DSA_44: _Algorithm(bytes.fromhex("30820532300b06096086480165030403110382052100"), 1312, 2420),
    SigId.ML_DSA_65: _Algorithm(bytes.fromhex("308207b2300b0609608648016503040312038207a100"), 1952, 3309),
    SigId.ML_DSA_87: _Algorithm(bytes.fromhex("30820a32300b060960864801650304031303820a2100"), 2592, 4627),
}


def pin(spki: bytes) -> bytes:
    """The 32 octets a key is known by: SHA-256 of its SPKI."""
    return sha256(spki).digest()


@dataclass(frozen=True)
class SigningKey:
    """A secret signature key. `spki` is DER, `pin` its SHA-256."""

    sig: SigId
    spki: bytes = field(repr=False)
    pin: bytes
    _key: SignaturePrivateKey = field(repr=False, compare=False)

    @classmethod
    def from_seed(cls, sig: SigId, seed: bytes, provider: Provider) -> SigningKey:
        """The key that follows from 32 octets: RFC 8032's private key, or xi of FIPS 204 algorithm 6."""
        if len(seed) != SEED:
            raise LocalError(f"a secret key has {SEED} octets, not {len(seed)}: make one with `qzmq keygen`")
        key = _Ed25519Key(seed) if sig is SigId.ED25519 else provider.ml_dsa_key(sig, seed)
        spki = _ALGORITHMS[sig].spki_prefix + key.public_key
        return cls(sig, spki, pin(spki), key)

    def sign(self, message: bytes, entropy: Entropy) -> bytes:
        """A signature; ML-DSA is pure, with empty context, hedged by `entropy` (FIPS 204 algorithm 2)."""
        return self._key.sign(message, entropy)


@dataclass(frozen=True)
class PublicKey:
    """A peer's signature key, taken from its SPKI by `public_key`."""

    sig: SigId
    spki: bytes = field(repr=False)
    pin: bytes
    _provider: Provider = field(repr=False, compare=False)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Returns if `signature` is this key's over `message`, raises `Invalid` if not."""
        algorithm = _ALGORITHMS[self.sig]
        if len(signature) != algorithm.signature_size:
            raise Invalid(f"{self.sig.name} signature has {len(signature)} octets")
        key = self.spki[len(algorithm.spki_prefix) :]
        if self.sig is SigId.ED25519:
            _verify_ed25519(key, signature, message)
        else:
            self._provider.ml_dsa_verify(self.sig, key, signature, message)


def public_key(spki: bytes, provider: Provider) -> PublicKey:
    """The key in a DER SubjectPublicKeyInfo; `Invalid` if it is not exactly one of a known algorithm."""
    for sig, algorithm in _ALGORITHMS.items():
        size = len(algorithm.spki_prefix) + algorithm.public_key_size
        if len(spki) == size and spki.startswith(algorithm.spki_prefix):
            return PublicKey(sig, spki, pin(spki), provider)
    raise Invalid(f"{len(spki)} octets are no SubjectPublicKeyInfo of a signature algorithm of QZMQ/1")


class _Ed25519Key:
    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public_key = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes, entropy: Entropy, context: bytes = b"") -> bytes:  # noqa: ARG002 (RFC 8032 has none)
        return self._key.sign(message)


def _verify_ed25519(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Invalid("ED25519 signature does not verify") from None
