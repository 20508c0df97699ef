"""Octets from one hop to the other as they are: for a connection whose security libzmq ends itself."""

from __future__ import annotations

import functools
import socket
from collections.abc import Callable

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.farewell import LocalFarewell, RemoteFarewell
from qzmq_ref.bridge.poller import IN, OUT

READ = 2**18


class Passage:
    """Joins two connected sockets until either ends; reads one only while the other takes what was read.

    `overheard(octets)` is called with what libzmq said before it goes out, and returns what shall go out; `linger()`
    gives the seconds that the tail may take (None: for ever); `ended()` is called once.
    """

    __slots__ = ("_bridge", "_ended", "_linger", "_local", "_over", "_overheard", "_remote", "_waiting")

    def __init__(
        self,
        bridge: Bridge,
        remote: socket.socket,
        local: socket.socket,
        first: bytes,
        *,
        overheard: Callable[[bytes], bytes],
        linger: Callable[[], float | None],
        ended: Callable[[], None],
    ) -> None:
        """`first` are octets for the local hop that have been read already."""
        self._bridge = bridge
        self._remote = remote
        self._local = local
        self._overheard = overheard
        self._linger = linger
        self._ended = ended
        self._over = False
        self._waiting = {remote: b"", local: first}
        bridge.enter(self)
        self._flush(local)

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended, and libzmq has hung up: what it said last is in the socket's buffer."""
        self._read(self._local, self._remote)
        if not self._over:
            self._local_ended()

    def abandon(self) -> None:
        """Close both hops, whatever they still hold."""
        self._over = True
        self._bridge.loop.close(self._local)
        self._bridge.loop.close(self._remote)

    def dismiss(self) -> None:
        """Hang up on the remote side, whose client has not been authenticated."""
        self._remote_ended()

    def _ready(self, source: socket.socket, sink: socket.socket, events: int) -> None:
        if events & OUT and self._waiting[source]:
            self._flush(source)
        if events & ~OUT and not self._over and not self._waiting[sink]:
            self._read(source, sink)

    def _read(self, source: socket.socket, sink: socket.socket) -> None:
        try:
            octets = source.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if octets:
            self._waiting[sink] += self._overheard(octets) if source is self._local else octets
            self._flush(sink)
        elif source is self._local:
            self._local_ended()
        else:
            self._remote_ended()

    def _flush(self, sink: socket.socket) -> None:
        """Send what waits. If the other end hung up, reading will tell."""
        try:
            self._waiting[sink] = self._waiting[sink][sink.send(self._waiting[sink]) :]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting[sink] = b""
        for one, other in ((self._remote, self._local), (self._local, self._remote)):
            mask = (0 if self._waiting[other] else IN) | (OUT if self._waiting[one] else 0)
            if mask:
                self._bridge.loop.watch(one, mask, functools.partial(self._ready, one, other))
            else:
                self._bridge.loop.unwatch(one)

    def _local_ended(self) -> None:
        self._bridge.loop.close(self._local)
        RemoteFarewell(self._bridge, self._remote, self._waiting[self._remote], self._linger())
        self._leave()

    def _remote_ended(self) -> None:
        self._bridge.loop.close(self._remote)
        LocalFarewell(self._bridge, self._local, self._waiting[self._local])
        self._leave()

    def _leave(self) -> None:
        self._over = True
        self._bridge.leave(self)
        self._ended()
