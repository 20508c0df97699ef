"""Area `faults`: one thing wrong, or merely unusual, in an otherwise perfect handshake."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from qzmq_conformance.case import MODES, Case
from qzmq_conformance.fault import Fault, accepted, beginning, changing, ending, flip, refused, resized, updating
from qzmq_conformance.keys import key, policy
from qzmq_conformance.scene import Scene
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake.certificates import Certificate
from qzmq_ref.handshake.extensions import LISTED
from qzmq_ref.handshake.grease import VALUES as GREASE
from qzmq_ref.handshake.messages import build
from qzmq_ref.registries import (
    AeadId,
    CipherSuite,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    HashId,
    KemId,
    MessageType,
    SigId,
)

Change = Callable[[bytes], bytes]
X25519_SMALL_ORDER = tuple(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    )
)
"""Public values that make every X25519 secret zero (RFC 7748 section 6.1)."""


def cases() -> Iterator[Case]:
    """Both roles in every mode; a fault of authentication runs in a mutual scene."""
    for mode in MODES:
        for fault in (*of_client_hello(mode), *of_client_key(mode), *of_anonymous()):
            yield fault.case("faults", Scene(mode, "server"))
        for fault in of_client_auth(mode):
            yield fault.case("faults", Scene(mode, "server", mutual=True))
        for fault in (*of_server_hello(mode), *of_finished()):
            yield fault.case("faults", Scene(mode, "client"))
        for fault in of_client_auth_request():
            yield fault.case("faults", Scene(mode, "client", mutual=True))
        stranger = Scene(mode, "server", mutual=True, who="stranger")
        yield refused("stranger", "CERT-4", "ClientAuth").case("faults", stranger)
        yield refused("stranger", "CERT-3", "ServerHello").case("faults", replace(stranger, role="client"))


def of_client_hello(mode: str) -> Iterator[Fault]:
    """Version, suites and extensions of what a client offers."""
    for version in (0, 2, 255):
        yield refused(f"version-{version}", "HS-2", "ClientHello", content=changing(version=version))
    for suite in unwelcome_suites(mode):
        yield refused(f"suites-{_named(suite)}", "HS-3", "ClientHello", content=changing(suites=(suite,)))
    twice = (Extension(0x0A0A, b""), Extension(0x0A0A, b"x"))
    yield refused("extension-twice", "REG-7", "ClientHello", content=changing(extensions=twice))
    for unlisted in (*_unlisted(MessageType.CLIENT_HELLO), 0x0000, 0xFFFF):
        extensions = (Extension(unlisted, b"unlisted"),)
        yield accepted(f"extension-0x{unlisted:04x}", "REG-8", "ClientHello", content=changing(extensions=extensions))
    for value in GREASE:
        grease = changing(
            suites=(CipherSuite(value, value, value, value), *policy(mode).suites),
            extensions=(Extension(value << 8 | value, b""),),
        )
        yield accepted(f"grease-0x{value:02x}", "REG-11", "ClientHello", content=grease)
    most = (2**16 - 4) // 4
    many = (CipherSuite(0xFA, 0xFA, 0xFA, 0xFA),) * (most - 1) + policy(mode).suites[:1]
    yield accepted("suites-ceiling", "HS-3", "ClientHello", content=changing(suites=many))


def of_client_key(mode: str) -> Iterator[Fault]:
    """The KEM ciphertext and the seal of ClientAuth."""
    for name, requirement, change in wrong_ciphertexts(mode):
        yield refused(name, requirement, "ClientKey", content=updating("kem_ciphertext", change))
    for position in (0, -33):
        if mode != "classical":
            edit = updating("kem_ciphertext", flip(position))
            yield refused(f"ciphertext-flip{position}", "HS-9", "ClientKey", content=edit, sealed=True, opaque=True)
    for position in (0, 16, -17, -16, -1):
        edit = updating("sealed_auth", flip(position))
        yield refused(f"sealed-flip{position}", "HS-9", "ClientKey", content=edit, sealed=True)


def of_anonymous() -> Iterator[Fault]:
    """ClientAuth where the server did not ask who the client is."""
    yield refused(
        "certificate-unasked", "HS-10", "ClientAuth", content=changing(certificate=b"\0unasked", signature=b"unasked")
    )
    yield refused("signature-alone", "HS-11", "ClientAuth", signed=changing(signature=b"alone"))
    for count in (1, 2**32 - 1):
        yield refused(f"early-count-{count}", "HS-15", "ClientAuth", content=changing(early_count=count))
    yield from _wrong_mac("HS-14", "ClientAuth")


def of_client_auth(mode: str) -> Iterator[Fault]:
    """ClientAuth where the server asked."""
    yield refused("certificate-missing", "HS-12", "ClientAuth", content=changing(certificate=b""))
    yield refused("certificate-alone", "HS-11", "ClientAuth", signed=changing(signature=b""))
    yield refused("signature-alone-asked", "HS-11", "ClientAuth", signed=changing(certificate=b""))
    for position in (0, 31, -1):
        edit = updating("signature", flip(position))
        yield refused(f"signature-flip{position}", "HS-13", "ClientAuth", signed=edit)
    yield refused("signature-short", "HS-13", "ClientAuth", signed=updating("signature", lambda octets: octets[:-1]))
    yield refused("signature-long", "HS-13", "ClientAuth", signed=updating("signature", lambda octets: octets + b"\0"))
    unasked = SigId.ML_DSA_44 if mode == "classical" else SigId.ED25519
    yield from _wrong_certificates("ClientAuth", (unasked,))


def of_server_hello(mode: str) -> Iterator[Fault]:
    """What a server chooses, shows and signs."""
    for version in (0, 2, 255):
        yield refused(f"version-{version}", "HS-2", "ServerHello", content=changing(version=version))
    for suite in (*unwelcome_suites(mode), CipherSuite(0x5A, 0x5A, 0x5A, 0x5A)):
        yield refused(f"suite-{_named(suite)}", "HS-4", "ServerHello", content=changing(suite=suite))
    yield refused("certificate-empty", "HS-5", "ServerHello", content=changing(certificate=b""))
    for position in (0, 31, -1):
        edit = updating("signature", flip(position))
        yield refused(f"signature-flip{position}", "HS-6", "ServerHello", signed=edit)
    yield refused("signature-empty", "HS-6", "ServerHello", signed=changing(signature=b""))
    yield refused("random-unsigned", "HS-6", "ServerHello", signed=changing(random=bytes(32)))
    yield refused("kem-key-unsigned", "HS-6", "ServerHello", signed=updating("kem_public_key", flip(0)))
    for unlisted in (*_unlisted(MessageType.SERVER_HELLO), 0x0A0A, 0xFFFF):
        edit = changing(extensions=(Extension(unlisted, b""),))
        yield refused(f"extension-0x{unlisted:04x}", "REG-9", "ServerHello", content=edit)
    request = Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(ClientAuthRequest((SigId.ML_DSA_44,))))
    yield refused("extension-twice", "REG-7", "ServerHello", content=changing(extensions=(request, request)))
    for name, requirement, change in wrong_kem_keys(mode):
        yield refused(name, requirement, "ServerHello", content=updating("kem_public_key", change))
    others = [sig for sig in SigId if sig != policy(mode).signature]
    yield from _wrong_certificates("ServerHello", others)


def of_client_auth_request() -> Iterator[Fault]:
    """The server's question who the client is."""
    for value in GREASE:
        request = Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(ClientAuthRequest((value, *SigId))))
        yield accepted(
            f"request-grease-0x{value:02x}", "REG-12", "ServerHello", content=changing(extensions=(request,))
        )


