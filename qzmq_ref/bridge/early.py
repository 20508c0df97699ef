"""Early data of the zmtp binding: what libzmq says first goes out with the ClientHello (RES-14).

The socket needs its peer's READY before it speaks, so it is shown the one of the last session; a server that has
changed since ends the session (RES-12).
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable

from qzmq_ref.bridge.local import LocalHop
from qzmq_ref.bridge.loop import Loop
from qzmq_ref.bridge.poller import IN
from qzmq_ref.connection import EarlyAnswered, Event
from qzmq_ref.metadata import Property

log = logging.getLogger("qzmq")

PAUSE = 0.005
"""Seconds that libzmq is given to say something after READY; with nothing to say it connects without early data."""


class EarlyOctets:
    """Shows `hop` a remembered peer, and calls `done` with up to `limit` octets that libzmq says then."""

    def __init__(
        self, loop: Loop, hop: LocalHop, peer: Iterable[Property], limit: int, done: Callable[[bytes], None]
    ) -> None:
        self._loop = loop
        self._sock = hop.sock
        self._limit = limit
        self._done = done
        self._octets = b""
        hop.done = self._ready
        hop.announce(peer)

    def _ready(self, first: bytes) -> None:
        self._octets = first
        if first:
            self._finish()
            return
        self._timer = self._loop.later(PAUSE, self._finish)
        self._loop.watch(self._sock, IN, lambda _events: self._finish())

    def _finish(self) -> None:
        """Whatever is there now, and no more: the rest follows when the session is established."""
        if not self._octets:
            self._timer.cancel()
            self._loop.unwatch(self._sock)
        if (room := self._limit - len(self._octets)) > 0:
            with contextlib.suppress(OSError):  # nothing there, or libzmq has hung up, which the session will notice
                self._octets += self._sock.recv(room)
        self._done(self._octets)


def left_to_send(octets: bytes, sent: bool, events: Iterable[Event]) -> bytes | None:
    """What of the early octets must still be sent, now that the server has answered; None if that is undetermined,
    so that the session must not go on with the octets behind them (RES-18)."""
    if not sent:
        return octets
    status = next(event.status for event in events if isinstance(event, EarlyAnswered))
    if status == "undetermined":
        log.warning("RES-18: %d octets of early data may or may not have arrived; they are not sent again", len(octets))
        return None
    return b"" if status == "accepted" else octets
