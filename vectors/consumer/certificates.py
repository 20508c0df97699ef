"""Pins, raw keys and chains of X.509 (certificates.md)."""

from __future__ import annotations

from base64 import b85encode
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_address
from itertools import pairwise
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, SignatureAlgorithmOID

from .handshake import pin_of, raw_key
from .primitives import algorithm_of, spki_of
from .structures import parse
from .verdict import Json, Refused, refuse, same

Z85 = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
B85 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
OIDS = {
    SignatureAlgorithmOID.ED25519: "ed25519",
    SignatureAlgorithmOID.ML_DSA_44: "ml_dsa_44",
    SignatureAlgorithmOID.ML_DSA_65: "ml_dsa_65",
    SignatureAlgorithmOID.ML_DSA_87: "ml_dsa_87",
}
UNDERSTOOD = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
)
PURPOSES = {"server": ExtendedKeyUsageOID.SERVER_AUTH, "client": ExtendedKeyUsageOID.CLIENT_AUTH}


def z85(octets: bytes) -> str:
    return b85encode(octets).decode().translate(str.maketrans(B85, Z85))


def check_pin(_: Json, test: Json) -> None:
    seed = bytes.fromhex(test["seed"])
    spki = spki_of(test["sig"], seed)
    same("spki", spki, test["spki"])
    same("pin", pin_of(spki), test["pin"])
    same("pin_z85", z85(sha256(spki).digest()), test["pin_z85"])
    same("seed_z85", z85(seed), test["seed_z85"])


def check_raw_key(group: Json, test: Json) -> None:
    spki = raw_key(bytes.fromhex(test["certificate"]), (group["sig"],))
    if pin_of(spki) not in group["pins"]:
        refuse({"server": "CERT-3", "client": "CERT-4"}[group["of"]])


def read_certificate(der: bytes) -> x509.Certificate:
    """CERT-7."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = list(certificate.extensions)
    except Exception:  # noqa: BLE001 (whatever the parser minds, the octets are a peer's)
        refuse("CERT-7")
    if certificate.version is not x509.Version.v3 or extensions is None:
        refuse("CERT-7")
    return certificate


def extension(certificate: x509.Certificate, kind: type[Any]) -> Any:
    """The value of an extension, or None."""
    return next((each.value for each in certificate.extensions if isinstance(each.value, kind)), None)


def check_chain(group: Json, test: Json) -> None:
    """CERT-1, CERT-7 to CERT-16, in this order."""
    shown = parse("Certificate", bytes.fromhex(test["certificate"]))
    same("certificate_type", shown["certificate_type"], 1)
    entries = parse("CertificateChain", shown["body"])["certificates"]
    if not 1 <= len(entries) <= 8:
        refuse("CERT-7")
    chain = [read_certificate(entry["der"]) for entry in entries]
    spki = chain[0].public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    same("sig of the leaf", algorithm_of(spki, "CERT-7"), group["sig"])
    for one, issuer in pairwise(chain):
        if one.issuer.public_bytes() != issuer.subject.public_bytes():
            refuse("CERT-8")
    check_path(group, path_of(chain, [read_certificate(bytes.fromhex(der)) for der in test["anchors"]]))
    name = test.get("name", group["name"])
    if name and not named(chain[0], name):
        refuse("CERT-16")


def path_of(chain: list[x509.Certificate], anchors: list[x509.Certificate]) -> list[x509.Certificate]:
    """CERT-9; the tests have one anchor each."""
    for position in range(1, len(chain)):
        if chain[position] in anchors:
            return chain[: position + 1]
    for anchor in anchors:
        if anchor.subject.public_bytes() == chain[-1].issuer.public_bytes():
            return [*chain, anchor]
    raise Refused("CERT-9")


def check_path(group: Json, path: list[x509.Certificate]) -> None:
    """CERT-10 to CERT-15."""
    for one in path:
        oids = (one.public_key_algorithm_oid, one.signature_algorithm_oid)
        if not all(OIDS.get(oid) in group["algorithms"] for oid in oids):
            refuse("CERT-10")
    for one, issuer in pairwise(path):
        try:
            one.verify_directly_issued_by(issuer)
        except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
            refuse("CERT-11")
    now = datetime.fromtimestamp(group["now"], UTC)
    if not all(one.not_valid_before_utc <= now <= one.not_valid_after_utc for one in path):
        refuse("CERT-12")
    check_issuers(path[1:])
    for one in path:
        for each in one.extensions:
            if each.oid == ExtensionOID.NAME_CONSTRAINTS or (each.critical and each.oid not in UNDERSTOOD):
                refuse("CERT-14")
    check_purposes(path, PURPOSES[group["of"]])


def check_issuers(issuers: list[x509.Certificate]) -> None:
    """CERT-13."""
    between = 0
    for issuer in issuers:
        basic, usage = extension(issuer, x509.BasicConstraints), extension(issuer, x509.KeyUsage)
        if basic is None or not basic.ca or (usage and not usage.key_cert_sign):
            refuse("CERT-13")
        if basic.path_length is not None and between > basic.path_length:
            refuse("CERT-13")
        between += issuer.subject != issuer.issuer


def check_purposes(path: list[x509.Certificate], purpose: x509.ObjectIdentifier) -> None:
    """CERT-15."""
    usage = extension(path[0], x509.KeyUsage)
    found = [extension(one, x509.ExtendedKeyUsage) for one in path]
    if found[0] is None or (usage and not usage.digital_signature):
        refuse("CERT-15")
    if any(purposes is not None and purpose not in purposes for purposes in found):
        refuse("CERT-15")


def named(leaf: x509.Certificate, name: str) -> bool:
    """CERT-16."""
    alternatives = extension(leaf, x509.SubjectAlternativeName) or x509.SubjectAlternativeName([])
    try:
        return ip_address(name) in alternatives.get_values_for_type(x509.IPAddress)
    except ValueError:
        pass
    name = name.lower()
    wildcard = f"*.{name.partition('.')[2]}" if "." in name else name
    return any(said.lower() in (name, wildcard) for said in alternatives.get_values_for_type(x509.DNSName))
