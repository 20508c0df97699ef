"""ZeroMQ sockets over QZMQ: pyzmq's own Context and Socket, with security lines of their own."""

from __future__ import annotations

from typing import Any

from qzmq_ref.socket.context import SecuredContext
from qzmq_ref.socket.secured import SecuredSocket
from qzmq_ref.socket.security import keypair

__all__ = ["Context", "SecuredContext", "SecuredSocket", "Socket", "keypair"]


class Socket(SecuredSocket[bytes]):
    """zmq.Socket over QZMQ; see SecuredSocket for what to set."""


class Context(SecuredContext[Socket]):
    """zmq.Context over QZMQ."""

    _socket_class = Socket
    _instance: Any = None
