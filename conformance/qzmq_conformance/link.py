"""One TCP connection with the target: any octets out, framed messages in."""

from __future__ import annotations

import socket
from typing import Self

from qzmq_conformance.failure import Failed
from qzmq_ref.connection import Binding

LARGEST_MESSAGE = 2**20 + 64


class Link:
    """The bare TCP peer's end. Context manager; leaving it closes the connection.

    `received` holds every octet the target sent. `segment` is how many octets go out at once, 0 for all;
    `patience` how many seconds the target may be silent. A reset counts as the end of the stream: the target closed.
    """

    def __init__(self, connected: socket.socket, patience: float) -> None:
        self._socket = connected
        self.patience = patience
        self._socket.settimeout(patience)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._taken = 0
        self._ended = False
        self.received = bytearray()
        self.segment = 0

    @classmethod
    def connect(cls, address: tuple[str, int], patience: float) -> Self:
        """A link to a target that listens."""
        return cls(socket.create_connection(address, timeout=patience), patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    @property
    def address(self) -> str:
        """The peer's own address, as the target sees it."""
        host, port = self._socket.getsockname()[:2]
        return f"{host}:{port}"

    @property
    def unread(self) -> bytes:
        """Octets that arrived and were not taken yet."""
        return bytes(self.received[self._taken :])

    def send(self, octets: bytes) -> None:
        """Sends the octets as they are. A target that closed already is not an error: the case reads why."""
        size = self.segment or len(octets) or 1
        try:
            for start in range(0, len(octets), size):
                self._socket.sendall(octets[start : start + size])
        except (BrokenPipeError, ConnectionResetError):
            self._more()

    def take(self, size: int) -> bytes:
        """The next `size` octets; `Failed` if the connection ends or stays silent before."""
        while len(self.received) - self._taken < size:
            if not self._more():
                raise Failed(f"the connection ended after {self.unread.hex() or 'no octets'}", f"{size} octets")
        self._taken += size
        return bytes(self.received[self._taken - size : self._taken])

    def look(self, size: int) -> bytes:
        """As `take`, but they stay where they are."""
        octets = self.take(size)
        self._taken -= size
        return octets

    def receive(self) -> bytes:
        """Whatever comes next; empty at the end of the stream."""
        self._more()
        return self.take(len(self.unread))

    def message(self, binding: Binding) -> bytes | None:
        """The next whole message, None at the end of the stream."""
        span = self._span(binding)
        return None if span is None else self.take(span[1])[span[0] :]

    def peek(self, binding: Binding) -> bytes | None:
        """As `message`, but it stays where it is."""
        span = self._span(binding)
        return None if span is None else self.unread[slice(*span)]

    def _span(self, binding: Binding) -> tuple[int, int] | None:
        """Where the next whole message lies in what is unread; waits for it."""
        while (span := binding.message(memoryview(self.unread), LARGEST_MESSAGE)) is None:
            if not self._more():
                if self.unread:
                    raise Failed(f"the connection ended inside a message: {self.unread[:64].hex()}")
                return None
        return span

    def expect_end(self, but: bytes = b"") -> None:
        """The target must close now, without another octet that is not part of `but`."""
        while self._more():
            pass
        if not but.startswith(self.unread):
            raise Failed(f"the target sent {self.unread[:64].hex()} before it closed", "the end of the connection")

    def finish_sending(self) -> None:
        """Shuts down the peer's writing side."""
        self._socket.shutdown(socket.SHUT_WR)

    def is_silent(self, seconds: float) -> bool:
        """Whether nothing comes, not even the end of the stream, for that long."""
        before, self.patience = self.patience, seconds
        try:
            self._more()
        except Failed:
            return True
        finally:
            self.patience = before
        return False

    def _more(self) -> int:
        """Reads what is there; 0 at the end of the stream."""
        if self._ended:
            return 0
        self._socket.settimeout(self.patience)
        try:
            octets = self._socket.recv(1 << 16)
        except TimeoutError:
            raise Failed(f"the target did nothing for {self.patience} s and kept the connection open") from None
        except ConnectionResetError:
            octets = b""
        self._ended = not octets
        self.received += octets
        return len(octets)
