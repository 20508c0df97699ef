"""Chains of X.509 certificates to order: well formed unless one defect is asked for, which is of one rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from qzmq_conformance.keys import key, seed
from qzmq_ref.authority import PrivateKey, private_key
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake.x509 import PURPOSES
from qzmq_ref.registries import SigId

NAME = "server.example"
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
    """One certificate of the key of that name. Days are counted from the moment that the chain is made for.

    `issuer` and `signer` are names other than that of the next certificate.
    """

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
        """This shape with some fields changed."""
        return replace(self, **changes)

    @property
    def key(self) -> SigningKey:
        """Its key, as a side of a session has it."""
        return key(self.name, self.sig)

    @property
    def private(self) -> PrivateKey:
        """Its key, as who signs certificates has it."""
        return private_key(self.sig, seed(self.name))

    @property
    def extensions(self) -> list[tuple[x509.ExtensionType, bool]]:
        """What the certificate has, each with whether it is critical."""
        found: list[tuple[x509.ExtensionType, bool]] = list(self.extra)
        if self.ca is not None:
            found.append((x509.BasicConstraints(self.ca, self.path_length), True))
        if self.usage is not None:
            found.append((x509.KeyUsage(**{use: use == self.usage for use in USES}), True))
        if self.purposes is not None:
            found.append((x509.ExtendedKeyUsage(self.purposes), False))
        return [*found, (x509.SubjectAlternativeName(self.names), False)] if self.names else found


ROOT = Shape("root")
MIDDLE = Shape("middle")
LEAVES: Mapping[str, Shape] = {
    "server": Shape(
        "server",
        ca=False,
        usage="digital_signature",
        purposes=(PURPOSES["server"],),
        names=(x509.DNSName(NAME),),
    ),
    "client": Shape("client", ca=False, usage="digital_signature", purposes=(PURPOSES["client"],)),
}
"""A leaf for each role."""


@dataclass(frozen=True)
class Defect:
    """What is wrong with the certificate at `position` of leaf, middle and root, and whose rule that breaks."""

    requirement: str
    position: int
    changes: Mapping[str, Any]

    def of(self, shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
        """The shapes with the defect."""
        return tuple(shape.but(**self.changes) if i == self.position else shape for i, shape in enumerate(shapes))


def chain_of(now: float, *shapes: Shape) -> tuple[bytes, ...]:
    """DER certificates for that moment (seconds since 1970), each signed by the next shape, the last by itself."""
    issuers = (*shapes[1:], shapes[-1])
    return tuple(_certificate(now, shape, issuer) for shape, issuer in zip(shapes, issuers, strict=True))


def defects(role: str) -> Mapping[str, Defect]:
    """One of every kind, in the chain of a peer in that role; only a server's has a name that matters."""
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
    constraints = x509.NameConstraints([x509.DNSName("example")], None)
    other = PURPOSES["client" if role == "server" else "server"]
    found = {
        "leaf-expired": Defect("CERT-12", 0, {"days": (-9, -1)}),
        "issuer-expired": Defect("CERT-12", 1, {"days": (-9, -1)}),
        "anchor-expired": Defect("CERT-12", 2, {"days": (-9, -1)}),
        "leaf-not-yet-valid": Defect("CERT-12", 0, {"days": (1, 9)}),
        "issuer-not-yet-valid": Defect("CERT-12", 1, {"days": (1, 9)}),
        "leaf-for-others": Defect("CERT-15", 0, {"purposes": (other,)}),
        "leaf-for-anything": Defect("CERT-15", 0, {"purposes": (ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,)}),
        "leaf-without-purpose": Defect("CERT-15", 0, {"purposes": None}),
        "leaf-does-not-sign": Defect("CERT-15", 0, {"usage": "key_agreement"}),
        "issuer-for-others": Defect("CERT-15", 1, {"purposes": (other,)}),
        "issuer-no-ca": Defect("CERT-13", 1, {"ca": False}),
        "issuer-without-constraints": Defect("CERT-13", 1, {"ca": None}),
        "issuer-does-not-sign": Defect("CERT-13", 1, {"usage": "crl_sign"}),
        "anchor-no-ca": Defect("CERT-13", 2, {"ca": False}),
        "path-length": Defect("CERT-13", 2, {"path_length": 0}),
        "leaf-critical": Defect("CERT-14", 0, {"extra": ((unknown, True),)}),
        "issuer-critical": Defect("CERT-14", 1, {"extra": ((unknown, True),)}),
        "anchor-critical": Defect("CERT-14", 2, {"extra": ((unknown, True),)}),
        "issuer-name-constraints": Defect("CERT-14", 1, {"extra": ((constraints, False),)}),
        "leaf-forged": Defect("CERT-11", 0, {"signer": "mallory"}),
        "issuer-forged": Defect("CERT-11", 1, {"signer": "mallory"}),
        "leaf-of-another": Defect("CERT-8", 0, {"issuer": "mallory"}),
        "issuer-of-another": Defect("CERT-9", 1, {"issuer": "mallory"}),
    }
    named = {
        "another-name": Defect("CERT-16", 0, {"names": (x509.DNSName("other.example"),)}),
        "no-name": Defect("CERT-16", 0, {"names": ()}),
        "bare-wildcard": Defect("CERT-16", 0, {"names": (x509.DNSName("*"),)}),
        "wildcard-within-a-label": Defect("CERT-16", 0, {"names": (x509.DNSName(f"*{NAME[1:]}"),)}),
        "name-of-another-kind": Defect("CERT-16", 0, {"names": (x509.RFC822Name(f"a@{NAME}"),)}),
    }
    return {**found, **named} if role == "server" else found


