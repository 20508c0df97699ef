"""The asyncio form: zmq.asyncio's Context and Socket over QZMQ."""

from __future__ import annotations

from typing import Any

import zmq.asyncio

from qzmq_ref.socket.context import SecuredContext
from qzmq_ref.socket.secured import SecuredSocket


class Socket(SecuredSocket[Any], zmq.asyncio.Socket):
    """zmq.asyncio.Socket over QZMQ: send, recv and poll return futures."""


class Context(SecuredContext[Socket], zmq.asyncio.Context):
    """zmq.asyncio.Context over QZMQ."""

    _socket_class = Socket
    _instance: Any = None
