"""Where tickets are kept: a server's in memory or in a SQLite file that processes share (RES-4), a client's in memory.

A server's stores know a ticket by a hash of its identity only, so a list of what they hold opens no session.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections import OrderedDict
from contextlib import closing
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from time import time
from typing import Any

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto.aead import KEY, NONCE, Aead
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake.tickets import ClientTicket, ServerTicket
from qzmq_ref.records import Clock
from qzmq_ref.registries import AeadId, CipherSuite, HashId

MAX_PLACES = 1024
"""Endpoints whose tickets a Context's clients keep."""

MAX_KEPT = 8
"""Tickets a client keeps of one server: its sessions bring new ones."""


CAPACITY = 10_000
"""Tickets a server keeps in memory, of about 2 KiB each if its clients show keys."""


class MemoryTickets:
    """A ticket store of one process, at most `capacity` tickets: the oldest go first, and whose ticket went comes back
    by a full handshake. LocalError if there is no room for any."""

    def __init__(self, clock: Clock = time, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            raise LocalError(f"a store of {capacity} tickets keeps none: set tickets=0 in the policy to issue none")
        self._clock = clock
        self._capacity = capacity
        self._tickets: OrderedDict[bytes, ServerTicket] = OrderedDict()

    def now(self) -> float:
        """Wall-clock seconds."""
        return self._clock()

    def put(self, identity: bytes, ticket: ServerTicket) -> None:
        """Remember a ticket until it expires or is taken."""
        self._tickets[_name(identity)] = ticket
        while len(self._tickets) > self._capacity:
            self._tickets.popitem(last=False)

    def peek(self, identity: bytes) -> ServerTicket | None:
        """The ticket, if it is there and has not expired."""
        ticket = self._tickets.get(_name(identity))
        return ticket if ticket and ticket.expires_at > self._clock() else None

    def take(self, identity: bytes) -> bool:
        """Remove the ticket; True for exactly one caller: dict.pop is atomic (RES-4)."""
        return self._tickets.pop(_name(identity), None) is not None

    def discard(self, identities: tuple[bytes, ...]) -> None:
        """Forget these tickets, if they are there (RES-3)."""
        for identity in identities:
            self._tickets.pop(_name(identity), None)


class ClientTickets:
    """A client's tickets of one server. One that was offered is gone when the server has answered (ALR-5, RES-4)."""

    def __init__(self, clock: Clock = time) -> None:
        self._clock = clock
        self._kept: list[tuple[float, ClientTicket, object]] = []

    def keep(self, ticket: ClientTicket, lifetime: float, owner: object) -> None:
        """Remember a ticket of the session that `owner` holds for `lifetime` seconds; the oldest of many goes."""
        self._kept = [*self._kept[1 - MAX_KEPT :], (self._clock() + lifetime, ticket, owner)]

    def newest(self) -> ClientTicket | None:
        """The newest ticket that has not expired."""
        self._kept = [kept for kept in self._kept if kept[0] > self._clock()]
        return self._kept[-1][1] if self._kept else None

    def used(self, offered: ClientTicket) -> None:
        """An authenticated server has seen this ticket."""
        self._kept = [kept for kept in self._kept if kept[1] is not offered]

    def discard(self, owner: object) -> None:
        """A generation of the owner's session is over, and its tickets with it (RES-3)."""
        self._kept = [kept for kept in self._kept if kept[2] is not owner]


class TicketBook:
    """What the clients of one Context remember: tickets by endpoint and by what the client is (RES-7)."""

    def __init__(self) -> None:
        self._places: dict[tuple[str, bytes], ClientTickets] = {}

    def tickets(self, endpoint: str, digest: bytes) -> ClientTickets:
        """Those for this endpoint and a configuration of this digest; of very many places the oldest are forgotten."""
        place = (endpoint, digest)
        if place not in self._places:
            while len(self._places) >= MAX_PLACES:
                self._places.pop(next(iter(self._places)), None)
            self._places[place] = ClientTickets()
        return self._places[place]


class SqliteTickets:
    """A ticket store in a file, for several processes and threads, that a crash leaves whole.

    A ticket is taken by a transaction that is on disk before the server answers: it is never accepted twice, even
    if the process or the machine dies in between (RES-4). What a ticket holds is sealed under a key that only the
    client's copy of its identity yields, so the file alone is of no use. Open it after a fork, not before. Raises
    LocalError if the file cannot be opened.
    """

    def __init__(self, path: str | Path, clock: Clock = time) -> None:
        self._clock = clock
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
            self._database = sqlite3.connect(path, timeout=5.0, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = FULL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS tickets (name BLOB PRIMARY KEY, expires_at REAL, sealed BLOB) WITHOUT ROWID"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS age ON tickets (expires_at)")
        except (OSError, sqlite3.Error) as error:
            raise LocalError(f"cannot keep tickets in {path}: {error}; name a file this process may write") from None

    def close(self) -> None:
        """Close the file. The store cannot be used afterwards."""
        self._database.close()

    def now(self) -> float:
        """Wall-clock seconds."""
        return self._clock()

    def put(self, identity: bytes, ticket: ServerTicket) -> None:
        """Remember a ticket until it expires or is taken; expired ones go."""
        self._database.execute("DELETE FROM tickets WHERE expires_at <= ?", (self._clock(),))
        row = (_name(identity), ticket.expires_at, _seal(identity, ticket))
        self._database.execute("INSERT OR REPLACE INTO tickets VALUES (?, ?, ?)", row)

    def peek(self, identity: bytes) -> ServerTicket | None:
        """The ticket, if it is there and has not expired."""
        query = "SELECT sealed FROM tickets WHERE name = ? AND expires_at > ?"
        with closing(self._database.execute(query, (_name(identity), self._clock()))) as found:
            row = found.fetchone()
        return _open(identity, row[0]) if row else None

    def take(self, identity: bytes) -> bool:
        """Remove the ticket; True for exactly one caller among all processes (RES-4)."""
        query = "DELETE FROM tickets WHERE name = ? RETURNING 1"
        return bool(self._database.execute(query, (_name(identity),)).fetchall())

    def discard(self, identities: tuple[bytes, ...]) -> None:
        """Forget these tickets, if they are there (RES-3)."""
        for identity in identities:
            self.take(identity)


def _name(identity: bytes) -> bytes:
    return sha256(identity).digest()


def _aead(identity: bytes) -> Aead:
    """One key per identity, which the store does not keep: so the nonce may be constant."""
    return Aead(AeadId.AES_256_GCM, HashFunction(HashId.SHA_256).expand(identity, b"qzmq ticket store", KEY))


def _seal(identity: bytes, ticket: ServerTicket) -> bytes:
    facts = asdict(ticket) | {"suite": [int(part) for part in asdict(ticket.suite).values()]}
    text = json.dumps({name: value.hex() if isinstance(value, bytes) else value for name, value in facts.items()})
    return _aead(identity).seal(bytes(NONCE), text.encode(), b"")


def _open(identity: bytes, sealed: bytes) -> ServerTicket:
    facts: dict[str, Any] = json.loads(_aead(identity).open(bytes(NONCE), sealed, b""))
    facts["suite"] = CipherSuite(*facts["suite"])
    for name in ("psk", "client_certificate", "client_metadata", "digest"):
        facts[name] = bytes.fromhex(facts[name])
    return ServerTicket(**facts)
