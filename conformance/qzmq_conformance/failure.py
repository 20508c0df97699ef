"""How a case ends that does not succeed: the target failed, lacks what it needs, or could not even be driven."""

from __future__ import annotations


class Failed(Exception):
    """The target misbehaved: `seen` instead of what the case expected."""

    def __init__(self, seen: str, expected: str = "") -> None:
        super().__init__(seen)
        self.seen = seen
        self.expected = expected


class Unsupported(Exception):
    """The adapter says that the target lacks what the case needs: no verdict, and the case is counted apart."""


class Undriven(Exception):
    """The target could not be driven at all (exit status 2): no verdict on the protocol follows."""
