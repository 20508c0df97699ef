"""Chains of certificates to order: well formed unless a test asks for one defect."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from qzmq_ref.authority import PrivateKey, private_key
from qzmq_ref.connection import Configuration
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake.x509 import PURPOSES, Trust
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId

NOW = 1_800_000_000.0
NAME = "server.example"
NAMES = (x509.DNSName(NAME),)
USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


@dataclass(frozen=True)
class Shape:
    """One certificate. Days are counted from NOW; `issuer` and `signer` are names other than the next one's."""

    name: str
    sig: SigId = SigId.ED25519
    ca: bool | None = True
    path_length: int | None = None
    days: tuple[int, int] = (-1, 30)
    usage: str | None = "key_cert_sign"
    purposes: tuple[x509.ObjectIdentifier, ...] | None = None
    names: tuple[x509.GeneralName, ...] = ()
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = ()
    issuer: str | None = None
    signer: str | None = None

    def but(self, **changes: Any) -> Shape:
        return replace(self, **changes)

    @property
    def seed(self) -> bytes:
        return sha256(f"{self.name} {self.sig}".encode()).digest()

    @property
    def key(self) -> SigningKey:
        """The key as a side of a session has it."""
        return SigningKey.from_seed(self.sig, self.seed, provider())


ROOT = Shape("root")
MIDDLE = Shape("middle")
SERVER = Shape("server", ca=False, usage="digital_signature", purposes=(PURPOSES["server"],), names=NAMES)
CLIENT = Shape("client", ca=False, usage="digital_signature", purposes=(PURPOSES["client"],))


def chain_of(*shapes: Shape) -> tuple[bytes, ...]:
    """DER certificates, each signed by the next shape, the last by itself."""
    return tuple(_certificate(shape, issuer) for shape, issuer in zip(shapes, (*shapes[1:], shapes[-1]), strict=True))


def trust_in(*anchors: bytes, name: str = NAME, now: float = NOW) -> Trust:
    """Trust in these certificates at one moment."""
    return Trust(anchors, lambda: now, name)


def server_and_client(
    server: Collection[Shape], client: Collection[Shape] = (), policy: str = "performance"
) -> tuple[Configuration, Configuration]:
    """A server and a client that show all but the last of these shapes and trust the last of the other's."""
    servers, clients = chain_of(*server), chain_of(*client) if client else ()
    chosen = Policy.preset(policy)
    return (
        Configuration("server", chosen, next(iter(server)).key, chain=servers[:-1],
                      trust=trust_in(clients[-1], name="") if clients else None),
        Configuration("client", chosen, next(iter(client)).key if client else None, chain=clients[:-1],
                      trust=trust_in(servers[-1])),
    )  # fmt: skip


@cache
def _certificate(shape: Shape, issuer: Shape) -> bytes:
    signer = issuer if shape.signer is None else issuer.but(name=shape.signer)
    begin, end = (datetime.fromtimestamp(NOW, UTC) + timedelta(days=days) for days in shape.days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(shape.name))
        .issuer_name(_name(shape.issuer or issuer.name))
        .public_key(_private(shape).public_key())
        .serial_number(int.from_bytes(shape.seed[:8]) | 1)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for value, critical in _extensions(shape):
        builder = builder.add_extension(value, critical)
    return builder.sign(_private(signer), None).public_bytes(Encoding.DER)


def _extensions(shape: Shape) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = list(shape.extra)
    if shape.ca is not None:
        found.append((x509.BasicConstraints(shape.ca, shape.path_length), True))
    if shape.usage is not None:
        found.append((x509.KeyUsage(**{use: use == shape.usage for use in USES}), True))
    if shape.purposes is not None:
        found.append((x509.ExtendedKeyUsage(shape.purposes), False))
    return [*found, (x509.SubjectAlternativeName(shape.names), False)] if shape.names else found


def _private(shape: Shape) -> PrivateKey:
    return private_key(shape.sig, shape.seed)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
