"""What a side shows of its key, and whether what a peer shows is trusted (spec/certificates.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import IntEnum
from math import inf

from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid, Provider
from qzmq_ref.crypto.signature import PublicKey, SigningKey, public_key
from qzmq_ref.handshake import x509
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.messages import build, parse_structure
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import enumeration, structure


@enumeration("CertificateType")
class CertificateType(IntEnum):
    """How the key travels."""

    RAW_PUBLIC_KEY = 0
    X509 = 1


@structure("Certificate")
@dataclass(frozen=True)
class Certificate:
    """A type and its body: a DER SubjectPublicKeyInfo, or a CertificateChain."""

    certificate_type: CertificateType | int
    body: bytes


@structure("CertificateEntry")
@dataclass(frozen=True)
class CertificateEntry:
    """One DER Certificate of a chain."""

    der: bytes


@structure("CertificateChain")
@dataclass(frozen=True)
class CertificateChain:
    """Body of an `x509`: the leaf, then each one's issuer."""

    certificates: tuple[CertificateEntry, ...]


@dataclass(frozen=True)
class Shown:
    """A peer's key, not yet trusted. `chain` is empty for a raw key."""

    key: PublicKey
    chain: x509.Path = field(repr=False)


def build_certificate(key: SigningKey, chain: Collection[bytes] = ()) -> bytes:
    """The Certificate octets that show this key to a peer: by its DER certificates, if it has any (CERT-17)."""
    if not chain:
        return build(Certificate(CertificateType.RAW_PUBLIC_KEY, key.spki))
    body = build(CertificateChain(tuple(map(CertificateEntry, chain))))
    return build(Certificate(CertificateType.X509, body))


def parse_certificate(octets: bytes, algorithms: Collection[int], provider: Provider) -> Shown:
    """The key in a peer's certificate; Alert if its form or algorithm is not acceptable (CERT-1, CERT-2, CERT-7)."""
    certificate: Certificate = parse_structure("Certificate", octets, "REG-2")
    if certificate.certificate_type == CertificateType.RAW_PUBLIC_KEY:
        return Shown(_key(certificate.body, algorithms, "CERT-2", provider), ())
    if certificate.certificate_type != CertificateType.X509:
        detail = f"certificate_type {certificate.certificate_type!r} cannot be checked here"
        raise Alert(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1", detail)
    chain = x509.read_chain(_entries(certificate))
    leaf = chain[0]
    if leaf.key is None:
        raise Alert(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1", "the leaf's key is of no algorithm of QZMQ/1")
    return Shown(_key(leaf.spki, algorithms, "CERT-7", provider), chain)


def _entries(certificate: Certificate) -> tuple[bytes, ...]:
    chain: CertificateChain = parse_structure("CertificateChain", certificate.body, "REG-2")
    return tuple(entry.der for entry in chain.certificates)


def _key(spki: bytes, algorithms: Collection[int], requirement: str, provider: Provider) -> PublicKey:
    try:
        key = public_key(spki, provider)
    except Invalid as error:
        raise Alert(AlertDescription.BAD_CERTIFICATE, requirement, str(error)) from None
    if key.sig not in algorithms:
        detail = f"the key is {key.sig.name}, acceptable here: {', '.join(str(a) for a in algorithms)}"
        raise Alert(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1", detail)
    return key


def trusted_server(configuration: Configuration, certificate: bytes, sig: int) -> PublicKey:
    """The server's key, of the suite's algorithm `sig`, by a pin or else by a chain; Alert if neither (CERT-3)."""
    shown = parse_certificate(certificate, {sig}, configuration.provider)
    if shown.key.pin in configuration.server_pins:
        return shown.key
    if configuration.trust is None or not shown.chain:
        raise Alert(AlertDescription.CERTIFICATE_UNKNOWN, "CERT-3", "the server's key is not a configured one")
    x509.check_chain(shown.chain, configuration.trust, "server", configuration.policy.client_signatures)
    return shown.key


def trusted_client(configuration: Configuration, certificate: bytes) -> PublicKey:
    """The client's key, if it is authorised by its pin or else by a chain; Alert if neither (CERT-4)."""
    algorithms = configuration.policy.client_signatures
    shown = parse_certificate(certificate, algorithms, configuration.provider)
    if not configuration.asks_clients or shown.key.pin in (configuration.client_pins or ()):
        return shown.key
    if configuration.trust is None or not shown.chain:
        raise Alert(AlertDescription.ACCESS_DENIED, "CERT-4", "the client's key is not an authorised one")
    x509.check_chain(shown.chain, configuration.trust, "client", algorithms)
    return shown.key


def not_after(configuration: Configuration, certificate: bytes) -> float:
    """When the first certificate of either side's chain ends, in seconds since 1970; infinity without one (CERT-18).

    `certificate` is the peer's, which was accepted; it is empty for an anonymous client.
    """
    chained = certificate[:1] == bytes([CertificateType.X509])
    peers = _entries(parse_structure("Certificate", certificate, "REG-2")) if chained else ()
    return min((x509.read(der).not_after for der in (*configuration.chain, *peers)), default=inf)
