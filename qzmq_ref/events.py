"""What a connection tells its caller."""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from qzmq_ref.handshake.outputs import (
    Authorize,
    EarlyAnswered,
    EarlyReceived,
    Ended,
    Established,
    Received,
    Rekeying,
    TicketReceived,
)

Event: TypeAlias = (
    Established | Authorize | Received | Rekeying | EarlyReceived | EarlyAnswered | TicketReceived | Ended
)


class Opened(NamedTuple):
    """What `open_into` did: octets consumed, octets of plaintext produced, and events that come after these."""

    consumed: int
    produced: int
    events: tuple[Event, ...] = ()
