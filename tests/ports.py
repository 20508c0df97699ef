"""Ports that nobody else is given while a test has nobody listening there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved() -> Iterator[int]:
    """A port of 127.0.0.1, bound and not listening: the system gives it to no other process, and to no connection as
    its own end, but whoever asks for it by number can bind it and listen (with SO_REUSEADDR, which both have set)."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
