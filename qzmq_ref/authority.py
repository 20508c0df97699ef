"""An authority of one's own: certificates for `qzmq_certificate`, and the anchor for `qzmq_ca` (spec/certificates.md).

NAME.crt holds PEM certificates, NAME.crt_secret the PKCS #8 key of the first one, mode 0600.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA65PrivateKey, MLDSA87PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.auth import check_private, read_file, write_pair
from qzmq_ref.crypto.signature import SEED
from qzmq_ref.handshake.x509 import PURPOSES, address_of, read
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId
from qzmq_ref.socket.security import pem_certificates

PrivateKey: TypeAlias = Ed25519PrivateKey | MLDSA44PrivateKey | MLDSA65PrivateKey | MLDSA87PrivateKey

SUFFIX = ".crt"
PRIVATE_SUFFIX = ".crt_secret"
AUTHORITY_DAYS = 3650
CERTIFICATE_DAYS = 365
SKEW = timedelta(minutes=5)
"""How far a certificate begins in the past, for peers whose clocks are slow."""

_NAME = re.compile(r"(\*\.)?[\w-]+(\.[\w-]+)*", re.ASCII)
_FROM_SEED: Mapping[SigId, Callable[[bytes], PrivateKey]] = {
    SigId.ED25519: Ed25519PrivateKey.from_private_bytes,
    SigId.ML_DSA_44: MLDSA44PrivateKey.from_seed_bytes,
    SigId.ML_DSA_65: MLDSA65PrivateKey.from_seed_bytes,
    SigId.ML_DSA_87: MLDSA87PrivateKey.from_seed_bytes,
}


@dataclass(frozen=True)
class Identity:
    """What a socket shows and signs with: PEM for `qzmq_certificate`, 40 Z85 characters for `qzmq_secretkey`."""

    certificate: bytes
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Authority:
    """Who signs certificates: a key, and the certificate of it."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate


@dataclass(frozen=True)
class Purpose:
    """What a leaf is for: a server under its `names` (DNS names, addresses), and a client if it has none or `client`.

    Raises LocalError if a name is none that a client could ask for.
    """

    names: tuple[str, ...] = ()
    client: bool = False

    def __post_init__(self) -> None:
        if wrong := [name for name in self.names if not (address_of(name) or _NAME.fullmatch(name))]:
            raise LocalError(f"{', '.join(wrong)}: no DNS name or address; write names in ASCII (RFC 5890)")

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that it may play (CERT-15)."""
        return ("server",) * bool(self.names) + ("client",) * (self.client or not self.names)

    @property
    def general_names(self) -> list[x509.GeneralName]:
        """Addresses as iPAddress, other names as dNSName (CERT-16)."""
        found = ((name, address_of(name)) for name in self.names)
        return [x509.IPAddress(address) if address else x509.DNSName(name) for name, address in found]


@dataclass(frozen=True)
class Term:
    """From when to when a certificate is valid, both in UTC."""

    begin: datetime
    end: datetime

    @classmethod
    def of(cls, days: int) -> Term:
        """From now on, for some days. LocalError unless they are 1 to AUTHORITY_DAYS."""
        now = datetime.now(UTC).replace(microsecond=0)
        if not 1 <= days <= AUTHORITY_DAYS:
            raise LocalError(f"a certificate cannot be valid for {days} days: choose 1 to {AUTHORITY_DAYS}")
        return cls(now - SKEW, now + timedelta(days=days))


def private_key(sig: SigId, seed: bytes) -> PrivateKey:
    """The key that follows from 32 octets, as `SigningKey.from_seed` reads them."""
    return _FROM_SEED[sig](seed)


def authority_certificate(name: str, key: PrivateKey, term: Term, serial: int | None = None) -> x509.Certificate:
    """The certificate by which an authority is known: of a CA for leaves only, signed by itself."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        _builder(subject, key, term, serial)
        .issuer_name(subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(certifies=True), critical=True)
        .sign(key, None)
    )


