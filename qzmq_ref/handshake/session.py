"""What one side knows during a session, and what a step of the machine asks the connection to do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias, TypeVar

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto import Entropy, Provider, provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.provider import KemPrivateKey
from qzmq_ref.crypto.signature import PublicKey, SigningKey
from qzmq_ref.handshake.keyschedule import GenerationSecrets, HandshakeSecrets
from qzmq_ref.handshake.messages import ClientAuth, vector
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AlertDescription, CipherSuite, HashId, MessageType, SigId

Role: TypeAlias = Literal["client", "server"]


@dataclass(frozen=True)
class Configuration:
    """Everything that is decided before the first octet; nothing received changes it.

    `key` is this side's long-term key: a server needs one, a client may have one. `server_pins` are the pins (32
    octets each) a client trusts (CERT-3); `client_pins` those a server authorises, None for "anyone, and not asked"
    (CERT-4). `metadata` is what this side tells of itself (empty in the raw binding), with `socket_type` the ZeroMQ
    name in it, such as `DEALER`. Raises LocalError if no session could start (CERT-6, POL-6).
    """

    role: Role
    policy: Policy
    key: SigningKey | None = None
    server_pins: frozenset[bytes] = frozenset()
    client_pins: frozenset[bytes] | None = None
    metadata: tuple[Property, ...] = ()
    socket_type: bytes = b""
    provider: Provider = field(default_factory=provider)

    def __post_init__(self) -> None:
        if self.role == "server" and self.key is None:
            raise LocalError("CERT-6: a server needs its own secret key; make one with `qzmq keygen` and set it")
        if self.role == "client" and not self.server_pins:
            raise LocalError("CERT-6: a client needs the server's public key (its pin); set it before connecting")
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
    """From here on, records of this direction are protected with this traffic secret."""

    direction: Literal["send", "receive"]
    generation: int
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
class Ended:
    """The session is over. `authenticated` says whether the peer's alert or close was protected (ALR-5)."""

    reason: Literal["closed", "truncated", "alert", "peer_alert", "canceled"]
    alert: Alert | None = None
    authenticated: bool = False


Output: TypeAlias = Send | Install | Deliver | Established | Ended


@dataclass(frozen=True, repr=False)
class Session:
    """One side's state. Actions return a new one; a failed action leaves the old one as it was (SEC-4)."""

    configuration: Configuration
    prologue: bytes
    entropy: Entropy
    peer_address: str = ""
    state: str = "start"
    received: bytes = b""
    outputs: tuple[Output, ...] = ()
    client_hello: bytes = b""
    server_hello: bytes = b""
    client_key: bytes = b""
    suite: CipherSuite | None = None
    kem_key: KemPrivateKey | None = None
    kem_ciphertext: bytes = b""
    requested_signatures: tuple[SigId | int, ...] | None = None
    peer_key: PublicKey | None = None
    secrets: HandshakeSecrets | None = None
    generation: GenerationSecrets | None = None
    exp: bytes = b""
    client_auth: ClientAuth | None = None
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
