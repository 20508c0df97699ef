"""The provider for use: OpenSSL, through `cryptography`.

OpenSSL draws the randomness of encapsulation and of hedged signing itself, so `entropy` cannot fix it here:
two runs from the same entropy agree on every key, but not on ciphertexts and signatures. `pure` is for that.
"""

from __future__ import annotations

from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import mldsa, mlkem

from qzmq_ref.crypto.provider import Entropy, Invalid
from qzmq_ref.registries import KemId, SigId

_KemPrivate = mlkem.MLKEM768PrivateKey | mlkem.MLKEM1024PrivateKey
_KemPublic = mlkem.MLKEM768PublicKey | mlkem.MLKEM1024PublicKey
_SigPrivate = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey
_SigPublic = mldsa.MLDSA44PublicKey | mldsa.MLDSA65PublicKey | mldsa.MLDSA87PublicKey

_ML_KEM: Mapping[KemId, tuple[type[_KemPrivate], type[_KemPublic]]] = {
    KemId.ML_KEM_768: (mlkem.MLKEM768PrivateKey, mlkem.MLKEM768PublicKey),
    KemId.ML_KEM_1024: (mlkem.MLKEM1024PrivateKey, mlkem.MLKEM1024PublicKey),
}
_ML_DSA: Mapping[SigId, tuple[type[_SigPrivate], type[_SigPublic]]] = {
    SigId.ML_DSA_44: (mldsa.MLDSA44PrivateKey, mldsa.MLDSA44PublicKey),
    SigId.ML_DSA_65: (mldsa.MLDSA65PrivateKey, mldsa.MLDSA65PublicKey),
    SigId.ML_DSA_87: (mldsa.MLDSA87PrivateKey, mldsa.MLDSA87PublicKey),
}


class _DecapsulationKey:
    def __init__(self, key: _KemPrivate) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        try:
            return self._key.decapsulate(ciphertext)
        except ValueError:
            raise Invalid(f"ML-KEM ciphertext of {len(ciphertext)} octets refused") from None


class _SigningKey:
    def __init__(self, key: _SigPrivate) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def sign(self, message: bytes, entropy: Entropy, context: bytes = b"") -> bytes:  # noqa: ARG002 (see above)
        return self._key.sign(message, context)


class OpenSsl:
    """`Provider` through OpenSSL."""

    name = "openssl"

    def ml_kem_key(self, kem: KemId, seed: bytes) -> _DecapsulationKey:
        private, _ = _ML_KEM[kem]
        return _DecapsulationKey(private.from_seed_bytes(seed))

    def ml_kem_encapsulate(
        self,
        kem: KemId,
        public_key: bytes,
        entropy: Entropy,  # noqa: ARG002 (see above)
    ) -> tuple[bytes, bytes]:
        _, public = _ML_KEM[kem]
        try:
            secret, ciphertext = public.from_public_bytes(public_key).encapsulate()
        except ValueError:
            raise Invalid(f"{kem.name} public key has a wrong length or modulus") from None
        return ciphertext, secret

    def ml_dsa_key(self, sig: SigId, seed: bytes) -> _SigningKey:
        private, _ = _ML_DSA[sig]
        return _SigningKey(private.from_seed_bytes(seed))

    def ml_dsa_verify(
        self, sig: SigId, public_key: bytes, signature: bytes, message: bytes, context: bytes = b""
    ) -> None:
        _, public = _ML_DSA[sig]
        try:
            public.from_public_bytes(public_key).verify(signature, message, context)
        except (InvalidSignature, ValueError):
            raise Invalid(f"{sig.name} signature does not verify") from None
