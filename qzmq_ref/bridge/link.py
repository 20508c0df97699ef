"""How the connections of one endpoint are made: configured once, at bind or connect, and the same for all of them."""

from __future__ import annotations

import functools
import os
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from qzmq_ref.bridge.observer import Observe
from qzmq_ref.bridge.options import Options
from qzmq_ref.bridge.report import Unanswered
from qzmq_ref.bridge.sessions import Sessions
from qzmq_ref.bridge.watched import WatchedConnection
from qzmq_ref.connection import Authorize, ClientTicket, Configuration, Connection, Decision
from qzmq_ref.handshake.resume import offerable
from qzmq_ref.raw import RawBinding
from qzmq_ref.tickets import ClientTickets
from qzmq_ref.zmtp import ZmtpBinding

Notify = Callable[[str, str, int], None]
"""Told what monitors want to know: the public endpoint, the name of a libzmq event and its value."""

Answer = Callable[[Decision | Unanswered], None]

Authorizer = Callable[[Authorize, Answer], Callable[[], object]]
"""Asks ZAP about a client, without waiting: the answer comes later, in the loop, at most once, and never after the
function that this returns was called."""


@dataclass(frozen=True)
class Link:
    """The configuration of the protocol core, the options of the sockets, and who is told of events."""

    configuration: Configuration
    options: Options
    notify: Notify
    tickets: ClientTickets = field(default_factory=ClientTickets)
    observe: Observe | None = None
    authorizer: Authorizer | None = None
    clients: Counter[str] = field(default_factory=Counter)
    sessions: Sessions = field(default_factory=Sessions)

    @property
    def framed(self) -> bool:
        """Whether it carries ZMTP (the zmtp binding), or octets as they are (raw, for STREAM)."""
        return bool(self.configuration.socket_type)

    @property
    def handshake_limit(self) -> float:
        """Seconds a handshake may take (SEC-2): the policy's bound, which HANDSHAKE_IVL may lower."""
        limit = self.configuration.policy.handshake_timeout
        return min(limit, self.options.handshake_ivl or limit)

    def connection(
        self, peer_address: str, ticket: ClientTicket | None = None, early_data: bytes = b""
    ) -> Connection:
        """A new protocol core, with the system's randomness and clock."""
        role = self.configuration.role
        binding = ZmtpBinding(role) if self.framed else RawBinding(role)
        watched = self.observe and functools.partial(WatchedConnection, self.observe(self.configuration))
        return (watched or Connection)(
            self.configuration,
            binding,
            entropy=os.urandom,
            clock=time.monotonic,
            peer_address=peer_address,
            ticket=ticket,
            early_data=early_data,
        )

    def ticket(self) -> ClientTicket | None:
        """A ticket to come back with, if there is one that may be offered now (RES-6, RES-7)."""
        ticket = self.tickets.newest() if self.sessions.resume else None
        return ticket if ticket and offerable(self.configuration, ticket) else None
