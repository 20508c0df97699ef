"""Who may begin a handshake now: of a thousand begun at once, most are half done when their time is over (SEC-2)."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from qzmq_ref.bridge.loop import Timer

ROOM = 32
"""Handshakes with one server at a time: enough to keep both ends busy."""

PATIENCE = 2.0
"""Seconds after which one does not count any more: it waits for the network, or for a server that does not answer."""


class Gate:
    """Lets turns begin in their order, ROOM at a time; one server's. For the loop's thread only."""

    def __init__(self, later: Callable[[float, Callable[[], None]], Timer]) -> None:
        """`later` is Loop.later."""
        self.later = later
        self._inside: set[Turn] = set()
        self._waiting: deque[Turn] = deque()
        self._opening = False

    def enter(self, turn: Turn) -> None:
        """Let it begin, now or when there is room."""
        self._waiting.append(turn)
        self._open()

    def leave(self, turn: Turn) -> None:
        """Its room is free; nothing happens if it was so before."""
        self._inside.discard(turn)
        self._open()

    def _open(self) -> None:
        """A turn may be over as soon as it has begun: that must not nest."""
        if self._opening:
            return
        self._opening = True
        while self._waiting and len(self._inside) < ROOM:
            turn = self._waiting.popleft()
            self._inside.add(turn)
            turn.begin()
        self._opening = False


class Turn:
    """One handshake's. After `start`, `action` is called when it may begin, perhaps at once; not after `end`."""

    __slots__ = ("_action", "_gate", "_patience")

    def __init__(self, gate: Gate, action: Callable[[], None]) -> None:
        self._gate = gate
        self._action: Callable[[], None] | None = action
        self._patience: Timer | None = None

    def start(self) -> None:
        """Join the queue."""
        self._gate.enter(self)

    def begin(self) -> None:
        """The gate is open."""
        action, self._action = self._action, None
        if action is None:
            self._gate.leave(self)
        else:
            self._patience = self._gate.later(PATIENCE, self.end)
            action()

    def end(self) -> None:
        """It is over, or is not wanted any more."""
        self._action = None
        if self._patience is not None:
            self._patience.cancel()
        self._gate.leave(self)
