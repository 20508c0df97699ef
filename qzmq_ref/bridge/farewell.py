"""How a hop is left: say the last octets, shut down the write side, let the other end hang up first."""

from __future__ import annotations

import fcntl
import socket
import struct
import time
from typing import TYPE_CHECKING

from qzmq_ref.bridge.poller import HANG_UP, IN, OUT

if TYPE_CHECKING:
    from qzmq_ref.bridge.core import Bridge

SIOCOUTQ = 0x5411
"""Octets in the send queue that the peer has not acknowledged (over ipc: not read)."""

INTERVAL = 0.02

FLOOR = 1.0
"""Least seconds that a farewell is given: with LINGER 0, TCP would still deliver what the kernel holds."""


class RemoteFarewell:
    """Flush, SHUT_WR, then read and discard until end of file, or nothing is unacknowledged, or time is up (CLS-3).

    Closing earlier, with input unread, would send RST, and the peer would lose what it has not read yet.
    """

    __slots__ = ("_bridge", "_deadline", "_discarded", "_octets", "_sock")

    def __init__(self, bridge: Bridge, sock: socket.socket, octets: bytes, linger: float | None) -> None:
        """`linger` in seconds, None for ever."""
        self._bridge = bridge
        self._sock = sock
        self._octets = octets
        self._deadline = None if linger is None else time.monotonic() + max(linger, FLOOR)
        bridge.enter(self)
        self._flush()
        self._tick()

    def finish(self, deadline: float | None) -> None:
        """Be done by then."""
        if deadline is not None:
            self._deadline = deadline if self._deadline is None else min(deadline, self._deadline)

    def abandon(self) -> None:
        """Close, whatever the peer has not taken."""
        self._close()

    def _flush(self) -> None:
        """Send what is left, then shut down; watch for what comes next."""
        try:
            if self._octets:
                self._octets = self._octets[self._sock.send(self._octets) :]
            if not self._octets:
                self._sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            return self._close()
        return self._bridge.loop.watch(self._sock, IN | OUT if self._octets else IN, self._ready)

    def _ready(self, events: int) -> None:
        if events & ~OUT and self._ended():
            self._close()
        elif self._octets:
            self._flush()

    def _ended(self) -> bool:
        """Read and discard; whether the peer has hung up."""
        try:
            return self._sock.recv_into(self._bridge.sealed) == 0
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _tick(self) -> None:
        if self._sock.fileno() < 0:
            return
        late = self._deadline is not None and time.monotonic() >= self._deadline
        if late or (not self._octets and unacknowledged(self._sock) == 0):
            self._close()
        else:
            self._bridge.loop.later(INTERVAL, self._tick)

    def _close(self) -> None:
        self._bridge.loop.close(self._sock)
        self._bridge.leave(self)


class LocalFarewell:
    """Flush, SHUT_WR, then wait until libzmq hangs up: it would drop what it has not read if this end closed first.

    Nothing is read: what libzmq still writes has nowhere to go, and stays with it longest if the buffer fills up.
    """

    __slots__ = ("_bridge", "_octets", "_sock")

    def __init__(self, bridge: Bridge, sock: socket.socket, octets: bytes) -> None:
        self._bridge = bridge
        self._sock = sock
        self._octets = octets
        bridge.enter(self)
        self._ready(OUT)

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended: libzmq is gone, or the process is about to be."""
        self._close()

    def abandon(self) -> None:
        """Close, whatever libzmq has not read."""
        self._close()

    def _ready(self, events: int) -> None:
        if events & HANG_UP:
            return self._close()
        try:
            if self._octets:
                self._octets = self._octets[self._sock.send(self._octets) :]
            if not self._octets:
                self._sock.shutdown(socket.SHUT_WR)
        except BlockingIOError:
            pass
        except OSError:
            return self._close()
        return self._bridge.loop.watch(self._sock, OUT if self._octets else 0, self._ready)

    def _close(self) -> None:
        self._bridge.loop.close(self._sock)
        self._bridge.leave(self)


def unacknowledged(sock: socket.socket) -> int:
    """SIOCOUTQ."""
    (octets,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), SIOCOUTQ, bytes(4)))
    return int(octets)
