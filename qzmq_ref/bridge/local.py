"""The local hop: one connection of the application's own libzmq socket, until both sides have said READY.

It never leaves the machine, nor the process: ZMTP 3.1 with mechanism NULL (RFC 37) over a unix socket in a private
directory (SEC-10). What the remote peer is goes into our READY, so that libzmq checks Socket-Type, routes by Identity
and shows the properties on each message.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
from collections.abc import Callable, Iterable

from qzmq_ref.bridge.loop import Loop
from qzmq_ref.bridge.poller import IN
from qzmq_ref.metadata import Property

log = logging.getLogger("qzmq")

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)
"""64 octets: signature, version 3.1, mechanism, as-server 0, filler (RFC 37)."""

COMMAND, COMMAND_LONG = 4, 6
REFUSED = b"\x05ERROR\x03400"
"""libzmq takes ERROR 400 for a refusal of its credentials and stops connecting."""


def command(body: bytes) -> bytes:
    """A ZMTP command frame (RFC 37)."""
    if len(body) < 256:
        return bytes((COMMAND, len(body))) + body
    return struct.pack(">BQ", COMMAND_LONG, len(body)) + body


def ready(properties: Iterable[Property]) -> bytes:
    """The READY command with these properties."""
    return command(
        b"\x05READY"
        + b"".join(
            bytes((len(each.name),)) + each.name + len(each.value).to_bytes(4) + each.value for each in properties
        )
    )


def skip_null(octets: bytes) -> int | None:
    """Where application octets start: behind libzmq's greeting and READY. None while those are incomplete."""
    start = len(GREETING)
    if len(octets) < start + 2:
        return None
    if octets[start] == COMMAND:
        end = start + 2 + octets[start + 1]
    elif len(octets) < start + 9:
        return None
    else:
        end = start + 9 + int.from_bytes(octets[start + 1 : start + 9])
    return end if len(octets) >= end else None


def of_own_process(sock: socket.socket) -> bool:
    """Whether the other end of a connected unix socket is this process (SEC-10; SO_PEERCRED, where there is such)."""
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    pid, _uid, _gid = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return bool(pid == os.getpid())


class LocalHop:
    """Speaks NULL until both READYs have passed, then hands the socket on.

    `done(octets)` is called with the first application octets, if any came along; `lost()` when libzmq hung up first.
    With `framed` false (STREAM) there is nothing to say, and the hop is done as soon as it is announced.
    """

    def __init__(self, loop: Loop, sock: socket.socket, *, framed: bool) -> None:
        self.sock = sock
        self.done: Callable[[bytes], None] | None = None
        self.lost: Callable[[], None] | None = None
        self._loop = loop
        self._framed = framed
        self._announced = False
        self._received = b""
        sock.setblocking(False)
        if framed:
            self._send(GREETING)
        loop.watch(sock, IN, self._readable)

    def announce(self, properties: Iterable[Property]) -> None:
        """Send READY with the remote peer's properties."""
        self._announced = True
        if self._framed:
            self._send(ready(properties))
        self._finish_if_complete()

    def refuse(self) -> None:
        """Tell libzmq that the peer refused this socket for good."""
        if self._framed:
            self._send(command(REFUSED))

    def _send(self, octets: bytes) -> None:
        """All of it fits any socket buffer. If libzmq has hung up, reading will tell."""
        try:
            self.sock.send(octets)
        except OSError as error:
            log.debug("local hop: %s", error)

    def close(self) -> None:
        """Let go of a connection that has carried nothing."""
        self._loop.close(self.sock)

    def _readable(self, _events: int) -> None:
        try:
            octets = self.sock.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.close()
            if self.lost is not None:
                self.lost()
            return
        self._received += octets
        self._finish_if_complete()

    def _finish_if_complete(self) -> None:
        start = skip_null(self._received) if self._framed else 0
        if start is None or not self._announced or self.done is None:
            return
        self._loop.unwatch(self.sock)
        self.done(self._received[start:])
