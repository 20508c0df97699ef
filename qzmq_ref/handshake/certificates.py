"""Raw public keys and pins (spec/certificates.md)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import IntEnum

from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid, Provider
from qzmq_ref.crypto.signature import PublicKey, SigningKey, public_key
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
    """A type and its body: for `raw_public_key` a DER SubjectPublicKeyInfo."""

    certificate_type: CertificateType | int
    body: bytes


def build_certificate(key: SigningKey) -> bytes:
    """The Certificate octets that show this key to a peer."""
    return build(Certificate(CertificateType.RAW_PUBLIC_KEY, key.spki))


def parse_certificate(octets: bytes, algorithms: Collection[int], provider: Provider) -> PublicKey:
    """The key in a peer's certificate; Alert if its type or algorithm is not acceptable (CERT-1, CERT-2)."""
    certificate: Certificate = parse_structure("Certificate", octets, "REG-2")
    if certificate.certificate_type != CertificateType.RAW_PUBLIC_KEY:
        detail = f"certificate_type {certificate.certificate_type!r} cannot be checked here"
        raise Alert(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1", detail)
    try:
        key = public_key(certificate.body, provider)
    except Invalid as error:
        raise Alert(AlertDescription.BAD_CERTIFICATE, "CERT-2", str(error)) from None
    if key.sig not in algorithms:
        detail = f"the key is {key.sig.name}, acceptable here: {', '.join(str(a) for a in algorithms)}"
        raise Alert(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-1", detail)
    return key
