"""Key encapsulation: X25519 as a KEM, ML-KEM, and the two side by side (tables `kems`; REG-3 to REG-6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from qzmq_ref.crypto.provider import Entropy, Invalid, KemPrivateKey, Provider
from qzmq_ref.registries import KemId

_X25519_SIZE = 32
_ML_KEM_SEED = 64  # d || z
_ML_KEM_SIZES: Mapping[KemId, tuple[int, int]] = {
    KemId.ML_KEM_768: (1184, 1088),
    KemId.ML_KEM_1024: (1568, 1568),
}
_HYBRIDS: Mapping[KemId, KemId] = {
    KemId.X25519_ML_KEM_768: KemId.ML_KEM_768,
    KemId.X25519_ML_KEM_1024: KemId.ML_KEM_1024,
}


class Kem(Protocol):
    """One row of the table `kems`. Sizes in octets."""

    @property
    def public_key_size(self) -> int: ...
    @property
    def ciphertext_size(self) -> int: ...

    def generate(self, entropy: Entropy) -> KemPrivateKey:
        """A fresh key pair; a hybrid draws 64 octets for ML-KEM, then 32 for X25519."""

    def encapsulate(self, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        """Ciphertext and secret for a peer's public key, which is checked first: `Invalid` (REG-4, REG-6)."""


def kem(kem_id: KemId, provider: Provider) -> Kem:
    """The KEM of that code point, its ML-KEM part by `provider`."""
    if kem_id is KemId.X25519:
        return _X25519()
    if kem_id in _HYBRIDS:
        return _Hybrid(_MlKem(_HYBRIDS[kem_id], provider), _X25519())
    return _MlKem(kem_id, provider)


def _check_length(what: str, octets: bytes, size: int) -> None:
    if len(octets) != size:
        raise Invalid(f"{what} has {len(octets)} octets, not {size}")


class _X25519PrivateKey:
    def __init__(self, key: X25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes_raw()

    def decapsulate(self, ciphertext: bytes) -> bytes:
        _check_length("X25519 public value", ciphertext, _X25519_SIZE)
        try:
            return self._key.exchange(X25519PublicKey.from_public_bytes(ciphertext))
        except ValueError:
            raise Invalid("X25519 shared secret is all zero", "REG-6") from None


class _X25519:
    """Ephemeral Diffie-Hellman seen as a KEM: the ciphertext is the other ephemeral public key."""

    public_key_size = _X25519_SIZE
    ciphertext_size = _X25519_SIZE

    def generate(self, entropy: Entropy) -> _X25519PrivateKey:
        return _X25519PrivateKey(X25519PrivateKey.from_private_bytes(entropy(_X25519_SIZE)))

    def encapsulate(self, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        ephemeral = self.generate(entropy)
        return ephemeral.public_key, ephemeral.decapsulate(public_key)


@dataclass(frozen=True)
class _CheckedMlKemPrivateKey:
    """Refuses a ciphertext of the wrong length alike for every provider (FIPS 203 section 7.3)."""

    key: KemPrivateKey
    ciphertext_size: int

    @property
    def public_key(self) -> bytes:
        return self.key.public_key

    def decapsulate(self, ciphertext: bytes) -> bytes:
        _check_length("ML-KEM ciphertext", ciphertext, self.ciphertext_size)
        return self.key.decapsulate(ciphertext)


class _MlKem:
    def __init__(self, kem_id: KemId, provider: Provider) -> None:
        self._id = kem_id
        self._provider = provider
        self.public_key_size, self.ciphertext_size = _ML_KEM_SIZES[kem_id]

    def generate(self, entropy: Entropy) -> _CheckedMlKemPrivateKey:
        key = self._provider.ml_kem_key(self._id, entropy(_ML_KEM_SEED))
        return _CheckedMlKemPrivateKey(key, self.ciphertext_size)

    def encapsulate(self, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        _check_length("ML-KEM public key", public_key, self.public_key_size)
        return self._provider.ml_kem_encapsulate(self._id, public_key, entropy)


@dataclass(frozen=True)
class _HybridPrivateKey:
    ml_kem: KemPrivateKey
    x25519: KemPrivateKey

    @property
    def public_key(self) -> bytes:
        return self.ml_kem.public_key + self.x25519.public_key

    def decapsulate(self, ciphertext: bytes) -> bytes:
        ml_kem, x25519 = _parts(ciphertext)
        return self.ml_kem.decapsulate(ml_kem) + self.x25519.decapsulate(x25519)


class _Hybrid:
    """Key, ciphertext and secret are each ML-KEM part || X25519 part (REG-3)."""

    def __init__(self, ml_kem: _MlKem, x25519: _X25519) -> None:
        self._ml_kem = ml_kem
        self._x25519 = x25519
        self.public_key_size = ml_kem.public_key_size + x25519.public_key_size
        self.ciphertext_size = ml_kem.ciphertext_size + x25519.ciphertext_size

    def generate(self, entropy: Entropy) -> _HybridPrivateKey:
        return _HybridPrivateKey(self._ml_kem.generate(entropy), self._x25519.generate(entropy))

    def encapsulate(self, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        ml_kem, x25519 = _parts(public_key)
        ciphertext, secret = self._ml_kem.encapsulate(ml_kem, entropy)
        ephemeral, shared = self._x25519.encapsulate(x25519, entropy)
        return ciphertext + ephemeral, secret + shared


def _parts(octets: bytes) -> tuple[bytes, bytes]:
    """ML-KEM part and X25519 part; each checks its own length afterwards."""
    return octets[:-_X25519_SIZE], octets[-_X25519_SIZE:]
