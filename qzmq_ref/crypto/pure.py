"""The provider for reading and for vectors: kyber-py and dilithium-py, in Python.

Everything follows from `entropy`, so whole handshakes can be written down and repeated. Neither library runs
in constant time: use `openssl` wherever a key is worth something.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Protocol, TypeVar

from dilithium_py.ml_dsa import ML_DSA_44, ML_DSA_65, ML_DSA_87
from kyber_py.ml_kem import ML_KEM_768, ML_KEM_1024

from qzmq_ref.crypto.provider import Entropy, Invalid
from qzmq_ref.registries import KemId, SigId


class _MlKem(Protocol):
    """The part of kyber-py's ML_KEM in use; the library has no types of its own."""

    random_bytes: Entropy

    def key_derive(self, seed: bytes) -> tuple[bytes, bytes]: ...
    def encaps(self, ek: bytes) -> tuple[bytes, bytes]: ...
    def decaps(self, dk: bytes, c: bytes) -> bytes: ...


class _MlDsa(Protocol):
    """The part of dilithium-py's ML_DSA in use."""

    random_bytes: Entropy

    def key_derive(self, seed: bytes) -> tuple[bytes, bytes]: ...
    def sign(self, sk: bytes, m: bytes, ctx: bytes) -> bytes: ...
    def verify(self, pk: bytes, m: bytes, sig: bytes, ctx: bytes) -> bool: ...


_ML_KEM: Mapping[KemId, _MlKem] = {KemId.ML_KEM_768: ML_KEM_768, KemId.ML_KEM_1024: ML_KEM_1024}
_ML_DSA: Mapping[SigId, _MlDsa] = {
    SigId.ML_DSA_44: ML_DSA_44,
    SigId.ML_DSA_65: ML_DSA_65,
    SigId.ML_DSA_87: ML_DSA_87,
}

_Algorithm = TypeVar("_Algorithm", _MlKem, _MlDsa)


def _drawing_from(entropy: Entropy, algorithm: _Algorithm) -> _Algorithm:
    """A copy whose random octets (m of FIPS 203, rnd of FIPS 204) come from `entropy`."""
    algorithm = copy(algorithm)
    algorithm.random_bytes = entropy
    return algorithm


class _DecapsulationKey:
    def __init__(self, ml_kem: _MlKem, seed: bytes) -> None:
        self._ml_kem = ml_kem
        self.public_key, self._key = ml_kem.key_derive(seed)

    def decapsulate(self, ciphertext: bytes) -> bytes:
        try:
            return self._ml_kem.decaps(self._key, ciphertext)
        except ValueError:
            raise Invalid(f"ML-KEM ciphertext of {len(ciphertext)} octets refused") from None


class _SigningKey:
    def __init__(self, ml_dsa: _MlDsa, seed: bytes) -> None:
        self._ml_dsa = ml_dsa
        self.public_key, self._key = ml_dsa.key_derive(seed)

    def sign(self, message: bytes, entropy: Entropy, context: bytes = b"") -> bytes:
        return _drawing_from(entropy, self._ml_dsa).sign(self._key, message, context)


class Pure:
    """`Provider` in Python; deterministic when `entropy` is."""

    name = "pure"

    def ml_kem_key(self, kem: KemId, seed: bytes) -> _DecapsulationKey:
        return _DecapsulationKey(_ML_KEM[kem], seed)

    def ml_kem_encapsulate(self, kem: KemId, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        try:
            secret, ciphertext = _drawing_from(entropy, _ML_KEM[kem]).encaps(public_key)
        except ValueError:
            raise Invalid(f"{kem.name} public key has a wrong length or modulus") from None
        return ciphertext, secret

    def ml_dsa_key(self, sig: SigId, seed: bytes) -> _SigningKey:
        return _SigningKey(_ML_DSA[sig], seed)

    def ml_dsa_verify(
        self, sig: SigId, public_key: bytes, signature: bytes, message: bytes, context: bytes = b""
    ) -> None:
        try:
            valid = _ML_DSA[sig].verify(public_key, message, signature, context)
        except ValueError:
            valid = False
        if not valid:
            raise Invalid(f"{sig.name} signature does not verify")
