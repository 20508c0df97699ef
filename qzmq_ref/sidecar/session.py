"""A session between programs that live on when the sidecar ends: what it has accepted it delivers first."""

from __future__ import annotations

import contextlib
import socket
import time

from qzmq_ref.bridge.farewell import LocalFarewell
from qzmq_ref.bridge.session import Session

TICK = 0.02

QUIET = 3
"""Ticks in a row without a word from the peer after which it is taken to have nothing more under way."""

SHARE = 0.5
"""Part of the time to drain after which a peer that keeps sending is not listened to any more."""


class PatientFarewell(LocalFarewell):
    """Waits for a slow program to the deadline."""

    __slots__ = ()

    def finish(self, deadline: float | None) -> None:
        """Be done by then; until then the program may read."""
        if deadline is not None:
            self._bridge.loop.later(max(0.0, deadline - time.monotonic()), self._close)


class PatientSession(Session):
    """Ends in order: deliver to the program, let it hang up, pass on what it said, then close_notify (CLS-1)."""

    __slots__ = ("_heard", "_quiet", "_shut")

    local_farewell = PatientFarewell

    def finish(self, deadline: float | None) -> None:
        """Drain both directions by `deadline`."""
        now = time.monotonic()
        self._heard, self._quiet, self._shut = False, 0, False
        self._drain(now + (deadline - now) * SHARE if deadline is not None else None, deadline)

    def _drain(self, enough: float | None, deadline: float | None) -> None:
        """One tick; from `enough` on the peer is not waited for, from `deadline` on nobody is."""
        if self._local_mask < 0:
            return
        now = time.monotonic()
        if not self._remote_takes or (deadline is not None and now >= deadline):
            self._local_ended()
            return
        self._quiet = 0 if self._heard or self._incoming else self._quiet + 1
        self._heard = False
        if not self._shut and (self._quiet >= QUIET or (enough is not None and now >= enough)):
            self._shut = True
            with contextlib.suppress(OSError):  # it has hung up: reading will tell
                self._local.shutdown(socket.SHUT_WR)
        self._bridge.loop.later(TICK, lambda: self._drain(enough, deadline))

    def _write_local(self, octets: memoryview) -> None:
        self._heard = True
        super()._write_local(octets)
