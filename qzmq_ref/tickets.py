"""Ticket stores: in memory, and in a SQLite file that several processes share (RES-4)."""

from __future__ import annotations

from hashlib import sha256
from time import time

from qzmq_ref.handshake.tickets import ServerTicket
from qzmq_ref.records import Clock


class MemoryTickets:
    """A ticket store of one process, at most `capacity` tickets: the oldest go first."""

    def __init__(self, clock: Clock = time, capacity: int = 100_000) -> None:
        self._clock = clock
        self._capacity = capacity
        self._tickets: dict[bytes, ServerTicket] = {}

    def now(self) -> float:
        """Wall-clock seconds."""
        return self._clock()

    def put(self, identity: bytes, ticket: ServerTicket) -> None:
        """Remember a ticket under the hash of its identity, so that the store itself is of no use to a thief."""
        while len(self._tickets) >= self._capacity:
            self._tickets.pop(next(iter(self._tickets)), None)
        self._tickets[sha256(identity).digest()] = ticket

    def peek(self, identity: bytes) -> ServerTicket | None:
        """The ticket, if it is there and has not expired."""
        ticket = self._tickets.get(sha256(identity).digest())
        return ticket if ticket and ticket.expires_at > self._clock() else None

    def take(self, identity: bytes) -> bool:
        """Remove the ticket (RES-4): dict.pop is atomic."""
        return self._tickets.pop(sha256(identity).digest(), None) is not None

    def discard(self, identities: tuple[bytes, ...]) -> None:
        """RES-3."""
        for identity in identities:
            self._tickets.pop(sha256(identity).digest(), None)
