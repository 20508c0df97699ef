"""Chains of X.509 certificates, and the path to an anchor (spec/certificates.md, Chains).

`cryptography` reads the certificates and verifies the signatures. Its own verifier does not decide here: it follows
the web, which forbids Ed25519, it takes no list of algorithms, and it has one error for every fault (CERT-11).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import pairwise
from typing import NoReturn, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.crypto import Invalid
from qzmq_ref.registries import AlertDescription, SigId

Address: TypeAlias = IPv4Address | IPv6Address
Path: TypeAlias = "tuple[Link, ...]"
"""A chain from the leaf to an anchor, both included."""

MAX_CHAIN = 8
PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}
"""What a certificate must be for, by the role of its owner (CERT-15)."""

_ALGORITHMS: Mapping[x509.ObjectIdentifier, SigId] = {
    SignatureAlgorithmOID.ED25519: SigId.ED25519,
    SignatureAlgorithmOID.ML_DSA_44: SigId.ML_DSA_44,
    SignatureAlgorithmOID.ML_DSA_65: SigId.ML_DSA_65,
    SignatureAlgorithmOID.ML_DSA_87: SigId.ML_DSA_87,
}
"""RFC 8410 and RFC 9881 name key and signature alike."""

_UNDERSTOOD = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    }
)


@dataclass(frozen=True)
class Link:
    """What one certificate says, read whole, so that nothing in it is left to fail later.

    `key` and `signature` are None for algorithms that QZMQ has no SigId for; times are seconds since 1970;
    `purposes` is None without extendedKeyUsage; `refused` are extensions that CERT-14 does not bear.
    """

    certificate: x509.Certificate = field(repr=False)
    key: SigId | None
    signature: SigId | None
    subject: x509.Name
    issuer: x509.Name
    not_before: float
    not_after: float
    basic: x509.BasicConstraints | None
    usage: x509.KeyUsage | None
    purposes: frozenset[x509.ObjectIdentifier] | None
    dns_names: tuple[str, ...]
    addresses: tuple[object, ...]
    refused: tuple[str, ...]

    @property
    def spki(self) -> bytes:
        """The DER SubjectPublicKeyInfo, empty if there is no well-formed key in it."""
        try:
            key = self.certificate.public_key()
        except (ValueError, UnsupportedAlgorithm):
            return b""
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@dataclass(frozen=True)
class Trust:
    """Authorities, and what their certificates are held against.

    `anchors` are DER certificates, `now` is the wall clock in seconds since 1970, and `name` is the DNS name or IP
    address of a client's server, empty at a server. Raises LocalError for what could never be met.
    """

    anchors: tuple[bytes, ...]
    now: Callable[[], float] = field(repr=False, compare=False)
    name: str = ""

    def __post_init__(self) -> None:
        if not self.roots:
            raise LocalError("CERT-6: there is no anchor: name at least one certificate of an authority")
        if not self.name.isascii() or "*" in self.name:
            raise LocalError(f"CERT-16: {self.name!r} is no server name: write it in ASCII (RFC 5890), without *")

    @cached_property
    def roots(self) -> Path:
        """The anchors, read."""
        try:
            return tuple(map(read, self.anchors))
        except Invalid as error:
            raise LocalError(f"an anchor is no certificate ({error}): name certificates of authorities") from None


def read(der: bytes) -> Link:
    """One certificate; `Invalid` if the octets are not exactly one of version 3 (RFC 5280 section 4.1)."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        if not der.endswith(b"\0" + certificate.signature):  # OpenSSL does not look at the count of unused bits
            raise ValueError("the signature is not whole octets")
        return _link(certificate)
    except Exception as error:  # noqa: BLE001 (whatever the parser minds, the octets are a peer's)
        raise Invalid(f"no certificate: {type(error).__name__}: {error}") from None


def read_own(ders: tuple[bytes, ...]) -> Link:
    """The leaf of this side's own chain; LocalError if no peer could read the chain (CERT-7, CERT-8)."""
    try:
        chain = read_chain(ders)
        check_order(chain)
    except Alert as refusal:
        raise LocalError(f"CERT-17: no peer would accept these certificates ({refusal.detail}); set others") from None
    return chain[0]


