"""The mechanisms compared. Everything that differs between them is in this file: a few lines per socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import zmq
from zmq.auth.thread import ThreadAuthenticator

import qzmq_ref

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Socket: TypeAlias = "zmq.Socket[bytes]"


@dataclass(frozen=True)
class Keys:
    """A key pair for each end, 40 Z85 characters each; empty under NULL."""

    server_public: bytes = b""
    server_secret: bytes = field(default=b"", repr=False)
    client_public: bytes = b""
    client_secret: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Mechanism:
    """How a program uses one security mechanism; both ends know the other's public key."""

    name: str
    keypair: Callable[[], tuple[bytes, bytes]]
    context: Callable[[], Context]
    admit: Callable[[Context, Keys], Callable[[], None]]
    """Prepare the server's context to admit this client only; returns what undoes it."""
    server: Callable[[Socket, Keys], None]
    client: Callable[[Socket, Keys], None]

    def keys(self) -> Keys:
        """Fresh keys for both ends."""
        return Keys(*self.keypair(), *self.keypair())


def _no_keys() -> tuple[bytes, bytes]:
    return b"", b""


def _nothing(_socket: Socket, _keys: Keys) -> None:
    """NULL has no security lines."""


def _admit_anyone(_context: Context, _keys: Keys) -> Callable[[], None]:
    """Nothing to prepare: NULL admits anyone, QZMQ's list is an attribute of the socket."""
    return lambda: None


@dataclass(frozen=True)
class _OnlyClient:
    """ZAP credentials provider that knows one client."""

    public: bytes

    def callback(self, _domain: str, key: bytes) -> bool:
        return key == self.public


def _curve_admit(context: Context, keys: Keys) -> Callable[[], None]:
    """CURVE authenticates clients through a ZAP handler, which pyzmq runs in a thread."""
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    authenticator.configure_curve_callback(credentials_provider=_OnlyClient(keys.client_public))
    return authenticator.stop


def _curve_server(socket: Socket, keys: Keys) -> None:
    socket.curve_server = True
    socket.curve_secretkey = keys.server_secret


def _curve_client(socket: Socket, keys: Keys) -> None:
    socket.curve_serverkey = keys.server_public
    socket.curve_publickey = keys.client_public
    socket.curve_secretkey = keys.client_secret


def _qzmq_server(socket: Socket, keys: Keys) -> None:
    socket.qzmq_server = True
    socket.qzmq_secretkey = keys.server_secret
    socket.qzmq_clientkeys = {keys.client_public}


def _qzmq_client(socket: Socket, keys: Keys) -> None:
    socket.qzmq_serverkey = keys.server_public
    socket.qzmq_secretkey = keys.client_secret


NULL = Mechanism("NULL", _no_keys, zmq.Context, _admit_anyone, _nothing, _nothing)
CURVE = Mechanism("CURVE", zmq.curve_keypair, zmq.Context, _curve_admit, _curve_server, _curve_client)
QZMQ = Mechanism("QZMQ", qzmq_ref.keypair, qzmq_ref.Context, _admit_anyone, _qzmq_server, _qzmq_client)
MECHANISMS = {mechanism.name: mechanism for mechanism in (NULL, CURVE, QZMQ)}
