"""A network that misbehaves: a TCP relay whose connections can be cut, stalled, and left half-open."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self, TypeVar

_T = TypeVar("_T")

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST, as a router does that has forgotten the connection."""

CHUNK = 1 << 16
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


def _reset(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    sock.close()


@dataclass(eq=False)
class End:
    """One of the two TCP connections that a relayed one is made of."""

    sock: socket.socket
    waiting: bytes = b""
    """Read at the other end, not yet taken by this one."""
    over: bool = False
    """This end has sent its last octet."""
    mask: int = 0
    other: End = field(init=False, repr=False)


class Network:
    """Listens on a loopback port of its own and carries each connection to `upstream`, as long as it is allowed to.

    Upstream, each comes from an address of its own, so that a receiver can tell connections apart (Linux answers to all
    of 127.0.0.0/8). One thread does everything; other threads only ask it to. Use as a context manager.
    """

    def __init__(self, upstream: str) -> None:
        """`upstream` is an endpoint, `tcp://host:port`."""
        host, port = upstream.removeprefix("tcp://").rsplit(":", 1)
        self._upstream = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.endpoint = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._selector = selectors.DefaultSelector()
        self._woken, self._waker = socket.socketpair()
        self._wishes: deque[Callable[[], None]] = deque()
        self._near: set[End] = set()
        self._addresses = ((f"127.{n >> 16}.{n >> 8 & 255}.{n & 255}", 0) for n in range(1 << 16, 127 << 16))
        self._flowing = self._reachable = self._running = True
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def cut(self) -> int:
        """Reset every connection, both ends at once; new ones may come. Returns how many there were."""
        return self._ask(self._cut)

    def partition(self) -> int:
        """Cut, and refuse connections until `heal`."""

        def apart() -> int:
            self._reachable = False
            return self._cut()

        return self._ask(apart)

    def stall(self) -> None:
        """Carry nothing until `heal`; connections stay open, and nobody is told."""
        self._ask(lambda: self._flow(flowing=False))

    def forget(self) -> int:
        """Leave every connection half-open: the upstream end is reset, the other one is never answered again."""
        return self._ask(self._forget)

    def heal(self) -> None:
        """End `partition` and `stall`."""
        self._ask(lambda: self._flow(flowing=True))

    def __enter__(self) -> Self:
        self._listener.setblocking(False)
        for sock, ready in ((self._listener, self._accept), (self._woken, self._fulfil)):
            self._selector.register(sock, READ, ready)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        def end() -> None:
            self._running = False
            self._cut()

        self._ask(end)
        self._thread.join()
        for sock in (self._listener, self._woken, self._waker):
            sock.close()
        self._selector.close()

    # ---- in the thread

    def _ask(self, wish: Callable[[], _T]) -> _T:
        """Have the thread do it; its result."""
        answer: Future[_T] = Future()
        self._wishes.append(lambda: answer.set_result(wish()))
        self._waker.send(b"\0")
        return answer.result(timeout=10)

    def _run(self) -> None:
        while self._running:
            for key, events in self._selector.select():
                if self._selector.get_map().get(key.fd) is key:  # an earlier event of this turn may have changed it
                    key.data(events)

    def _fulfil(self, _events: int) -> None:
        self._woken.recv(1)
        self._wishes.popleft()()

    def _accept(self, _events: int) -> None:
        with contextlib.suppress(OSError):
            near = self._listener.accept()[0]
            if not self._reachable:
                _reset(near)
                return
            try:
                far = socket.create_connection(self._upstream, timeout=5, source_address=next(self._addresses))
            except OSError:
                _reset(near)
                return
            ends = End(near), End(far)
            for end, other in (ends, ends[::-1]):
                end.other = other
                end.sock.setblocking(False)
                end.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._near.add(ends[0])
            self._watch(ends[0])

    def _watch(self, near: End) -> None:
        """Read an end while the other takes what is read there, write where something waits."""
        for end in (near, near.other):
            mask = 0
            if end.sock.fileno() >= 0 and self._flowing:
                mask |= READ if not (end.over or end.other.waiting) else 0
                mask |= WRITE if end.waiting else 0
            if mask == end.mask:
                continue
            if end.mask and mask:
                self._selector.modify(end.sock, mask, self._handler(end))
            elif mask:
                self._selector.register(end.sock, mask, self._handler(end))
            elif end.sock.fileno() >= 0:
                self._selector.unregister(end.sock)
            end.mask = mask

    def _handler(self, end: End) -> Callable[[int], None]:
        def ready(events: int) -> None:
            try:
                if events & WRITE:
                    self._write(end)
                if events & READ:
                    self._read(end)
            except OSError:
                self._drop(end)
            else:
                self._watch(end)

        return ready

    def _read(self, end: End) -> None:
        octets = end.sock.recv(CHUNK)
        end.over = not octets
        if end.other.sock.fileno() >= 0:
            end.other.waiting += octets
            self._write(end.other)
        elif end.over:  # half-open: what was said is lost
            self._drop(end)

    def _write(self, end: End) -> None:
        if end.waiting:
            with contextlib.suppress(BlockingIOError):
                end.waiting = end.waiting[end.sock.send(end.waiting) :]
        if end.other.over and not end.waiting:
            end.sock.shutdown(socket.SHUT_WR)
            if end.over:
                self._drop(end, close=socket.socket.close)

    def _drop(self, *ends: End, close: Callable[[socket.socket], None] = _reset) -> None:
        for end in ends:
            for each in (end, end.other):
                self._near.discard(each)
                self._close(each, close)

    def _close(self, end: End, close: Callable[[socket.socket], None] = _reset) -> None:
        if end.mask:
            self._selector.unregister(end.sock)
            end.mask = 0
        close(end.sock)

    def _cut(self) -> int:
        count = len(self._near)
        self._drop(*self._near)
        return count

    def _forget(self) -> int:
        for near in self._near:
            self._close(near.other)
            near.other.waiting = b""
            self._watch(near)
        return len(self._near)

    def _flow(self, *, flowing: bool) -> None:
        self._flowing = flowing
        self._reachable |= flowing
        for near in self._near:
            self._watch(near)
