"""ZMTP 3.1 (RFC 37) as far as QZMQ needs it: greetings, commands, and the zmtp binding (spec/bindings.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from struct import Struct

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.metadata import Metadata, Property
from qzmq_ref.patterns import MECHANISM
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import load, structure

GREETING_SIZE = 64

OPENING = 11
"""Octets of a greeting that are the same for every mechanism: signature and major version."""

COMMAND, LONG_COMMAND = 0x04, 0x06
MAX_SHORT = 255

_NAME = bytes([len(MECHANISM)]) + MECHANISM
_FRAMES: Mapping[int, Struct] = {COMMAND: Struct(">BB"), LONG_COMMAND: Struct(">BQ")}  # flags -> flags, size
_HEADERS: Mapping[int, Struct] = {  # the same, with the command's name
    COMMAND: Struct(f">BB{len(_NAME)}s"),
    LONG_COMMAND: Struct(f">BQ{len(_NAME)}s"),
}


@structure("Greeting")
@dataclass(frozen=True)
class Greeting:
    """The first 64 octets of each side."""

    signature_start: int
    padding: bytes
    signature_end: int
    version_major: int
    version_minor: int
    mechanism: bytes
    as_server: int
    filler: bytes


@cache
def greeting(mechanism: bytes, *, as_server: bool) -> bytes:
    """The greeting of a side that speaks `mechanism`."""
    return load().build(
        Greeting(0xFF, bytes(8), 0x7F, 3, 1, mechanism.ljust(20, b"\0"), int(as_server), filler=bytes(31))
    )


def check_greeting(octets: bytes, mechanism: bytes, *, as_server: bool) -> None:
    """Compare what has come of a peer's greeting with what it must be; `as_server` is the peer's.

    Raises the Alert of the first wrong octet (ZMTP-2 to ZMTP-6), however few there are.
    """
    right = greeting(mechanism, as_server=as_server)[: len(octets)]
    if (octets[0:1], octets[9:10]) != (right[0:1], right[9:10]):
        raise Alert(AlertDescription.DECODE_ERROR, "ZMTP-2", f"not ZMTP: {octets[:10]!r}")
    if octets[10:12] < right[10:12]:
        raise Alert(AlertDescription.PROTOCOL_VERSION, "ZMTP-3", f"ZMTP version {octets[10:12].hex('.')}")
    if octets[12:32] != right[12:32]:
        raise Alert(AlertDescription.HANDSHAKE_FAILURE, "ZMTP-4", f"mechanism {octets[12:32]!r}")
    if octets[32:33] != right[32:33]:
        detail = f"as-server {octets[32]}: one side must be the server, the other the client"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "ZMTP-5", detail)


def command(name: bytes, body: bytes) -> bytes:
    """A whole command frame."""
    size = 1 + len(name) + len(body)
    flags = _flags(size)
    return _FRAMES[flags].pack(flags, size) + bytes([len(name)]) + name + body


def ready(properties: Iterable[Property]) -> bytes:
    """READY of mechanism NULL, for the hop between a local socket and its bridge."""
    return command(b"READY", load().build(Metadata(tuple(properties))))


def error(reason: bytes) -> bytes:
    """ERROR of mechanism NULL. libzmq reads three digits as a ZAP status and gives up connecting."""
    return command(b"ERROR", bytes([len(reason)]) + reason)


def after_ready(octets: bytes) -> int | None:
    """Where traffic begins, behind a greeting and the READY of mechanism NULL; None while these are not whole."""
    frame = octets[GREETING_SIZE:]
    if not frame or len(frame) < (header := _FRAMES[frame[0]]).size:
        return None
    _, size = header.unpack_from(frame)
    end = GREETING_SIZE + header.size + int(size)
    return end if len(octets) >= end else None


def _flags(size: int) -> int:
    """The short form if it can be (ZMTP-9)."""
    return COMMAND if size <= MAX_SHORT else LONG_COMMAND


class ZmtpBinding:
    """QZMQ over ZMTP 3.1: every message one command named QZMQ."""

    __slots__ = ("_greeting", "_peer_greeting", "_role")

    def __init__(self, role: Role) -> None:
        self._role = role
        self._greeting = greeting(MECHANISM, as_server=role == "server")
        self._peer_greeting = b""

    def greeting(self) -> bytes:
        """The 64 octets of this side (ZMTP-1)."""
        return self._greeting

    def receive_greeting(self, view: memoryview) -> int:
        """64 once the peer's greeting is whole and right, else 0 (ZMTP-7); Alert as soon as an octet is wrong."""
        octets = bytes(view[:GREETING_SIZE])
        check_greeting(octets, MECHANISM, as_server=self._role == "client")
        if len(octets) < GREETING_SIZE:
            return 0
        self._peer_greeting = octets
        return GREETING_SIZE

    @property
    def prologue(self) -> bytes:
        """The client's greeting, then the server's, as they crossed the wire."""
        if not self._peer_greeting:
            raise LocalError("there is no prologue before the peer's whole greeting: call receive_greeting first")
        both = (self._greeting, self._peer_greeting)
        return b"".join(both if self._role == "client" else both[::-1])

    def header(self, length: int) -> bytes:
        """What stands before a message of `length` octets: flags, size, command name."""
        size = len(_NAME) + length
        flags = _flags(size)
        return _HEADERS[flags].pack(flags, size, _NAME)

    def message(self, view: memoryview, limit: int) -> tuple[int, int] | None:
        """Start and end of the first message, None if octets are missing.

        Raises Alert on anything but a QZMQ command (ZMTP-8) and on a message of more than `limit` octets (ZMTP-10),
        as soon as the octets that say so are there.
        """
        if not view:
            return None
        header = _HEADERS.get(view[0])
        if header is None:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "ZMTP-8", f"frame with flags 0x{view[0]:02x}")
        missing = header.size - len(view)
        if missing > len(_NAME):  # not even the size is whole
            return None
        # What the name still lacks counts as right, so that the octets already there are judged now.
        octets = view if missing <= 0 else bytes(view) + _NAME[-missing:]
        _, size, name = header.unpack_from(octets)
        start, end = header.size, header.size - len(_NAME) + size
        if end - start > limit:
            detail = f"message of {end - start} octets, the limit is {limit}"
            raise Alert(AlertDescription.RECORD_OVERFLOW, "ZMTP-10", detail)
        if name != _NAME or start >= end:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "ZMTP-8", f"command of {size} octets named {name!r}")
        return (start, end) if len(view) >= end else None
