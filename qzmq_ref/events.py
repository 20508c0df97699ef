"""What a connection tells its caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from qzmq_ref.handshake.session import (
    Authorize,
    EarlyAnswered,
    EarlyReceived,
    Ended,
    Established,
    Rekeying,
    TicketReceived,
)


@dataclass(frozen=True)
class Received:
    """Application octets from the peer, authentic and in order."""

    octets: bytes = field(repr=False)


Event: TypeAlias = (
    Established | Authorize | Received | Rekeying | EarlyReceived | EarlyAnswered | TicketReceived | Ended
)


class Opened(NamedTuple):
    """What `open_into` did: octets consumed, octets of plaintext produced, and events that come after these."""

    consumed: int
    produced: int
    events: tuple[Event, ...] = ()
