"""Who watches connections: nobody, unless the Context was given an observer before a socket bound or connected.

Without an observer connections are the protocol core as it is, so that watching costs nothing where nobody watches.
With one, each is a `WatchedConnection`, which is the only thing that knows of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from qzmq_ref.connection import Configuration, Ended, Peer

Direction = Literal["sent", "received"]


class Watch(Protocol):
    """What is told of one connection, in the bridge's thread: each call returns at once and raises nothing."""

    def carried(self, direction: Direction, octets: int, messages: int, seconds: float) -> None:
        """`octets` of ZMTP traffic, the ends of `messages` in them, were sealed or opened within `seconds`."""

    def stepped(self, direction: Direction, steps: int) -> None:
        """The direction's key went on by so many steps (ROT-2)."""

    def rekeyed(self, seconds: float | None) -> None:
        """A generation began (ROT-8), `seconds` after this side asked for it; None if the peer asked."""

    def established(self, peer: Peer, seconds: float) -> None:
        """The peer is authenticated, `seconds` after the connection began."""

    def ended(self, ended: Ended, *, established: bool) -> None:
        """The last call: why it is over, and whether that was after `established`."""


Observe = Callable[[Configuration], Watch]
"""Called for each connection, with what it is configured to."""