def of_finished() -> Iterator[Fault]:
    """The server's confirmation."""
    yield from _wrong_mac("HS-16", "Finished")
    yield refused("metadata-unproved", "HS-16", "Finished", proved=updating("metadata", flip(-1)))


def unwelcome_suites(mode: str) -> Iterator[CipherSuite]:
    """The mode's suite with one algorithm changed at a time, to every other code point and to one that has no name."""
    suite = policy(mode).suites[0]
    for name, kind in (("kem", KemId), ("sig", SigId), ("aead", AeadId), ("hash", HashId)):
        for value in (*kind, 0xEE):
            if value != getattr(suite, name):
                yield changing(**{name: value})(suite)


def _unlisted(message: MessageType) -> Iterator[ExtensionType]:
    """The code points of extensions that mean nothing in this message."""
    return (kind for kind in ExtensionType if (kind, message) not in LISTED)


def _wrong_mac(requirement: str, structure: str) -> Iterator[Fault]:
    for position in (0, 15, -1):
        yield refused(
            f"verify-data-flip{position}", requirement, structure, proved=updating("verify_data", flip(position))
        )
    yield refused(
        "verify-data-zero", requirement, structure, proved=updating("verify_data", lambda mac: bytes(len(mac)))
    )


def wrong_kem_keys(mode: str) -> Iterator[tuple[str, str, Change]]:
    """What makes a KEM public key one that must be refused: name, requirement, change."""
    size = kem(KemId(policy(mode).suites[0].kem), provider()).public_key_size
    for length in (0, 1, size - 1, size + 1):
        yield f"kem-key-{length}", "REG-4", resized(length)
    if mode != "classical":
        yield "kem-key-modulus", "REG-4", beginning(b"\xff\xff\xff")
    yield from _small_orders(mode)


def wrong_ciphertexts(mode: str) -> Iterator[tuple[str, str, Change]]:
    """What makes a KEM ciphertext one that must be refused: name, requirement, change."""
    size = kem(KemId(policy(mode).suites[0].kem), provider()).ciphertext_size
    for length in (0, 1, size - 1, size + 1, 2 * size):
        yield f"ciphertext-{length}", "REG-5", resized(length)
    yield from _small_orders(mode)


def _small_orders(mode: str) -> Iterator[tuple[str, str, Change]]:
    if mode != "pq_only":
        for number, point in enumerate(X25519_SMALL_ORDER):
            yield f"x25519-small-order-{number}", "REG-6", ending(point)


def _wrong_certificates(structure: str, algorithms: Iterable[SigId]) -> Iterator[Fault]:
    """Types that nobody can check, keys that do not fit, and octets that are no key."""
    for kind in (2, 255):
        edit = updating("certificate", beginning(bytes([kind])))
        yield refused(f"certificate-type-{kind}", "CERT-1", structure, content=edit)
    for sig in algorithms:
        other = build(Certificate(0, key("other", sig).spki))
        yield refused(f"certificate-{sig.name.lower()}", "CERT-1", structure, content=changing(certificate=other))
    broken: Mapping[str, Callable[[bytes], bytes]] = {
        "no-key": lambda octets: octets[:1],
        "cut": lambda octets: octets[:-1],
        "trailing": lambda octets: octets + b"\0",
        "algorithm": flip(10),
        "length": flip(4),
        "junk": lambda octets: octets[:1] + b"junk",
    }
    for name, change in broken.items():
        yield refused(f"certificate-{name}", "CERT-2", structure, content=updating("certificate", change))


def _named(suite: CipherSuite) -> str:
    return str(suite).lower().replace("/", "+")
