"""What one side knows during a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

from qzmq_ref.crypto import Entropy
from qzmq_ref.crypto.hash import HashFunction, hash_function
from qzmq_ref.crypto.provider import KemPrivateKey
from qzmq_ref.crypto.signature import PublicKey
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.keyschedule import GenerationSecrets, HandshakeSecrets
from qzmq_ref.handshake.messages import ClientAuth, EarlyDataStatus, vector
from qzmq_ref.handshake.outputs import Decision, Install, Output, Peer
from qzmq_ref.handshake.tickets import ClientTicket
from qzmq_ref.registries import AlertDescription, CipherSuite, KemId, MessageType, SigId


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
    prepared: KemId | None = None
    """What `kem_key` is for, while it waits for a ClientHello."""
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
        fields = self.__dict__.copy()
        fields.update(changes)
        if len(fields) != len(self.__dict__):
            raise TypeError(f"Session has no {', '.join(changes.keys() - self.__dict__.keys())}")
        session = object.__new__(Session)
        object.__setattr__(session, "__dict__", fields)
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
        empty = dict.fromkeys(("prologue", "client_hello", "server_hello", "client_key", "kem_ciphertext"), b"")
        return self.but(outputs=(), **empty)

    @property
    def hash(self) -> HashFunction:
        """The suite's hash; only asked for once there is a suite."""
        return hash_function(self.chosen.hash)

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
