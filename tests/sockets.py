"""Sockets for tests: the same program over NULL, which is libzmq alone, and over QZMQ."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import zmq

import qzmq_ref

AnyContext = zmq.Context[Any]
AnySocket = zmq.Socket[Any]

TIMEOUT = 10_000
"""Milliseconds after which a socket that should have received gives up."""


@cache
def server_keys() -> tuple[bytes, bytes]:
    """(public, secret) of the server in every test."""
    return qzmq_ref.keypair()


@cache
def client_keys() -> tuple[bytes, bytes]:
    """(public, secret) of the client in every test."""
    return qzmq_ref.keypair()


@dataclass(frozen=True)
class Kind:
    """A security mechanism, as a program uses it."""

    name: str
    context: Callable[[], AnyContext]
    secure: Callable[[AnySocket], None]

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Stage:
    """A Context and its sockets, which it keeps."""

    kind: Kind
    context: Any
    sockets: list[AnySocket] = field(default_factory=list)

    def socket(self, kind: int, **options: Any) -> AnySocket:
        """A socket with its security lines, which gives up after TIMEOUT."""
        socket: AnySocket = self.bare(kind, **options)
        self.kind.secure(socket)
        return socket

    def bare(self, kind: int, **options: Any) -> Any:
        """A socket without security lines."""
        socket: AnySocket = self.context.socket(kind)
        self.sockets.append(socket)
        for name, value in {"rcvtimeo": TIMEOUT, "sndtimeo": TIMEOUT, **options}.items():
            setattr(socket, name, value)
        return socket


def _secure(socket: Any) -> None:
    """Either role: the one that binds takes the server's lines, the one that connects the client's."""
    bind, connect = socket.bind, socket.connect

    def secured_bind(address: str) -> Any:
        socket.__dict__.update(qzmq_secretkey=server_keys()[1], qzmq_clientkeys=[client_keys()[0]])
        return bind(address)

    def secured_connect(address: str) -> Any:
        socket.__dict__.update(qzmq_secretkey=client_keys()[1], qzmq_serverkey=server_keys()[0])
        return connect(address)

    socket.__dict__.update(bind=secured_bind, connect=secured_connect)


NULL = Kind("NULL", zmq.Context, lambda _socket: None)
QZMQ = Kind("QZMQ", qzmq_ref.Context, _secure)


@contextmanager
def running(kind: Kind) -> Iterator[Stage]:
    """A stage that is cleared at the end, whatever happens."""
    stage = Stage(kind, kind.context())
    try:
        yield stage
    finally:
        stage.context.destroy(linger=0)


def endpoint_of(socket: AnySocket) -> str:
    """LAST_ENDPOINT as text."""
    return bytes(socket.get(zmq.LAST_ENDPOINT)).decode()


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until `condition` holds; AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.005)
