"""What is decided of a side before the first octet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import Literal, TypeAlias

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto import Provider, provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake.messages import vector
from qzmq_ref.handshake.tickets import TicketStore
from qzmq_ref.handshake.x509 import Trust, read_own
from qzmq_ref.metadata import Property, build_metadata
from qzmq_ref.policy import Policy

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

    @cached_property
    def metadata_octets(self) -> bytes:
        """What stands for `metadata` in ClientAuth or Finished."""
        return build_metadata(self.metadata)

    @cached_property
    def digest(self) -> bytes:
        """What a server's tickets are bound to of its configuration, 32 octets (RES-5)."""
        policy, clients = self.policy, self.client_pins
        facts = (
            self.socket_type,
            ";".join(map(str, policy.suites)).encode(),
            self.key.pin if self.key else b"",
            self.metadata_octets,
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