def read_chain(ders: Collection[bytes]) -> Path:
    """A peer's chain, leaf first; Alert if it is not well formed (CERT-7)."""
    if not 1 <= len(ders) <= MAX_CHAIN:
        _refuse(AlertDescription.BAD_CERTIFICATE, "CERT-7", f"a chain of {len(ders)} certificates")
    try:
        return tuple(map(read, ders))
    except Invalid as error:
        _refuse(AlertDescription.BAD_CERTIFICATE, "CERT-7", str(error))


def check_chain(chain: Path, trust: Trust, role: str, algorithms: Collection[int]) -> None:
    """Return if an anchor of `trust` vouches for the leaf in this `role`; else the Alert of CERT-8 to CERT-16.

    `algorithms` are the signatures that the path may use (CERT-10).
    """
    check_order(chain)
    refusals: list[Alert] = []
    for path in _paths(chain, trust.roots):
        try:
            _check_path(path, trust, role, algorithms)
        except Alert as refusal:
            refusals.append(refusal)
        else:
            return
    if refusals:
        raise refusals[0]
    _refuse(AlertDescription.UNKNOWN_CA, "CERT-9", f"no anchor issued {_text(chain[-1])}")


def check_order(chain: Path) -> None:
    """CERT-8 (RFC 5280 section 6.1.3 (a) (4))."""
    for link, issuer in pairwise(chain):
        if link.issuer != issuer.subject:
            detail = f"{_text(issuer)} follows, but does not issue, {_text(link)}"
            _refuse(AlertDescription.BAD_CERTIFICATE, "CERT-8", detail)


def _paths(chain: Path, roots: Path) -> Iterator[Path]:
    """The chain to the first anchor in it, or with each anchor that could have issued its end (CERT-9)."""
    anchors = {root.certificate for root in roots}
    for end, link in enumerate(chain):
        if end and link.certificate in anchors:
            yield chain[: end + 1]
            return
    yield from ((*chain, root) for root in roots if root.subject == chain[-1].issuer)


def _check_path(path: Path, trust: Trust, role: str, algorithms: Collection[int]) -> None:
    """CERT-10 to CERT-16, in this order."""
    _check_algorithms(path, algorithms)
    _check_signatures(path)
    _check_dates(path, trust.now())
    _check_issuers(path)
    _check_extensions(path)
    _check_purpose(path, role)
    if trust.name and not is_named(path[0], trust.name):
        names = ascii([*path[0].dns_names, *map(str, path[0].addresses)])
        _refuse(AlertDescription.UNRECOGNIZED_NAME, "CERT-16", f"the certificate is for {names}, not {trust.name}")


