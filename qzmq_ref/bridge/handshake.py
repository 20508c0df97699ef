"""The remote hop until its peer is authenticated, or its time is up."""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.farewell import RemoteFarewell
from qzmq_ref.bridge.link import Authorizer
from qzmq_ref.bridge.poller import IN, OUT
from qzmq_ref.bridge.report import Unanswered, fields, report
from qzmq_ref.bridge.session import Owner, Session
from qzmq_ref.connection import (
    Authorize,
    Connection,
    Decision,
    EarlyReceived,
    Ended,
    Established,
    Event,
    Peer,
    Received,
)

log = logging.getLogger("qzmq")

READ = 2**16

FRESH = frozenset({"greeting", "start"})
"""States in which nothing has been spent on the peer yet."""


@dataclass(frozen=True)
class Authenticated:
    """A remote hop that is ready for a session, with what came along behind the handshake."""

    bridge: Bridge
    remote: socket.socket
    connection: Connection
    peer: Peer
    name: str
    incoming: bytes
    outgoing: bytes
    events: tuple[Event, ...]

    def session(self, owner: Owner, local: socket.socket) -> Session:
        """Its session over `local`, not started."""
        return Session(self.bridge, owner, self.connection, self.remote, local, self.name)

    def start(self, session: Session, first: bytes) -> None:
        """Start the session; `first` has been read from the local hop already."""
        session.start(self.outgoing, self.incoming, first, self.events)

    def decline(self) -> None:
        """There is no local socket any more: close without a session."""
        self.connection.close()
        RemoteFarewell(self.bridge, self.remote, self.outgoing + self.connection.data_to_send(), 0.0)


class Handshake:
    """Drives one Connection up to Established, over a connected socket (SEC-2).

    `done` gets the result; `failed` is called when the connection has ended instead, with the end if one is known.
    """

    __slots__ = (
        "_authorizer", "_bridge", "_connection", "_done", "_events", "_failed", "_mask", "_name", "_outgoing", "_over",
        "_remote", "_timer", "_withdraw",
    )  # fmt: skip

    def __init__(
        self,
        bridge: Bridge,
        remote: socket.socket,
        connection: Connection,
        name: str,
        limit: float,
        *,
        done: Callable[[Authenticated], None],
        failed: Callable[[Ended | None], None],
        authorizer: Authorizer | None = None,
    ) -> None:
        """`name` is the peer's address for the log, `limit` the seconds it may take; `authorizer` is asked where the
        connection wants to know (ZAP-3)."""
        self._bridge = bridge
        self._remote = remote
        self._connection = connection
        self._name = name
        self._done = done
        self._failed = failed
        self._authorizer = authorizer
        self._withdraw: Callable[[], object] | None = None
        self._outgoing = b""
        self._events: tuple[Event, ...] = ()
        self._over = False
        self._mask = 0
        self._timer = bridge.loop.later(limit, self._too_late)
        bridge.enter(self)
        self._send()

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """Give up: the Context has ended, and nothing has been carried."""
        self.abort()

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self.abort()

    def abort(self) -> None:
        """End it, and do not tell the owner."""
        if self._leave():
            self._withdraw_from_peer()

    def dismiss(self) -> None:
        """End it, and tell the owner."""
        if self._leave():
            self._withdraw_from_peer()
            self._failed(None)

    def _withdraw_from_peer(self) -> None:
        """With an alert, if the peer has shown its greeting (CLS-5)."""
        state = self._connection.state
        self._connection.close()
        if state != "greeting":
            self._outgoing += self._connection.data_to_send()
        self._hang_up()

    def _ready(self, events: int) -> None:
        if events & OUT:
            self._send()
        if self._over or not events & ~OUT:
            return
        if self._bridge.loop.may_step():
            self._receive()
        else:
            self._watch(0)
            self._bridge.loop.step(self._receive, begun=self._connection.state not in FRESH)

    def _receive(self) -> None:
        """Take one step; octets that come meanwhile wait in the system's buffer."""
        if self._over:
            return
        try:
            octets = self._remote.recv(READ)
        except BlockingIOError:
            self._send()
            return
        except OSError:
            octets = b""
        self._act(self._connection.receive(octets) if octets else self._connection.end_of_file())

    def _act(self, events: Sequence[Event]) -> None:
        established = [event for event in events if isinstance(event, Established)]
        self._events += tuple(events)
        ended = next((event for event in events if isinstance(event, Ended)), None)
        self._outgoing += self._connection.data_to_send()
        if established:
            self._establish(established[0].peer)
        elif ended is not None:
            report(ended, self._name, self._connection)
            self._fail(ended)
        elif self._authorizer and (question := next((each for each in events if isinstance(each, Authorize)), None)):
            self._watch(0)
            self._withdraw = self._authorizer(question, self._answered)
        else:
            self._send()
            if not (self._over or self._bridge.loop.crowded):
                self._connection.prepare()

    def _answered(self, answer: Decision | Unanswered) -> None:
        """ZAP has spoken. Until here nothing was read: what the client sent meanwhile is with the system (ZAP-3)."""
        self._withdraw = None
        self._bridge.loop.step(functools.partial(self._decide, answer))

    def _decide(self, answer: Decision | Unanswered) -> None:
        if self._over:
            return
        if isinstance(answer, Decision):
            self._act(self._connection.decide(answer))
        else:
            report(answer, self._name, self._connection)
            self._connection.close()
            self._outgoing += self._connection.data_to_send()
            self._fail(answer)

    def _establish(self, peer: Peer) -> None:
        incoming = b"".join(event.octets for event in self._events if isinstance(event, EarlyReceived | Received))
        others = tuple(event for event in self._events if not isinstance(event, EarlyReceived | Received | Established))
        self._flush()
        if self._leave():
            self._watch(0)
            hop = (self._bridge, self._remote, self._connection, peer, self._name)
            self._done(Authenticated(*hop, incoming, self._outgoing, others))

    def _send(self) -> None:
        if self._flush():
            self._watch(IN | OUT if self._outgoing else IN)

    def _watch(self, mask: int) -> None:
        """Have `_ready` called for these events, for none if 0."""
        if mask == self._mask:
            return
        self._mask = mask
        if mask:
            self._bridge.loop.watch(self._remote, mask, self._ready)
        else:
            self._bridge.loop.unwatch(self._remote)

    def _flush(self) -> bool:
        """Send what the connection has to say; False if the peer is gone."""
        self._outgoing += self._connection.data_to_send()
        try:
            if self._outgoing:
                self._outgoing = self._outgoing[self._remote.send(self._outgoing) :]
        except BlockingIOError:
            pass
        except OSError:
            report(Ended("truncated"), self._name, self._connection)
            self._outgoing = b""
            self._fail(None)
            return False
        return True

    def _too_late(self) -> None:
        """SEC-2."""
        state, extra = self._connection.state, fields(self._name, self._connection)
        log.warning("SEC-2: %s: not established in time, in state %s", self._name, state, extra=extra)
        self.dismiss()

    def _fail(self, ended: Ended | None) -> None:
        if self._leave():
            self._hang_up()
            self._failed(ended)

    def _hang_up(self) -> None:
        """Close; if there is an alert to send, after sending it."""
        if self._outgoing:
            self._watch(0)
            RemoteFarewell(self._bridge, self._remote, self._outgoing, 0.0)
        else:
            self._bridge.loop.close(self._remote)

    def _leave(self) -> bool:
        """Whether it was still under way."""
        if self._over:
            return False
        self._over = True
        self._timer.cancel()
        if self._withdraw is not None:
            self._withdraw()
        self._bridge.leave(self)
        return True
