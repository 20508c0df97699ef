"""The local hop: one connection of the application's own libzmq socket, until both sides have said READY.

It never leaves the machine, nor the process: ZMTP 3.1 with mechanism NULL (RFC 37) over a unix socket in a private
directory (SEC-10). What the remote peer is goes into our READY, so that libzmq checks Socket-Type, routes by Identity
and shows the properties on each message.
"""

from __future__ import annotations

import functools
import logging
import os
import socket
import struct
from collections.abc import Callable, Iterable

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.loop import Loop
from qzmq_ref.bridge.options import Options
from qzmq_ref.bridge.poller import IN
from qzmq_ref.metadata import Property
from qzmq_ref.zmtp import after_ready, error, greeting, ready

log = logging.getLogger("qzmq")

BUSY = 0.005
"""Seconds after which a local connection is tried again that libzmq's backlog had no place for."""


def of_own_process(sock: socket.socket) -> bool:
    """Whether the other end of a connected unix socket is this process (SEC-10; SO_PEERCRED, where there is such)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    pid, _uid, _gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(pid == os.getpid())


def connect_private(
    loop: Loop, path: str, options: Options, *, reached: Callable[[socket.socket], None], gone: Callable[[], None]
) -> None:
    """Connect to a path where libzmq listens; `gone` if it does not any more, or is not this process (SEC-10)."""
    local = socket.socket(socket.AF_UNIX)
    try:
        local.setblocking(False)
        options.buffers(local)
        local.connect(path)
    except BlockingIOError:  # libzmq's backlog is full
        local.close()
        again = functools.partial(connect_private, loop, path, options, reached=reached, gone=gone)
        loop.later(BUSY, again)
        return None
    except OSError:
        local.close()
        return gone()
    if of_own_process(local):
        return reached(local)
    log.error("%s is not ours: somebody took its place", path)
    local.close()
    return gone()


class LocalHop:
    """Speaks NULL until both READYs have passed, then hands the socket on.

    Our greeting goes out with our READY, so that libzmq is woken once for both; whoever must be heard before, as a
    program of its own is, gets it from `greet`. `done(octets)` is called with the first application octets, if any came
    along; `lost()` when libzmq hung up first. With `framed` false (STREAM) there is nothing to say, and the hop is done
    as soon as it is announced.
    """

    def __init__(self, bridge: Bridge, sock: socket.socket, *, framed: bool) -> None:
        self.sock = sock
        self.done: Callable[[bytes], None] | None = None
        self.lost: Callable[[], None] | None = None
        self._bridge = bridge
        self._framed = framed
        self._announced = False
        self._received = b""
        self._greeting = greeting(b"NULL", as_server=False) if framed else b""
        sock.setblocking(False)
        bridge.enter(self)
        bridge.loop.watch(sock, IN, self._readable)

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """What libzmq has said behind READY is still carried; without a remote side there is nothing of the kind."""
        if not self._announced:
            self._hang_up()

    def abandon(self) -> None:
        """Time is up."""
        self.close()

    def greet(self) -> None:
        """Send the greeting now."""
        self._send(b"")

    def announce(self, properties: Iterable[Property]) -> None:
        """Send READY with the remote peer's properties."""
        self._announced = True
        if self._framed:
            self._send(ready(properties))
        self._finish_if_complete()

    def refuse(self, status: int = 400) -> None:
        """Tell libzmq that the peer refused this socket for good: it shows ZAP's status and stops connecting."""
        if self._framed:
            self._send(error(b"%d" % status))

    def _send(self, frame: bytes) -> None:
        """All of it fits any socket buffer. If libzmq has hung up, reading will tell."""
        octets, self._greeting = self._greeting + frame, b""
        try:
            self.sock.send(octets)
        except OSError as reason:
            log.debug("local hop: %s", reason)

    def close(self) -> None:
        """Let go of a connection that has carried nothing."""
        self._bridge.loop.close(self.sock)
        self._bridge.leave(self)

    def _readable(self, _events: int) -> None:
        try:
            octets = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets:
            self._received += octets
            self._finish_if_complete()
        else:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close()
        if self.lost is not None:
            self.lost()

    def _finish_if_complete(self) -> None:
        start = after_ready(self._received) if self._framed else 0
        if start is None or not self._announced or self.done is None:
            return
        self._bridge.loop.unwatch(self.sock)
        self.done(self._received[start:])
        self._bridge.leave(self)
