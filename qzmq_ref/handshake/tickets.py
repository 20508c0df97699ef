"""Tickets as data: what each side remembers, and whether it still holds (spec/resumption.md, Tickets)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from qzmq_ref.registries import CipherSuite

MAX_EARLY_OCTETS = 16384
MAX_EARLY_RECORDS = 64
EARLY_STREAM = 0xFFFFFFFF


@dataclass(frozen=True)
class ServerTicket:
    """What a server remembers of a session (RES-5). Times are wall-clock seconds, `psk` is Hash.length octets.

    `digest` is that of the listener's configuration, `client_certificate` is empty for an anonymous client.
    """

    psk: bytes = field(repr=False)
    suite: CipherSuite
    client_certificate: bytes = field(repr=False)
    client_metadata: bytes
    digest: bytes
    authenticated_at: float
    expires_at: float
    early_octets: int


@dataclass(frozen=True)
class ClientTicket:
    """What a client remembers of a session (RES-5, RES-7)."""

    identity: bytes
    psk: bytes = field(repr=False)
    suite: CipherSuite
    server_certificate: bytes = field(repr=False)
    server_metadata: bytes
    client_metadata: bytes
    client_pin: bytes | None
    early_octets: int


class TicketStore(Protocol):
    """Where a server keeps its tickets. Every method may be called from any thread."""

    def now(self) -> float:
        """Wall-clock seconds."""

    def put(self, identity: bytes, ticket: ServerTicket) -> None:
        """Remember a ticket until it expires or is taken."""

    def peek(self, identity: bytes) -> ServerTicket | None:
        """The ticket, if it is there and has not expired."""

    def take(self, identity: bytes) -> bool:
        """Remove the ticket; True for exactly one caller, whatever crashes in between (RES-4)."""

    def discard(self, identities: tuple[bytes, ...]) -> None:
        """Forget these tickets, if they are there (RES-3)."""
