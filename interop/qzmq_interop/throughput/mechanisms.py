"""The mechanisms compared. Everything that differs between them is in this file: a few lines per socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

import zmq
from zmq.auth.thread import ThreadAuthenticator

import qzmq_ref
from qzmq_ref.policy import Policy
from qzmq_ref.registries import CipherSuite

Context: TypeAlias = "zmq.Context[zmq.Socket[bytes]]"
Socket: TypeAlias = "zmq.Socket[bytes]"


@dataclass(frozen=True)
class Keys:
    """A key pair for each end, 40 Z85 characters each; empty under NULL."""

    server_public: bytes = b""
    server_secret: bytes = field(default=b"", repr=False)
    client_public: bytes = b""
    client_secret: bytes = field(default=b"", repr=False)

    def as_text(self, role: str) -> dict[str, str]:
        """What an end of this role knows: its own pair, and the other's public key."""
        known = {"server_public": self.server_public, "client_public": self.client_public}
        own = {"server_secret": self.server_secret} if role == "server" else {"client_secret": self.client_secret}
        return {name: key.decode() for name, key in (known | own).items()}


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
    kind: str
    """NULL, CURVE or QZMQ."""
    suites: tuple[CipherSuite, ...] = ()
    """What QZMQ's policy accepts."""

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


def _qzmq_server(policy: Policy, socket: Socket, keys: Keys) -> None:
    socket.qzmq_server = True
    socket.qzmq_secretkey = keys.server_secret
    socket.qzmq_clientkeys = {keys.client_public}
    socket.qzmq_policy = policy


def _qzmq_client(policy: Policy, socket: Socket, keys: Keys) -> None:
    socket.qzmq_serverkey = keys.server_public
    socket.qzmq_secretkey = keys.client_secret
    socket.qzmq_policy = policy


def qzmq(name: str, policy: Policy) -> Mechanism:
    """QZMQ under a policy."""
    keypair = partial(qzmq_ref.keypair, policy)
    server, client = partial(_qzmq_server, policy), partial(_qzmq_client, policy)
    return Mechanism(name, keypair, qzmq_ref.Context, _admit_anyone, server, client, "QZMQ", policy.suites)


NULL = Mechanism("NULL", _no_keys, zmq.Context, _admit_anyone, _nothing, _nothing, "NULL")
CURVE = Mechanism("CURVE", zmq.curve_keypair, zmq.Context, _curve_admit, _curve_server, _curve_client, "CURVE")
QZMQ = qzmq("QZMQ", Policy.preset("default"))
MECHANISMS = {mechanism.name: mechanism for mechanism in (NULL, CURVE, QZMQ)}
