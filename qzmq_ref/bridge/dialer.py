"""One attempt to connect: resolve the name, open a socket, wait for it to be connected."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from concurrent.futures import Future

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import Endpoint, Resolved, numeric, resolve_connect
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.poller import OUT


class Dialer:
    """Calls `connected` with a non-blocking connected socket or `failed` with why not; neither after `abort`."""

    def __init__(
        self,
        bridge: Bridge,
        endpoint: Endpoint,
        link: Link,
        *,
        connected: Callable[[socket.socket], None],
        failed: Callable[[OSError], None],
    ) -> None:
        self._bridge = bridge
        self._endpoint = endpoint
        self._link = link
        self._connected = connected
        self._failed = failed
        self._sock: socket.socket | None = None
        self._over = False
        timeout = link.options.connect_timeout
        self._timer = bridge.loop.later(timeout, self._too_late) if timeout > 0 else None
        if numeric(endpoint):
            self._dial(lambda: resolve_connect(endpoint, ipv6=link.options.ipv6))
        else:
            found = bridge.resolver.submit(resolve_connect, endpoint, ipv6=link.options.ipv6)
            found.add_done_callback(self._resolved)

    def abort(self) -> None:
        """Give up and tell nobody."""
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._sock is not None:
            self._bridge.loop.close(self._sock)
            self._sock = None

    def _resolved(self, found: Future[Resolved]) -> None:
        """Called by the resolver's thread, or by whoever cancelled it."""
        if not found.cancelled():
            self._bridge.loop.call(lambda: self._dial(found.result))

    def _dial(self, resolve: Callable[[], Resolved]) -> None:
        if self._over:
            return
        try:
            self._open(resolve())
        except OSError as error:
            self._fail(error)

    def _open(self, target: Resolved) -> None:
        self._sock = sock = socket.socket(target.family, socket.SOCK_STREAM)
        self._link.options.prepare(sock)
        if target.source is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(target.source)
        try:
            sock.connect(target.address)
        except BlockingIOError as error:
            if error.errno != errno.EINPROGRESS:  # EAGAIN: the backlog of a unix socket is full
                raise
            self._link.notify(self._endpoint.text, "CONNECT_DELAYED", errno.EINPROGRESS)
            self._bridge.loop.watch(sock, OUT, self._decided)
        else:
            self._succeed(sock)

    def _decided(self, _events: int) -> None:
        assert self._sock is not None  # noqa: S101  # watched only while it is open
        error = self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            self._fail(OSError(error, os.strerror(error)))
        else:
            self._bridge.loop.unwatch(self._sock)
            self._succeed(self._sock)

    def _succeed(self, sock: socket.socket) -> None:
        self._link.options.tune(sock)
        self._link.notify(self._endpoint.text, "CONNECTED", sock.fileno())
        self._sock = None
        self.abort()
        self._connected(sock)

    def _too_late(self) -> None:
        self._fail(OSError(errno.ETIMEDOUT, os.strerror(errno.ETIMEDOUT)))

    def _fail(self, error: OSError) -> None:
        if self._sock is not None:
            self._link.notify(self._endpoint.text, "CLOSED", self._sock.fileno())
        self.abort()
        self._failed(error)
