"""A public endpoint that the application's socket connected: dials, authenticates, dials again.

libzmq connects to a private path, once per session, and reconnects there by its own timer when a session has ended.
In between, while the remote side cannot be reached, its connection is held before READY and the timers are ours.
"""

from __future__ import annotations

import contextlib
import logging
import socket
from pathlib import Path

from qzmq_ref.bridge.attempt import Attempt
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.early import EarlyOctets, left_to_send
from qzmq_ref.bridge.endpoints import Endpoint
from qzmq_ref.bridge.handshake import Authenticated
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.local import LocalHop, of_own_process
from qzmq_ref.bridge.loop import Timer
from qzmq_ref.bridge.poller import IN
from qzmq_ref.bridge.report import failure, refusal
from qzmq_ref.bridge.session import Session
from qzmq_ref.connection import EarlyAnswered, Ended, Rekeying, TicketReceived
from qzmq_ref.metadata import Property

log = logging.getLogger("qzmq")

STOP_CONN_REFUSED = 1
"""Bit of RECONNECT_STOP: do not dial again where nobody listens."""

GRACE = 1.0
"""Seconds beyond its own timers that libzmq is given to connect again after its socket was closed."""


class Connector:
    """One connect() of the application's socket. `endpoint` is as the application wrote it."""

    def __init__(self, bridge: Bridge, endpoint: Endpoint, link: Link) -> None:
        """Listen on a private path, so that libzmq finds it; for STREAM only when the remote side is up, since it has
        no handshake that could be held."""
        self.endpoint = endpoint.text
        self.private = bridge.private_path()
        self.linger: float | None = None
        self._bridge = bridge
        self._link = link
        self._hop: LocalHop | None = None
        self._remote: Authenticated | None = None
        self._session: Session | None = None
        self._attempt: Attempt | None = None
        self._dial_again: Timer | None = None
        self._failures = 0
        self._refusals = 0  # handshakes in a row that failed: the first of them may be the ticket's fault
        self._refusal = 0  # ZAP's status, once the server has refused this side for good
        self._known: tuple[Property, ...] = ()  # the peer of the last session, for early data
        self._early: bytes | None = None  # what libzmq said before the remote side was up
        self._early_sent = False
        self._closing = False
        self._target = endpoint
        self._listener: socket.socket | None = None
        if link.framed:
            self._listener = self._listen()

    def start(self) -> None:
        """Dial at once, while libzmq connects to the private path; called in the loop."""
        self._bridge.enter(self)
        if self._listener is not None:
            self._bridge.loop.watch(self._listener, IN, self._accept)
        self._dial()

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended, and libzmq with it: only what has come so far is still carried."""
        self._closing = True
        if self._hop is None or self._remote is None:
            self._dispose()

    def abandon(self) -> None:
        """Time is up, or libzmq would not connect."""
        self._dispose()

    def close(self, linger: float | None) -> None:
        """The application closed or disconnected. libzmq may still have messages to send: go on until it hangs up."""
        self.linger = linger
        self._closing = True
        if self._hop is None and self._session is None:
            self._dispose_later()

    # ---- local side

    def _listen(self) -> socket.socket:
        listener = socket.socket(socket.AF_UNIX)
        listener.setblocking(False)
        self._link.options.buffers(listener)
        listener.bind(self.private)
        listener.listen(1)
        return listener

    def _accept(self, _events: int) -> None:
        assert self._listener is not None  # noqa: S101  # watched only while it is open
        try:
            local, _address = self._listener.accept()
        except OSError:
            return
        if not of_own_process(local) or self._hop is not None:
            local.close()
            return
        self._hop = LocalHop(self._bridge, local, framed=self._link.framed)
        self._hop.lost = self._local_lost
        if self._refusal:
            self._hop.refuse(self._refusal)
        elif self._remote is not None:
            self._join(self._hop, self._remote)
        elif self._attempt is None and self._dial_again is None:
            self._dial_with_early_data(self._hop, room) if (room := self._early_room()) else self._dial()

    def _local_lost(self) -> None:
        """libzmq hung up before READY: the application closed, or its linger is over."""
        self._hop = None
        self._give_up()
        if self._closing:
            self._dispose()

    # ---- remote side

    def _early_room(self) -> int:
        """Octets that may be said early (RES-14): none unless the user allows it and the last session left a ticket."""
        ticket = self._link.ticket()
        allowed = self._link.configuration.policy.early_data and self._link.framed
        return ticket.early_octets if ticket and allowed and self._known else 0

    def _dial_with_early_data(self, hop: LocalHop, room: int) -> None:
        def collected(octets: bytes) -> None:
            if self._hop is hop:  # and the Context has not ended meanwhile
                self._early = octets
                self._dial()

        EarlyOctets(self._bridge.loop, hop, self._known, room, collected)

    def _dial(self) -> None:
        self._dial_again = None
        self._attempt = attempt = Attempt(
            self._bridge, self._target, self._link, resumes=not self._refusals, early=self._early or b"",
            done=lambda remote: self._authenticated(remote, attempt.early_sent),
            refused=lambda ended: self._refused(ended, attempt.early_sent), unreachable=self._unreachable,
        )  # fmt: skip
        attempt.start()

    def _unreachable(self, error: OSError) -> None:
        log.debug("%s: %s", self.endpoint, error)
        if isinstance(error, ConnectionRefusedError) and self._link.options.reconnect_stop & STOP_CONN_REFUSED:
            self._attempt = None
        else:
            self._retry()

    def _refused(self, ended: Ended | None, early_sent: bool) -> None:
        """The handshake failed. A refusal by the authenticated server is final (ALR-6): libzmq is told, and stops."""
        if status := refusal(ended):
            self._attempt = None
            self._refusal = status
            if self._hop is not None:
                self._hop.refuse(status)
            if not self._link.framed:
                self._link.notify(self.endpoint, *failure(ended))
            return
        self._refusals += 1
        if early_sent:
            left_to_send(self._early or b"", sent=True, events=[EarlyAnswered("undetermined")])
            self._drop_hop()
        self._link.notify(self.endpoint, *failure(ended))
        self._retry()

    def _retry(self) -> None:
        self._attempt = None
        self._failures += 1
        delay = self._link.options.backoff(self._failures)
        if delay is not None and not (self._closing and self._hop is None):
            self._link.notify(self.endpoint, "CONNECT_RETRIED", int(delay * 1000))
            self._dial_again = self._bridge.loop.later(delay, self._dial)

    def _give_up(self) -> None:
        """End whatever is under way on the remote side."""
        if self._attempt is not None:
            self._attempt.abort()
        if self._remote is not None:
            self._remote.decline()
        if self._dial_again is not None:
            self._dial_again.cancel()
        self._attempt = self._remote = self._dial_again = None

    def _authenticated(self, remote: Authenticated, early_sent: bool) -> None:
        self._attempt = None
        self._failures = self._refusals = 0
        self._early_sent = early_sent
        self._remote = remote
        self._known = remote.peer.metadata
        if self._hop is not None:
            self._join(self._hop, remote)
        elif self._listener is None:
            self._listener = self._listen()
            self._bridge.loop.watch(self._listener, IN, self._accept)

    # ---- both

    def _join(self, hop: LocalHop, remote: Authenticated) -> None:
        def begin(first: bytes) -> None:
            self._hop = self._remote = None
            self._session = session = remote.session(self, hop.sock)
            self._link.sessions.enter(session, self.endpoint)
            remote.start(session, first)

        if self._early is not None:  # the hop has seen READY already, and spoken
            left = left_to_send(self._early, self._early_sent, remote.events)
            self._early = None
            if left is None:
                self._drop_hop()
                remote.decline()
                self._remote = None
            else:
                begin(left)
            return
        hop.done = begin
        hop.announce(remote.peer.metadata)
        if not self._link.framed:
            self._unlisten()

    def _drop_hop(self) -> None:
        """libzmq's octets are lost like those of any lost connection; it connects again."""
        if self._hop is not None:
            self._hop.close()
        self._hop = self._early = None
        self._early_sent = False

    def session_told(self, event: TicketReceived | Rekeying) -> None:
        """Keep the server's tickets for the next session; those of a generation that is over go (RES-3)."""
        if isinstance(event, TicketReceived):
            self._link.tickets.keep(event.ticket, event.lifetime, self)
        elif event.complete:
            self._link.tickets.discard(self)

    def session_ended(self, session: Session, *, by_local: bool) -> None:
        """libzmq comes back by its own timer; a STREAM's connection is dialled again by ours."""
        self._link.sessions.leave(session)
        if session is self._session:
            self._session = None
        if self._closing:
            self._dispose() if by_local else self._dispose_later()
        elif not self._link.framed:
            self._retry()

    def _dispose_later(self) -> None:
        """libzmq may connect once more, if it has messages left to deliver."""
        options = self._link.options
        delay = max(2 * options.reconnect_ivl, options.reconnect_ivl_max, 0.0) + GRACE

        def check() -> None:
            if self._hop is None and self._session is None:
                self._dispose()

        self._bridge.loop.later(delay, check)

    def _dispose(self) -> None:
        self._closing = True
        self._give_up()
        self._unlisten()
        if self._hop is not None:
            self._hop.close()
            self._hop = None
        self._bridge.leave(self)

    def _unlisten(self) -> None:
        if self._listener is not None:
            self._bridge.loop.close(self._listener)
            self._listener = None
            with contextlib.suppress(OSError):
                Path(self.private).unlink()