def leaf_certificate(
    authority: Authority, name: str, key: PrivateKey, term: Term, purpose: Purpose, serial: int | None = None
) -> x509.Certificate:
    """A certificate of `key`, for a server or a client as `purpose` says (CERT-15, CERT-16)."""
    builder = _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, term, serial)
    if purpose.names:
        builder = builder.add_extension(x509.SubjectAlternativeName(purpose.general_names), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    return (
        builder.issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([PURPOSES[role] for role in purpose.roles]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority.key, None)
    )


def create_authority(
    name: str | Path, policy: Policy | str = "default", days: int = AUTHORITY_DAYS
) -> tuple[Path, Path]:
    """Make an authority whose key is of the policy's signature; returns the paths of certificate and key.

    LocalError if either exists.
    """
    key = _new_key(_policy(policy))
    certificate = authority_certificate(_common_name(name), key, Term.of(days))
    return _write(name, certificate, key)


def create_certificate(
    name: str | Path,
    authority: str | Path,
    purpose: Purpose,
    policy: Policy | str = "default",
    days: int = CERTIFICATE_DAYS,
) -> tuple[Path, Path]:
    """Make a key of the policy's signature and a certificate of it; returns the paths of certificate and key.

    `authority` is the name that `create_authority` was given, or its certificate's file. The certificate ends with
    the authority's at the latest. LocalError if a file exists, or if the policy would refuse the authority (CERT-10).
    """
    chosen, issuer = _policy(policy), load_authority(authority)
    accepted = chosen.client_signatures
    if read(_der(issuer.certificate)).key not in accepted:
        names = ", ".join(sig.name for sig in accepted)
        raise LocalError(
            f"CERT-10: {authority} is no authority for this policy, which accepts {names}: make one for it"
        )
    term, end = Term.of(days), issuer.certificate.not_valid_after_utc
    if end <= term.begin:
        raise LocalError(f"{authority} ended on {end:%Y-%m-%d}: make another authority with `qzmq keygen --ca NAME`")
    key = _new_key(chosen)
    certificate = leaf_certificate(issuer, _common_name(name), key, replace(term, end=min(end, term.end)), purpose)
    return _write(name, certificate, key)


def load_certificate(path: str | Path) -> bytes:
    """The PEM certificates in a file, for `qzmq_ca` or `qzmq_certificate`. LocalError if there is none."""
    pem = read_file(Path(path)).encode()
    pem_certificates(str(path), pem)
    return pem


def load_identity(name: str | Path) -> Identity:
    """Chain and secret key of NAME.crt and NAME.crt_secret. LocalError if they do not belong together."""
    authority = load_authority(name)
    return Identity(load_certificate(_paths(name)[0]), z85.encode(authority.key.private_bytes_raw()))


def load_authority(name: str | Path) -> Authority:
    """The key pair of NAME.crt and NAME.crt_secret; LocalError if they do not belong together, or if others than
    their owner may read the secret one."""
    public, secret = _paths(name)
    certificate = x509.load_pem_x509_certificate(load_certificate(public))
    pem = read_file(secret)
    check_private(secret)
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise LocalError(f"{secret} is no PEM key without a password: make one with `qzmq keygen`") from None
    if not isinstance(key, PrivateKey) or key.public_key() != certificate.public_key():
        raise LocalError(f"{secret} is not the key of {public}: name the two that were made together")
    return Authority(key, certificate)


def _builder(subject: x509.Name, key: PrivateKey, term: Term, serial: int | None) -> x509.CertificateBuilder:
    """What every certificate has (RFC 5280 section 4.1.2)."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(key.public_key())
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(term.begin)
        .not_valid_after(term.end)
        .add_extension(identifier, critical=False)
    )


def _key_usage(*, signs: bool = False, certifies: bool = False) -> x509.KeyUsage:
    """A keyUsage for handshakes, or for certificates and their revocation (RFC 5280 section 4.2.1.3)."""
    return x509.KeyUsage(
        digital_signature=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certifies,
        crl_sign=certifies,
        encipher_only=False,
        decipher_only=False,
    )


def _new_key(policy: Policy) -> PrivateKey:
    return private_key(policy.signature, os.urandom(SEED))


def _policy(policy: Policy | str) -> Policy:
    return Policy.preset(policy) if isinstance(policy, str) else policy


def _common_name(name: str | Path) -> str:
    """The last part of a path; a commonName has 64 characters at most (RFC 5280 appendix A.1)."""
    return Path(name).name[:64]


def _paths(name: str | Path) -> tuple[Path, Path]:
    base = str(name).removesuffix(SUFFIX)
    return Path(f"{base}{SUFFIX}"), Path(f"{base}{PRIVATE_SUFFIX}")


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _write(name: str | Path, certificate: x509.Certificate, key: PrivateKey) -> tuple[Path, Path]:
    public, secret = _paths(name)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_pair((public, certificate.public_bytes(Encoding.PEM).decode()), (secret, pem.decode()))
    return public, secret
