"""The raw binding: a length before each message, for STREAM and for any other octets (spec/bindings.md)."""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import structure

GREETING_SIZE = 8

_GREETINGS = {"client": b"QZMQ/1C\n", "server": b"QZMQ/1S\n"}
_ROLE = 6
_LENGTH = Struct(">I")


@structure("RawFrame")
@dataclass(frozen=True)
class RawFrame:
    """One message as it is framed. `RawBinding` reads and writes the same by hand, for speed."""

    message: bytes = field(repr=False)


class RawBinding:
    """QZMQ straight over an octet stream: a greeting of 8 octets, then `uint32 length || message`."""

    __slots__ = ("_greeting", "_peer_greeting", "_role", "_wanted")

    def __init__(self, role: Role) -> None:
        self._role = role
        self._greeting = _GREETINGS[role]
        self._wanted = _GREETINGS["server" if role == "client" else "client"]
        self._peer_greeting = b""

    def greeting(self) -> bytes:
        """The 8 octets of this side (RAW-1)."""
        return self._greeting

    def receive_greeting(self, view: memoryview) -> int:
        """8 once the peer's greeting is whole and right, else 0 (RAW-4); Alert as soon as an octet is wrong."""
        octets = bytes(view[:GREETING_SIZE])
        if not self._wanted.startswith(octets):
            raise self._refusal(octets)
        if len(octets) < GREETING_SIZE:
            return 0
        self._peer_greeting = octets
        return GREETING_SIZE

    def _refusal(self, octets: bytes) -> Alert:
        """The alert of the first wrong octet (RAW-2, RAW-3)."""
        if self._wanted[:_ROLE] == octets[:_ROLE] and self._wanted[_ROLE] != octets[_ROLE]:
            detail = f"role {octets[_ROLE : _ROLE + 1]!r}: one side must be the server, the other the client"
            return Alert(AlertDescription.ILLEGAL_PARAMETER, "RAW-3", detail)
        return Alert(AlertDescription.DECODE_ERROR, "RAW-2", f"not QZMQ over raw: {octets!r}")

    @property
    def prologue(self) -> bytes:
        """The client's greeting, then the server's, as they crossed the wire."""
        if not self._peer_greeting:
            raise LocalError("there is no prologue before the peer's whole greeting: call receive_greeting first")
        both = (self._greeting, self._peer_greeting)
        return b"".join(both if self._role == "client" else both[::-1])

    def header(self, length: int) -> bytes:
        """What stands before a message of `length` octets."""
        return _LENGTH.pack(length)

    def message(self, view: memoryview, limit: int) -> tuple[int, int] | None:
        """Start and end of the first message, None if octets are missing.

        Raises Alert on an empty message (RAW-5) and on one of more than `limit` octets (RAW-6), before its body comes.
        """
        if len(view) < _LENGTH.size:
            return None
        (length,) = _LENGTH.unpack_from(view)
        if not length:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "RAW-5", "message without an octet")
        if length > limit:
            detail = f"message of {length} octets, the limit is {limit}"
            raise Alert(AlertDescription.RECORD_OVERFLOW, "RAW-6", detail)
        end = _LENGTH.size + length
        return (_LENGTH.size, end) if len(view) >= end else None
