"""One port for two mechanisms while a fleet migrates: QZMQ as ever, CURVE by libzmq itself (spec/bindings.md).

The octets that decide are the client's: each side of ZMTP speaks first, but a greeting may come in two parts. A QZMQ
client is served as on any port. A CURVE client's octets go to a second private endpoint of the same libzmq socket,
bound with CURVE's options.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from functools import partial

from qzmq_ref.alerts import Alert
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import Endpoint, peer_host, peer_name
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.listener import Listener
from qzmq_ref.bridge.local import connect_private
from qzmq_ref.bridge.passage import Passage
from qzmq_ref.bridge.poller import IN
from qzmq_ref.bridge.report import report
from qzmq_ref.connection import Ended
from qzmq_ref.patterns import CURVE, MECHANISM
from qzmq_ref.zmtp import GREETING_SIZE, OPENING, check_greeting, greeting

log = logging.getLogger("qzmq")

NAME_ENDS = 32
"""Octets of a greeting up to the end of its mechanism."""

_CURVE = CURVE.ljust(NAME_ENDS - OPENING - 1, b"\0")

_WELCOME_ENDS = GREETING_SIZE + 170
"""Octets of libzmq's greeting and WELCOME (RFC 26): what follows is READY, or ERROR."""


class DualListener(Listener):
    """A Listener that hands CURVE clients on to `private_curve`, another endpoint of the same libzmq socket."""

    def __init__(self, bridge: Bridge, endpoint: Endpoint, link: Link) -> None:
        """As Listener."""
        super().__init__(bridge, endpoint, link)
        self.private_curve = bridge.private_path()

    def _accepted(self, sock: socket.socket) -> None:
        try:
            sock.setblocking(False)
            self._link.options.tune(sock)
            name = peer_name(sock)
        except OSError:  # gone already
            sock.close()
            return
        self._link.notify(self.endpoint, "ACCEPTED", sock.fileno())
        place = self._take_place()
        opening = Opening(
            self._bridge, sock, name, self._link.handshake_limit, curve=partial(self._serve_curve, place),
            qzmq=partial(self._serve_qzmq, place), failed=partial(self._refused, place),
        )  # fmt: skip
        self._hold(place, opening)

    def _serve_qzmq(self, place: int, sock: socket.socket, received: bytes) -> None:
        """ZMTP-13: the rest of the greeting goes out, and the handshake goes on as if all had been sent at once."""
        try:
            host, name = peer_host(sock), peer_name(sock)
            connection = self._link.connection(host)
            sock.send(connection.data_to_send()[OPENING:])
        except OSError:  # gone already
            sock.close()
            return self._refused(place, None)
        ended = next((event for event in connection.receive(received) if isinstance(event, Ended)), None)
        if ended is not None:
            report(ended, name, connection)
            sock.close()
            return self._refused(place, ended)
        return self._handshake(place, sock, connection, name)

    def _serve_curve(self, place: int, sock: socket.socket, received: bytes) -> None:
        """ZMTP-14: what the client sent goes to libzmq, and what libzmq says comes back but for the opening."""
        over = Once(partial(self._free_place, place))
        overheard = Overheard(lambda: self._curve_ready(over))

        def reached(local: socket.socket) -> None:
            passage = Passage(
                self._bridge, sock, local, received, overheard=overheard, linger=lambda: self.linger, ended=over
            )
            self._hold(place, passage)

        def gone() -> None:
            sock.close()
            over()

        connect_private(self._bridge.loop, self.private_curve, self._link.options, reached=reached, gone=gone)

    def _curve_ready(self, over: Callable[[], None]) -> None:
        self._admit(CURVE)
        over()


class Once:
    """Calls its action the first time only."""

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def __call__(self) -> None:
        action, self._action = self._action, None
        if action is not None:
            action()


class Overheard:
    """libzmq's side of a CURVE handshake: without the opening, which went out before, and with an ear for READY."""

    def __init__(self, ready: Callable[[], None]) -> None:
        self._ready: Callable[[], None] | None = ready
        self._heard = b""

    def __call__(self, octets: bytes) -> bytes:
        """The octets that go out."""
        if self._ready is None:
            return octets
        known = len(self._heard)
        self._heard += octets
        command = self._heard[_WELCOME_ENDS : _WELCOME_ENDS + 15]
        if len(command) == 15:
            if b"\x05READY" in command:
                self._ready()
            self._ready, self._heard = None, b""
        return octets[max(0, OPENING - known) :]


class Opening:
    """A connection until its client has named a mechanism (ZMTP-11, ZMTP-12).

    `curve` and `qzmq` are called with the socket and what was read of it; `failed` with why it has ended instead.
    """

    def __init__(
        self,
        bridge: Bridge,
        sock: socket.socket,
        name: str,
        limit: float,
        *,
        curve: Callable[[socket.socket, bytes], None],
        qzmq: Callable[[socket.socket, bytes], None],
        failed: Callable[[Ended | None], None],
    ) -> None:
        """`name` is the peer's address for the log, `limit` the seconds it may take (SEC-2)."""
        self._bridge = bridge
        self._sock = sock
        self._name = name
        self._curve = curve
        self._qzmq = qzmq
        self._failed = failed
        self._received = b""
        self._timer = bridge.loop.later(limit, self._too_late)
        bridge.enter(self)
        try:
            sock.send(greeting(MECHANISM, as_server=True)[:OPENING])
        except OSError as error:  # gone already: reading will tell
            log.debug("%s: %s", name, error)
        bridge.loop.watch(sock, IN, self._readable)

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """Give up: the Context has ended."""
        self.abandon()

    def abandon(self) -> None:
        """Close at once and tell nobody."""
        self._leave()
        self._sock.close()

    def dismiss(self) -> None:
        """Close: to a client that has not said what it wants there is nothing to say."""
        self._fail(None)

    def _readable(self, _events: int) -> None:
        try:
            octets = self._sock.recv(GREETING_SIZE - len(self._received))
        except BlockingIOError:
            return None
        except OSError:
            octets = b""
        self._received += octets
        if not octets:
            return self._fail(None)
        try:
            check_greeting(self._received[:OPENING], MECHANISM, as_server=False)
        except Alert as alert:
            log.warning("%s: %s: %s, ended with alert decode_error", alert.requirement, self._name, alert.detail)
            return self._fail(Ended("alert", alert))
        return self._decide()

    def _decide(self) -> None:
        """ZMTP-12. What is neither goes the way of QZMQ, which refuses it (ZMTP-4)."""
        named = self._received[OPENING + 1 : NAME_ENDS]
        if not named or (len(named) < len(_CURVE) and _CURVE.startswith(named)):
            return
        self._leave()
        (self._curve if named == _CURVE else self._qzmq)(self._sock, self._received)

    def _too_late(self) -> None:
        log.warning("SEC-2: %s: no greeting in time", self._name)
        self._fail(None)

    def _fail(self, ended: Ended | None) -> None:
        self._leave()
        self._sock.close()
        self._failed(ended)

    def _leave(self) -> None:
        self._timer.cancel()
        self._bridge.loop.unwatch(self._sock)
        self._bridge.leave(self)
