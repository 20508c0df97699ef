"""What one side knows during a session, and what a step of the machine asks the connection to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal, TypeAlias, TypeVar

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto import Entropy, Provider, provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.provider import KemPrivateKey
from qzmq_ref.crypto.signature import PublicKey, SigningKey
from qzmq_ref.handshake.keyschedule import GenerationSecrets, HandshakeSecrets
from qzmq_ref.handshake.messages import ClientAuth, EarlyDataStatus, vector
from qzmq_ref.handshake.tickets import ClientTicket, TicketStore
from qzmq_ref.handshake.x509 import Trust, read_own
from qzmq_ref.metadata import Property, build_metadata
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AlertDescription, CipherSuite, HashId, MessageType, SigId

Role: TypeAlias = Literal["client", "server"]

KeyLog: TypeAlias = Callable[[str, bytes, bytes], None]
"""Told a secret's name, the client's random and the secret, where a person asked for that by name (SEC-7)."""


@dataclass(frozen=True)
class Configuration:
    """Everything that is decided before the first octet; nothing received changes it.

    `key` is this side's long-term key: a server needs one, a client may have one. `server_pins` are the pins (32
    octets each) a client trusts (CERT-3); `client_pins` those a server authorises, None for "anyone, and not asked"
    (CERT-4). `chain` are this side's DER certificates, leaf first, empty for a raw key (CERT-17), and `trust` are
    the authorities whose certificates the peer may show instead of a key with such a pin. `metadata` is what this
    side tells of itself (empty in the raw binding), with `socket_type` the ZeroMQ name in it, such as `DEALER`.
    `under_load` tells a server whose policy retries `under_load` to ask for a puzzle, `authorizing` one that ZAP is
    to be asked about its clients (ZAP-1). `tickets` is where a server keeps its tickets, None for "issue none".
    Raises LocalError if no session could start (CERT-6, POL-6).
    """

    role: Role
    policy: Policy
    key: SigningKey | None = None
    server_pins: frozenset[bytes] = frozenset()
    client_pins: frozenset[bytes] | None = None
    metadata: tuple[Property, ...] = ()
    socket_type: bytes = b""
    provider: Provider = field(default_factory=provider)
    under_load: Callable[[], bool] = lambda: False
    authorizing: Callable[[], bool] = lambda: False
    tickets: TicketStore | None = None
    key_log: KeyLog | None = field(default=None, repr=False)
    chain: tuple[bytes, ...] = ()
    trust: Trust | None = None

    @property
    def asks_clients(self) -> bool:
        """Whether a server wants to know who its clients are (CERT-4)."""
        return self.client_pins is not None or self.trust is not None

    @property
    def digest(self) -> bytes:
        """What a server's tickets are bound to of its configuration, 32 octets (RES-5)."""
        policy, clients = self.policy, self.client_pins
        facts = (
            self.socket_type,
            ";".join(map(str, policy.suites)).encode(),
            self.key.pin if self.key else b"",
            build_metadata(self.metadata),
            b"anyone" if clients is None else b"".join(sorted(clients)),
            *(sorted(self.trust.anchors) if self.trust else ()),
        )
        return sha256(b"".join(vector(fact, 4) for fact in facts)).digest()

    def __post_init__(self) -> None:
        if self.role == "server" and self.key is None:
            raise LocalError("CERT-6: a server needs its own secret key; make one with `qzmq keygen` and set it")
        if self.role == "client" and not (self.server_pins or self.trust):
            raise LocalError("CERT-6: a client needs its server's public key (a pin) or an authority; set one of them")
        if self.trust and bool(self.trust.name) != (self.role == "client"):
            raise LocalError("CERT-16: a client with an authority needs the name of its server, and a server none")
        if self.chain and not (self.key and read_own(self.chain).spki == self.key.spki):
            raise LocalError("CERT-17: the first certificate is not of this side's key; set the two made together")
        if self.role == "server" and self.key and self.key.sig not in {suite.sig for suite in self.policy.suites}:
            raise LocalError(f"POL-6: no suite of the policy signs with {self.key.sig.name}; choose a policy that does")


