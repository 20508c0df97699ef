"""Primitives of QZMQ/1: one interface each for KEM, signature, AEAD and hash, over two providers."""

from __future__ import annotations

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto.openssl import OpenSsl
from qzmq_ref.crypto.provider import Buffer, Entropy, Invalid, Provider

__all__ = ["Buffer", "Entropy", "Invalid", "Provider", "provider"]


def provider(name: str = "openssl") -> Provider:
    """The provider of that name: `openssl` for use, `pure` for reading and for vectors."""
    if name == "openssl":
        return OpenSsl()
    if name == "pure":
        from qzmq_ref.crypto.pure import Pure  # here, because most programs never need it

        return Pure()
    raise LocalError(f"no crypto provider {name!r}: choose 'openssl' or 'pure'")
