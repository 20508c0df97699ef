"""One end of a measurement: a context, and a link to the other end beside the sockets measured."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import zmq

from qzmq_interop.throughput.mechanisms import Context, Keys, Mechanism, Socket

Role = Literal["server", "client"]

PATIENCE = 60.0
"""Seconds without progress after which a measurement has failed."""

BACKLOG = 1024
"""Connections that may wait to be accepted: libzmq's 100 would time TCP's retries in a burst of 200."""


class Link(Protocol):
    """The way to the other end beside the sockets: a multiprocessing connection, or lines of JSON."""

    def send(self, word: Any, /) -> None:
        """Hand over a word."""

    def poll(self, timeout: float, /) -> bool:
        """Whether a word comes within so many seconds."""

    def recv(self) -> Any:
        """The next word."""


@dataclass(frozen=True)
class Side:
    """What a measurement may use; the same under every mechanism."""

    context: Context
    mechanism: Mechanism
    keys: Keys
    link: Link

    def bind(self, kind: zmq.SocketType) -> Socket:
        """A server socket on a free port; the other end hears its endpoint."""
        socket = self._socket(kind)
        self.mechanism.server(socket, self.keys)
        socket.backlog = BACKLOG
        socket.bind("tcp://127.0.0.1:*")
        self.tell(socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0"))
        return socket

    def connect(self, kind: zmq.SocketType, endpoint: str) -> Socket:
        """A client socket that is connecting to `endpoint`."""
        socket = self._socket(kind)
        self.mechanism.client(socket, self.keys)
        socket.connect(endpoint)
        return socket

    def tell(self, word: object) -> None:
        """Hand `word` to the other end."""
        self.link.send(word)

    def hear(self) -> Any:
        """What the other end told next. Raises `TimeoutError` after `PATIENCE` seconds."""
        if not self.link.poll(PATIENCE):
            raise TimeoutError("the other process fell silent")
        return self.link.recv()

    def _socket(self, kind: zmq.SocketType) -> Socket:
        socket = self.context.socket(kind)
        socket.linger = 0
        socket.rcvtimeo = socket.sndtimeo = int(PATIENCE * 1000)
        return socket


@contextmanager
def open_side(mechanism: Mechanism, keys: Keys, role: Role, link: Link) -> Iterator[Side]:
    """A side with its own context, large enough for the largest measurement."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    context = mechanism.context()
    context.max_sockets = 4096
    dismiss = mechanism.admit(context, keys) if role == "server" else None
    try:
        yield Side(context, mechanism, keys, link)
    finally:
        if dismiss is not None:
            dismiss()
        context.destroy(linger=0)
