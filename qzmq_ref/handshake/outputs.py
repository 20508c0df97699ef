"""What a step of the machine asks the connection to do, or to tell its caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.handshake.tickets import ClientTicket
from qzmq_ref.metadata import Property
from qzmq_ref.registries import CipherSuite, MessageType


@dataclass(frozen=True)
class Peer:
    """Who is at the other end. `pin` is None for an anonymous client; `metadata` is filtered and extended (PAT-5).

    `resumed`: a ticket brought it back (RES-7).
    """

    pin: bytes | None
    suite: CipherSuite
    metadata: tuple[Property, ...]
    resumed: bool = False


@dataclass(frozen=True)
class Send:
    """A message to send: the whole of a plain one, the plaintext of a sealed one."""

    type: MessageType
    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class Install:
    """From here on, records of this direction are protected with this traffic secret.

    With `from_peers_choice` the old one holds until the peer's first record under the new one (ROT-14).
    """

    direction: Literal["send", "receive"]
    generation: int
    secret: bytes = field(repr=False)
    from_peers_choice: bool = False

    def name(self, role: Role) -> str:
        """What spec/keyschedule.md calls the secret, with its generation, at a side of this role."""
        sender = "c" if (role == "client") == (self.direction == "send") else "s"
        return f"{sender}_ap_{self.generation}" if self.generation else f"{sender}_hs"


@dataclass(frozen=True)
class Disclose:
    """A secret for the key log that no other output carries."""

    name: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Received:
    """Application octets from the peer, authentic and in order (REC-12)."""

    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class Established:
    """The peer is who it should be; application octets may flow both ways."""

    peer: Peer


@dataclass(frozen=True)
class Authorize:
    """A client has proven who it is: may it come in? `Connection.decide` takes the answer (ZAP-3).

    `spki` is empty for an anonymous client, `identity` what it calls itself, `address` where it comes from.
    """

    spki: bytes
    identity: bytes
    address: str


@dataclass(frozen=True)
class Decision:
    """What ZAP says of a client (RFC 27): 200 admits it, 300 not now, 400 refuses it, 500 could not tell.

    `user_id` and `metadata` are for the application, of an admitted client; `text` says why, for the log.
    """

    status: int
    text: str = ""
    user_id: bytes = b""
    metadata: tuple[Property, ...] = ()


@dataclass(frozen=True)
class Rekeying:
    """A generation was asked for, or is `complete`; either way there may be something to send."""

    generation: int
    complete: bool


@dataclass(frozen=True)
class SendEarly:
    """Application octets to send under a key of their own, before the server has answered (RES-14)."""

    suite: CipherSuite
    secret: bytes = field(repr=False)
    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class ReceiveEarly:
    """From here on the client's early records are opened with this secret (RES-16)."""

    suite: CipherSuite
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class EarlyReceived:
    """Early octets of the peer that the ticket names: authentic, but a replay to another server is possible."""

    peer: Peer
    octets: bytes = field(repr=False)


@dataclass(frozen=True)
class EarlyAnswered:
    """What became of this client's early octets; only `rejected` ones may be sent again unasked (RES-18)."""

    status: Literal["accepted", "rejected", "undetermined"]


@dataclass(frozen=True)
class TicketReceived:
    """The client may come back with this ticket for `lifetime` seconds."""

    ticket: ClientTicket
    lifetime: int


@dataclass(frozen=True)
class Ended:
    """The session is over. `authenticated` says whether the peer's alert or close was protected (ALR-5)."""

    reason: Literal["closed", "truncated", "alert", "peer_alert", "canceled"]
    alert: Alert | None = None
    authenticated: bool = False


Output: TypeAlias = (
    Send
    | Install
    | Disclose
    | Received
    | Established
    | Authorize
    | Rekeying
    | SendEarly
    | ReceiveEarly
    | EarlyReceived
    | EarlyAnswered
    | TicketReceived
    | Ended
)
