"""Record protection (table `aeads`). The hot path of the library: one call into OpenSSL, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

from qzmq_ref.crypto.provider import Buffer, Invalid
from qzmq_ref.registries import AeadId

KEY = 32
NONCE = 12
TAG = 16

_CIPHERS: Mapping[AeadId, type[AESGCM] | type[ChaCha20Poly1305]] = {
    AeadId.AES_256_GCM: AESGCM,
    AeadId.CHACHA20_POLY1305: ChaCha20Poly1305,
}


class Aead:
    """One key of an AEAD with a 12-octet nonce and a 16-octet tag after the ciphertext.

    `seal(nonce, plaintext, aad)` returns ciphertext || tag; `seal_into(nonce, plaintext, aad, out)` writes it
    to `out`, which has exactly its length, and returns that. Both are `cryptography`'s own functions.
    """

    __slots__ = ("_open", "_open_into", "seal", "seal_into")

    seal: Callable[[Buffer, Buffer, Buffer], bytes]
    seal_into: Callable[[Buffer, Buffer, Buffer, Buffer], int]

    def __init__(self, aead_id: AeadId, key: bytes) -> None:
        if len(key) != KEY:  # AESGCM would take 16 octets and be AES-128
            raise ValueError(f"an AEAD key has {KEY} octets, not {len(key)}")
        cipher = _CIPHERS[aead_id](key)
        self.seal, self.seal_into = cipher.encrypt, cipher.encrypt_into
        self._open, self._open_into = cipher.decrypt, cipher.decrypt_into

    def open(self, nonce: Buffer, sealed: Buffer, aad: Buffer) -> bytes:
        """The plaintext, or `Invalid`."""
        try:
            return self._open(nonce, sealed, aad)
        except InvalidTag:
            raise Invalid("AEAD tag does not match") from None

    def open_into(self, nonce: Buffer, sealed: Buffer, aad: Buffer, out: memoryview | bytearray) -> int:
        """Writes the plaintext to `out`, which has exactly its length, and returns that; or `Invalid`.

        OpenSSL decrypts before it compares the tag, so a failure wipes `out`: nothing forged stays behind.
        """
        try:
            return self._open_into(nonce, sealed, aad, out)
        except InvalidTag:
            out[:] = bytes(len(out))
            raise Invalid("AEAD tag does not match") from None