def _check_algorithms(path: Path, algorithms: Collection[int]) -> None:
    """CERT-10: one weak link is refused, the anchor's own key and signature included."""
    for link in path:
        if link.key not in algorithms or link.signature not in algorithms:
            weak = f"{_text(link)} has an algorithm that the policy does not accept"
            _refuse(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-10", weak)


def _check_signatures(path: Path) -> None:
    """CERT-11 (RFC 5280 section 6.1.3 (a) (1) and (4)); what signed the anchor does not matter (section 6.1)."""
    for link, issuer in pairwise(path):
        try:
            link.certificate.verify_directly_issued_by(issuer.certificate)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            detail = f"{_text(link)} is not signed by {_text(issuer)}"
            _refuse(AlertDescription.BAD_CERTIFICATE, "CERT-11", detail)


def _check_dates(path: Path, now: float) -> None:
    """CERT-12 (RFC 5280 section 6.1.3 (a) (2))."""
    for link in path:
        if not link.not_before <= now <= link.not_after:
            _refuse(AlertDescription.CERTIFICATE_EXPIRED, "CERT-12", f"{_text(link)} is not valid at present")


def _check_issuers(path: Path) -> None:
    """CERT-13 (RFC 5280 section 6.1.4 (k) to (n))."""
    between = 0
    for link in path[1:]:
        basic, usage = link.basic, link.usage
        if not (basic and basic.ca) or (usage and not usage.key_cert_sign):
            _refuse(AlertDescription.UNKNOWN_CA, "CERT-13", f"{_text(link)} may not issue certificates")
        if basic.path_length is not None and between > basic.path_length:
            detail = f"{_text(link)} bears {basic.path_length} authorities below it, not {between}"
            _refuse(AlertDescription.UNKNOWN_CA, "CERT-13", detail)
        between += link.issuer != link.subject


def _check_extensions(path: Path) -> None:
    """CERT-14 (RFC 5280 section 6.1.4 (o) and 6.1.5 (f))."""
    for link in path:
        if link.refused:
            detail = f"{_text(link)} has extension {', '.join(link.refused)}"
            _refuse(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-14", detail)


def _check_purpose(path: Path, role: str) -> None:
    """CERT-15 (RFC 5280 sections 4.2.1.3 and 4.2.1.12)."""
    (leaf, *issuers), purpose = path, PURPOSES[role]
    stated = all(link.purposes is None or purpose in link.purposes for link in issuers)
    signs = leaf.usage is None or leaf.usage.digital_signature
    if not (stated and signs and leaf.purposes and purpose in leaf.purposes):
        detail = f"{_text(leaf)} is not certified to be a {role}"
        _refuse(AlertDescription.UNSUPPORTED_CERTIFICATE, "CERT-15", detail)


def is_named(leaf: Link, name: str) -> bool:
    """Whether a certificate is for this DNS name or IP address (CERT-16, RFC 9525 section 6.3)."""
    address = address_of(name)
    if address is not None:
        return address in leaf.addresses
    name = name.lower().removesuffix(".")
    _, dot, parent = name.partition(".")
    accepted = {name, f"*.{parent}"} if dot else {name}
    return any(pattern.lower() in accepted for pattern in leaf.dns_names)


def address_of(name: str) -> Address | None:
    """The IP address that a name is, or None for a DNS name."""
    try:
        return ip_address(name)
    except ValueError:
        return None


def _link(certificate: x509.Certificate) -> Link:
    """Read all that may be asked later; errors of the parser's own kinds, for `read`."""
    if certificate.version is not x509.Version.v3:
        raise ValueError("not of version 3")
    found = {extension.oid: extension for extension in certificate.extensions}
    values = {oid: extension.value for oid, extension in found.items()}
    basic, usage = values.get(ExtensionOID.BASIC_CONSTRAINTS), values.get(ExtensionOID.KEY_USAGE)
    purposes, names = values.get(ExtensionOID.EXTENDED_KEY_USAGE), values.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    alternatives = names if isinstance(names, x509.SubjectAlternativeName) else x509.SubjectAlternativeName([])
    return Link(
        certificate=certificate,
        key=_ALGORITHMS.get(certificate.public_key_algorithm_oid),
        signature=_ALGORITHMS.get(certificate.signature_algorithm_oid),
        subject=certificate.subject,
        issuer=certificate.issuer,
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        basic=basic if isinstance(basic, x509.BasicConstraints) else None,
        usage=usage if isinstance(usage, x509.KeyUsage) else None,
        purposes=frozenset(purposes) if isinstance(purposes, x509.ExtendedKeyUsage) else None,
        dns_names=tuple(alternatives.get_values_for_type(x509.DNSName)),
        addresses=tuple(alternatives.get_values_for_type(x509.IPAddress)),
        refused=tuple(
            oid.dotted_string
            for oid, extension in found.items()
            if oid == ExtensionOID.NAME_CONSTRAINTS or (extension.critical and oid not in _UNDERSTOOD)
        ),
    )


def _text(link: Link) -> str:
    """A certificate in a log line; its subject is a peer's text, so control characters are escaped."""
    return ascii(link.subject.rfc4514_string())


def _refuse(description: AlertDescription, requirement: str, detail: str) -> NoReturn:
    raise Alert(description, requirement, detail)