def unusual(role: str) -> Mapping[str, Defect]:
    """What looks like a defect and is none: the rule that bears it."""
    found = {
        "path-length-0-of-issuer": Defect("CERT-13", 1, {"path_length": 0}),
        "path-length-1-of-anchor": Defect("CERT-13", 2, {"path_length": 1}),
        "issuer-without-usage": Defect("CERT-13", 1, {"usage": None}),
        "leaf-without-usage": Defect("CERT-15", 0, {"usage": None}),
        "issuer-for-both": Defect("CERT-15", 1, {"purposes": tuple(PURPOSES.values())}),
    }
    named = {
        "name-in-capitals": Defect("CERT-16", 0, {"names": (x509.DNSName(NAME.upper()),)}),
        "wildcard": Defect("CERT-16", 0, {"names": (x509.DNSName(f"*.{NAME.partition('.')[2]}"),)}),
        "second-name": Defect("CERT-16", 0, {"names": (x509.DNSName("other.example"), x509.DNSName(NAME))}),
    }
    return {**found, **named} if role == "server" else found


def long_chain(shapes: tuple[Shape, ...], length: int) -> tuple[Shape, ...]:
    """A chain of so many certificates and its anchor, the last of `shapes`."""
    leaf, middle, anchor = shapes
    return leaf, *(middle.but(name=f"middle {i}") for i in range(length - 1)), anchor


def self_issued(shapes: tuple[Shape, ...]) -> tuple[Shape, ...]:
    """A chain through a certificate that its anchor issued to itself, which no path length counts."""
    leaf, middle, anchor = shapes
    return leaf, middle, anchor.but(days=(-1, 20)), anchor.but(path_length=1)


@cache
def _certificate(now: float, shape: Shape, issuer: Shape) -> bytes:
    signer = issuer if shape.signer is None else issuer.but(name=shape.signer)
    begin, end = (datetime.fromtimestamp(now, UTC) + timedelta(days=days) for days in shape.days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(shape.name))
        .issuer_name(_name(shape.issuer or issuer.name))
        .public_key(shape.private.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(end)
    )
    for value, critical in shape.extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer.private, None).public_bytes(Encoding.DER)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])
