"""GREASE (RFC 8701): values that mean nothing, so that peers keep ignoring what they do not know (REG-11, REG-12)."""

from __future__ import annotations

from qzmq_ref.crypto import Entropy
from qzmq_ref.registries import Extension

VALUES: tuple[int, ...] = tuple(0x10 * i + 0x0A for i in range(16))
"""The octets that RFC 8701's sixteen 16-bit values repeat: 0x0A, 0x1A ... 0xFA."""


def octet(entropy: Entropy) -> int:
    """One of the sixteen GREASE octets."""
    return VALUES[entropy(1)[0] % 16]


def extension(entropy: Entropy) -> Extension:
    """An empty extension of a GREASE type."""
    value = octet(entropy)
    return Extension(value << 8 | value, b"")
