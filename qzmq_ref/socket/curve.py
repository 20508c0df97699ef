"""CURVE clients of a socket that serves both mechanisms: its private endpoint, and who may come (spec/bindings.md)."""

from __future__ import annotations

import errno
import functools
import itertools
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import zmq

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.poller import IN
from qzmq_ref.metadata import build_metadata
from qzmq_ref.patterns import CURVE, foreign_properties
from qzmq_ref.socket.security import KeyText
from qzmq_ref.socket.zap import HANDLER, VERSION, Zap

CurveClients: TypeAlias = Collection[KeyText] | Literal["zap"]
"""Public CURVE keys of the clients to admit, or `zap`: the application's ZAP handler judges them."""

log = logging.getLogger("qzmq")

_domains = itertools.count()


@contextmanager
def curve_options(socket: zmq.Socket[Any], secret_key: KeyText, domain: bytes) -> Iterator[None]:
    """For the one bind inside: libzmq serves CURVE there, and asks ZAP about each client (ZMTP-15).

    LocalError if `secret_key` is no CURVE key; the message does not repeat it.
    """
    key = secret_key.encode() if isinstance(secret_key, str) else secret_key
    try:
        zmq.curve_public(key)
    except (ValueError, zmq.ZMQError):
        raise LocalError(
            "qzmq_curve_secretkey is not a CURVE key: set the 40 Z85 characters that the server's curve_secretkey was"
        ) from None
    zmq.Socket.set(socket, zmq.ZAP_DOMAIN, domain)  # for good: libzmq cannot unset it
    enforced = socket.get(zmq.ZAP_ENFORCE_DOMAIN)
    socket.set(zmq.ZAP_ENFORCE_DOMAIN, 1)
    socket.set(zmq.CURVE_SECRETKEY, key)
    socket.set(zmq.CURVE_SERVER, 1)
    try:
        yield
    finally:
        socket.set(zmq.CURVE_SERVER, 0)  # which is mechanism NULL again
        socket.set(zmq.ZAP_ENFORCE_DOMAIN, enforced)


class CurveJudge:
    """The library's own ZAP handler: it answers for CURVE clients, by their keys, and refuses everything else.

    One per Context, bound when the first socket needs it. Afterwards it is used in the bridge's loop only.
    """

    def __init__(self, context: int, zap: Zap) -> None:
        """`context` is the address of libzmq's own, so that the Python object can still be collected; `zap` must not
        take this handler for one of the application's."""
        self._context = context
        self._zap = zap
        self._socket: zmq.Socket[bytes] | None = None
        self._descriptor = -1
        self._bridge: Bridge | None = None
        self._lists: dict[bytes, Collection[KeyText]] = {}

    def admit(self, bridge: Bridge, clients: Collection[KeyText]) -> bytes:
        """The ZAP domain under which these clients are admitted; the collection is asked anew for each of them.

        LocalError if the application has a ZAP handler of its own.
        """
        if self._socket is None:
            self._bind(bridge)
        domain = b"qzmq-curve-%d" % next(_domains)
        self._lists[domain] = clients
        return domain

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended."""
        self._close()

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self._close()

    def _bind(self, bridge: Bridge) -> None:
        handler: zmq.Socket[bytes] = zmq.Socket(zmq.Context.shadow(self._context), zmq.ROUTER)
        handler.set(zmq.LINGER, 0)
        try:
            handler.bind(HANDLER)
        except zmq.ZMQError as error:
            handler.close()
            if error.errno != errno.EADDRINUSE:
                raise
            raise LocalError(
                f"ZMTP-15: {HANDLER} is the application's own ZAP handler: set qzmq_curve_clients to 'zap' to let it "
                "judge CURVE clients too; it must set their X-QZMQ- properties, as those of qzmq_ref.auth do"
            ) from None
        self._zap.own_handler = True
        self._socket, self._bridge, self._descriptor = handler, bridge, handler.fileno()
        bridge.loop.call(self._start)

    def _start(self) -> None:
        assert self._bridge is not None  # noqa: S101  # set before the call
        self._bridge.enter(self)
        self._bridge.loop.watch(self._descriptor, IN, self._advance)
        self._advance(IN)

    def _advance(self, _events: int) -> None:
        """Answer what has been asked."""
        if self._socket is None:
            return
        try:
            while int(self._socket.get(zmq.EVENTS)) & zmq.POLLIN:
                frames = self._socket.recv_multipart(zmq.DONTWAIT)
                self._socket.send_multipart(self._answer(frames), zmq.DONTWAIT)
        except zmq.ZMQError:  # the Context is being terminated
            self._close()

    def _answer(self, frames: list[bytes]) -> list[bytes]:
        """The reply to one request, its return address first (RFC 27). libzmq asks, so the form is known."""
        sender, delimiter, _, name, domain, _, _, mechanism, *credentials = frames
        reply = functools.partial(lambda *said: [sender, delimiter, VERSION, name, *said])
        key = z85.encode(credentials[0]) if mechanism == CURVE and len(credentials) == 1 else b""
        clients = self._lists.get(domain, ())
        if key and (key in clients or key.decode() in clients):
            return reply(b"200", b"OK", key, build_metadata(foreign_properties(mechanism)))
        shown = (mechanism.decode("ascii", "replace"), key.decode())
        log.warning("ZMTP-15: %s client %s is not in qzmq_curve_clients", *shown)
        return reply(b"400", b"Unknown key", b"", b"")

    def _close(self) -> None:
        handler, self._socket = self._socket, None
        if handler is not None and self._bridge is not None:
            self._bridge.loop.unwatch(self._descriptor)
            handler.close()
            self._bridge.leave(self)
