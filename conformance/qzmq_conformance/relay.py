"""A TCP relay that records every octet it carries: the suite's proof that nothing crosses the wire in the clear."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Self


class Relay:
    """Listens on a loopback port of its own and carries each connection to `upstream`, recording both directions.

    Use as a context manager; leaving it closes every connection and ends every thread it started.
    """

    def __init__(self, upstream: tuple[str, int]) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ends: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._recordings: list[bytearray] = []
        self._lock = threading.Lock()
        self._closing = False

    @property
    def port(self) -> int:
        """The port to connect to instead of the upstream one."""
        return int(self._listener.getsockname()[1])

    def recordings(self) -> tuple[bytes, ...]:
        """What went through so far: one octet string per connection and direction."""
        with self._lock:
            return tuple(bytes(recording) for recording in self._recordings)

    def carried(self, octets: bytes) -> bool:
        """Whether `octets` crossed the wire in the clear, in any connection and direction."""
        return any(octets in recording for recording in self.recordings())

    def cut(self) -> None:
        """Ends every connection there is now, at both ends; new ones may come."""
        with self._lock:
            ends = tuple(self._ends)
        for end in ends:
            _shut(end, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closing = True
        for end in (self._listener, *self._ends):
            _shut(end, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(timeout=5)
        for end in (self._listener, *self._ends):
            end.close()

    def _start(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                self._join(near)

    def _join(self, near: socket.socket) -> None:
        """Joins `near` to a new upstream connection; a refused upstream closes `near`, as the refusal itself would."""
        try:
            far = socket.create_connection(self._upstream, timeout=5)
        except OSError:
            near.close()
            return
        for end in (near, far):
            end.settimeout(None)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._ends += (near, far)
            directions = (bytearray(), bytearray())
            self._recordings += directions
            if self._closing:
                _shut(near, socket.SHUT_RDWR)
                _shut(far, socket.SHUT_RDWR)
        self._start(self._carry, near, far, directions[0])
        self._start(self._carry, far, near, directions[1])

    def _carry(self, source: socket.socket, sink: socket.socket, recording: bytearray) -> None:
        """One direction, until its end of file, which is passed on."""
        with contextlib.suppress(OSError):
            while octets := source.recv(1 << 16):
                with self._lock:
                    recording += octets
                sink.sendall(octets)
        _shut(sink, socket.SHUT_WR)


def _shut(end: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(how)