@dataclass(frozen=True)
class Peer:
    """Who is at the other end. `pin` is None for an anonymous client; `metadata` is filtered and extended (PAT-5)."""

    pin: bytes | None
    suite: CipherSuite
    metadata: tuple[Property, ...]


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
class Deliver:
    """Application octets, authentic and in order."""

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
    | Deliver
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


@dataclass(frozen=True, repr=False)
class Session:
    """One side's state. Actions return a new one; a failed action leaves the old one as it was (SEC-4)."""

    configuration: Configuration
    prologue: bytes
    entropy: Entropy
    peer_address: str = ""
    state: str = "start"
    received: bytes = b""
    epoch: str = ""
    outputs: tuple[Output, ...] = ()
    client_hello: bytes = b""
    server_hello: bytes = b""
    client_key: bytes = b""
    cookie: bytes = b""
    offered: ClientTicket | None = None
    early: bytes = b""
    resumed: bool = False
    early_status: EarlyDataStatus | None = None
    early_octets: int = 0
    early_records: int = 0
    psk: bytes = b""
    issued: tuple[bytes, ...] = ()
    authenticated_at: float = 0.0
    peer_certificate: bytes = b""
    peer_metadata: bytes = b""
    suite: CipherSuite | None = None
    kem_key: KemPrivateKey | None = None
    kem_ciphertext: bytes = b""
    requested_signatures: tuple[SigId | int, ...] | None = None
    peer_key: PublicKey | None = None
    secrets: HandshakeSecrets | None = None
    generation: int = 0
    generation_secrets: GenerationSecrets | None = None
    offer: bytes = b""
    requested: bool = False
    exp: bytes = b""
    client_auth: ClientAuth | None = None
    authorizing: bool = False
    decision: Decision | None = None
    peer: Peer | None = None
    pending_alert: AlertDescription | int = AlertDescription.INTERNAL_ERROR
    sealing: bool = False

    def but(self, **changes: Any) -> Session:
        """This session with some fields changed; dataclasses.replace would be a third of a handshake's Python."""
        if not changes.keys() <= self.__dict__.keys():
            raise TypeError(f"Session has no {', '.join(changes.keys() - self.__dict__.keys())}")
        session = object.__new__(Session)
        session.__dict__.update(self.__dict__, **changes)
        return session

    def emit(self, *outputs: Output) -> Session:
        """This session with further outputs; `sealing` follows the sending key (ALR-1, ALR-2)."""
        sealing = self.sealing or any(isinstance(out, Install) and out.direction == "send" for out in outputs)
        return self.but(outputs=self.outputs + outputs, sealing=sealing)

    def without_secrets(self) -> Session:
        """This session once it is over (KS-5)."""
        changes = {"exp": b"", "psk": b"", "outputs": ()}
        return self.but(secrets=None, generation_secrets=None, kem_key=None, offered=None, **changes)

    def without_transcript(self) -> Session:
        """This session once it is established: what only the handshake needed is gone (KS-5)."""
        return replace(
            self,
            prologue=b"",
            client_hello=b"",
            server_hello=b"",
            client_key=b"",
            kem_ciphertext=b"",
            outputs=(),
        )

    @property
    def hash(self) -> HashFunction:
        """The suite's hash; only asked for once there is a suite."""
        return HashFunction(HashId(self.chosen.hash))

    @property
    def chosen(self) -> CipherSuite:
        """The suite of the session."""
        return known(self.suite)

    @property
    def h1(self) -> bytes:
        """H1 of spec/handshake.md, Transcript."""
        return self.prologue + self.client_hello + self.server_hello + self.auth_aad

    @property
    def auth_aad(self) -> bytes:
        """`0x03 || kem_ciphertext` (HS-9)."""
        return bytes([MessageType.CLIENT_KEY]) + vector(self.kem_ciphertext, 2)

    @property
    def t_ck(self) -> bytes:
        """T_ck of spec/handshake.md, Transcript."""
        return self.prologue + self.client_hello + self.server_hello + self.client_key


_T = TypeVar("_T")


def known(value: _T | None) -> _T:
    """A value that the table guarantees at this point."""
    if value is None:
        raise RuntimeError("the handshake table reached an action before what it needs: a bug of the table")
    return value
