"""How messages are framed on the wire (spec/bindings.md): what `ZmtpBinding` and `RawBinding` have in common."""

from __future__ import annotations

from typing import Protocol


class Binding(Protocol):
    """The framing of one side of one connection."""

    @property
    def prologue(self) -> bytes:
        """Both sides' greetings as they crossed the wire, the client's first."""

    def greeting(self) -> bytes:
        """All octets this side sends at once, before anything else."""

    def receive_greeting(self, view: memoryview) -> int:
        """Octets of the peer's greeting once it is whole and right, else 0; Alert as soon as an octet is wrong."""

    def header(self, length: int) -> bytes:
        """What stands before a message of `length` octets."""

    def message(self, view: memoryview, limit: int) -> tuple[int, int] | None:
        """Start and end of the first whole message, None if octets are missing; Alert on bad framing or length."""
