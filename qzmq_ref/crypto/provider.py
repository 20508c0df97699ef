"""What a provider of FIPS 203 and FIPS 204 offers, and the words that all of `crypto` shares."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from qzmq_ref.registries import KemId, SigId

Buffer = bytes | bytearray | memoryview
Entropy = Callable[[int], bytes]
"""A source of secret randomness: given n, n octets."""


class Invalid(ValueError):
    """Octets from a peer failed a check: a length, a modulus, a tag, a signature. Says nothing secret.

    `requirement` is the rule that was broken, where it is not the one of the place the octets stood in.
    """

    def __init__(self, detail: str = "", requirement: str = "") -> None:
        super().__init__(detail)
        self.requirement = requirement


class KemPrivateKey(Protocol):
    """The half of a KEM key that decapsulates. Drop the object and the secret is gone."""

    @property
    def public_key(self) -> bytes:
        """The encapsulation key, as it crosses the wire."""

    def decapsulate(self, ciphertext: bytes) -> bytes:
        """The shared secret; a forged ML-KEM ciphertext gives another one, silently (FIPS 203 section 6.3).

        Raises `Invalid` if the ciphertext has the wrong length (REG-5) or the result is refused (REG-6).
        """


class SignaturePrivateKey(Protocol):
    """The half of a signature key that signs."""

    @property
    def public_key(self) -> bytes:
        """The verification key, without the SPKI around it."""

    def sign(self, message: bytes, entropy: Entropy, context: bytes = b"") -> bytes:
        """A signature over `message`. QZMQ's `context` is empty; known answers of FIPS 204 have others."""


class Provider(Protocol):
    """ML-KEM and ML-DSA from one implementation. Everything else always comes from `cryptography`."""

    @property
    def name(self) -> str:
        """`openssl` or `pure`."""

    def ml_kem_key(self, kem: KemId, seed: bytes) -> KemPrivateKey:
        """The key pair that follows from the 64 octets d || z (FIPS 203 algorithm 16)."""

    def ml_kem_encapsulate(self, kem: KemId, public_key: bytes, entropy: Entropy) -> tuple[bytes, bytes]:
        """Ciphertext and secret (FIPS 203 algorithm 20). Raises `Invalid` on length or modulus (REG-4)."""

    def ml_dsa_key(self, sig: SigId, seed: bytes) -> SignaturePrivateKey:
        """The key pair that follows from the 32 octets xi (FIPS 204 algorithm 6); it signs hedged."""

    def ml_dsa_verify(
        self, sig: SigId, public_key: bytes, signature: bytes, message: bytes, context: bytes = b""
    ) -> None:
        """Returns if the signature is valid (FIPS 204 algorithm 3), raises `Invalid` if not."""
