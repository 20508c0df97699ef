"""Z85 (ZeroMQ RFC 32): how keys and pins are written for people."""

from __future__ import annotations

import base64

_BASE85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
_TO_Z85 = bytes.maketrans(_BASE85, _Z85)
_FROM_Z85 = bytes.maketrans(_Z85, _BASE85)


def encode(octets: bytes) -> bytes:
    """Five characters for every four octets; 32 octets make 40 characters."""
    if len(octets) % 4:
        raise ValueError(f"Z85 writes multiples of 4 octets, not {len(octets)}")
    return base64.b85encode(octets).translate(_TO_Z85)


def decode(text: bytes) -> bytes:
    """The octets that `text` writes. Raises ValueError if it is not Z85; the message does not repeat it."""
    if len(text) % 5 or set(text) - set(_Z85):
        raise ValueError("not Z85")
    try:
        return base64.b85decode(text.translate(_FROM_Z85))
    except ValueError:
        raise ValueError("not Z85") from None
