"""One attempt at a session with a server: wait for a turn, dial, authenticate; of a connector, or of a sidecar."""

from __future__ import annotations

import socket
from collections.abc import Callable

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.dialer import Dialer
from qzmq_ref.bridge.endpoints import Endpoint, peer_host, peer_name
from qzmq_ref.bridge.gate import Turn
from qzmq_ref.bridge.handshake import Authenticated, Handshake
from qzmq_ref.bridge.link import Link
from qzmq_ref.connection import ClientTicket, Ended


class Attempt:
    """Calls one of `done`, `refused` (by the handshake) and `unreachable` (no handshake began); none after `abort`."""

    def __init__(
        self,
        bridge: Bridge,
        target: Endpoint,
        link: Link,
        *,
        done: Callable[[Authenticated], None],
        refused: Callable[[Ended | None], None],
        unreachable: Callable[[OSError], None],
        resumes: bool = True,
        early: bytes = b"",
    ) -> None:
        """With `resumes` a ticket is offered if there is one, and `early` goes out with it if the ticket bears it."""
        self._bridge = bridge
        self._target = target
        self._link = link
        self._done = done
        self._refused = refused
        self._unreachable = unreachable
        self._resumes = resumes
        self._early = early
        self._ticket: ClientTicket | None = None
        self._at_work: Dialer | Handshake | None = None
        self._turn = Turn(bridge.gate(target.text), self._dial)
        self.early_sent = False
        """Whether the early octets went out: if not, they are still to be said."""

    def start(self) -> None:
        """Begin when it is this one's turn, perhaps at once."""
        self._turn.start()

    def abort(self) -> None:
        """End it, and tell nobody."""
        self._turn.end()
        if self._at_work is not None:
            self._at_work.abort()

    def _dial(self) -> None:
        self._at_work = Dialer(self._bridge, self._target, self._link, connected=self._connected, failed=self._failed)

    def _failed(self, error: OSError) -> None:
        self._turn.end()
        self._unreachable(error)

    def _connected(self, remote: socket.socket) -> None:
        try:
            host, name = peer_host(remote), peer_name(remote)
        except OSError as error:  # gone already
            remote.close()
            return self._failed(error)
        self._ticket = ticket = self._link.ticket() if self._resumes else None
        early = self._early if ticket and len(self._early) <= ticket.early_octets else b""
        self.early_sent = bool(early)
        self._at_work = Handshake(
            self._bridge, remote, self._link.connection(host, ticket, early), name, self._link.handshake_limit,
            done=self._authenticated, failed=self._ended, authorizer=self._link.authorizer,
        )  # fmt: skip
        return None

    def _ended(self, ended: Ended | None) -> None:
        self._turn.end()
        self._refused(ended)

    def _authenticated(self, remote: Authenticated) -> None:
        self._turn.end()
        if self._ticket is not None:
            self._link.tickets.used(self._ticket)
        self._done(remote)
