"""Both ends of sessions that come back, for the tests of tickets and early data."""

from dataclasses import dataclass, replace
from typing import Any

from qzmq_ref.connection import (
    ClientTicket,
    Connection,
    EarlyAnswered,
    EarlyReceived,
    Ended,
    TicketReceived,
)
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import AlertDescription
from qzmq_ref.tickets import MemoryTickets
from tests.pairs import Clock, Pair, make_pair, seeded

POLICY = replace(Policy.preset("performance"), early_data=True)


@dataclass
class World:
    """One client and one server configuration, with the server's ticket store."""

    client: Configuration
    server: Configuration
    wall: Clock
    number: int = 0

    @classmethod
    def make(cls, policy: Policy = POLICY, **arguments: Any) -> "World":
        pair, wall = make_pair(policy, **arguments), Clock(1e9)
        server = replace(pair.server._configuration, tickets=MemoryTickets(wall))  # noqa: SLF001
        return cls(pair.client._configuration, server, wall)  # noqa: SLF001

    def pair(self, ticket: ClientTicket | None = None, early_data: bytes = b"") -> Pair:
        self.number += 1
        clock = Clock()
        entropy = seeded(f"connection {self.number}")
        return Pair(
            Connection(self.client, RawBinding("client"), entropy=entropy, clock=clock, ticket=ticket,
                       early_data=early_data),
            Connection(self.server, RawBinding("server"), entropy=entropy, clock=clock),
            clock,
        )  # fmt: skip

    def tickets(self) -> list[ClientTicket]:
        """Tickets of a fresh full handshake."""
        pair = self.pair().exchange()
        assert not resumed(pair)
        return tickets_of(pair)


def tickets_of(pair: Pair) -> list[ClientTicket]:
    return [event.ticket for event in pair.client_events if isinstance(event, TicketReceived)]


def session_of(connection: Connection) -> Session:
    return connection._session  # noqa: SLF001


def resumed(pair: Pair) -> bool:
    """Whether the established session came from a ticket, which both sides must agree on."""
    assert pair.client.established
    assert pair.server.established
    assert session_of(pair.client).resumed == session_of(pair.server).resumed
    return session_of(pair.client).resumed


def ended(events: list[Any]) -> tuple[AlertDescription | int, str]:
    event = next(event for event in events if isinstance(event, Ended))
    assert event.alert is not None
    return event.alert.description, event.alert.requirement


def early_status(pair: Pair) -> str:
    (event,) = [event for event in pair.client_events if isinstance(event, EarlyAnswered)]
    return event.status


def early_octets(pair: Pair) -> bytes:
    return b"".join(event.octets for event in pair.server_events if isinstance(event, EarlyReceived))
