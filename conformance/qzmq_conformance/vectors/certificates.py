"""Kind `certificates`: raw keys, pins, and chains with every defect; ML-DSA chains are signed by the pure provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from cryptography import x509

from qzmq_conformance.chains import LEAVES, MIDDLE, NAME, ROOT, Shape, chain_of, defects
from qzmq_conformance.fault import beginning, flip
from qzmq_conformance.keys import seed
from qzmq_conformance.vectors.shape import (
    HEX,
    INTEGER,
    TEXT,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Refusal,
    Source,
    array,
    one_of,
    refusal,
)
from qzmq_ref import z85
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake.certificates import (
    Certificate,
    CertificateChain,
    CertificateEntry,
    CertificateType,
    build_certificate,
    parse_certificate,
    trusted_client,
    trusted_server,
)
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.messages import build
from qzmq_ref.handshake.x509 import MAX_CHAIN, Trust
from qzmq_ref.policy import Policy, modes
from qzmq_ref.registries import AeadId, CipherSuite, HashId, SigId

NOON = 1_800_000_000
"""The wall clock of every chain, in seconds since 1970."""
PURE = provider("pure")
ROLES: tuple[Role, Role] = ("server", "client")
STRANGER = {"server": "CERT-3", "client": "CERT-4"}
Ders = tuple[bytes, ...]


def groups(source: Source) -> Iterator[Group]:
    """Pins; raw keys for each role and algorithm; chains of each role and algorithm."""
    pins = tuple(Recipe(f"{sig.name.lower()}, {i}", partial(_pin, source, sig, i)) for sig in SigId for i in range(6))
    yield Group("Pin", dict, pins)
    for sig in SigId:
        for role in ROLES:
            yield Group("RawKey", partial(_raw_group, source, sig, role), tuple(_raw_keys(source, sig, role)))
    for sig in (SigId.ED25519, SigId.ML_DSA_44):
        for role in ROLES:
            view = View(role, sig)
            yield Group("Chain", partial(view.fields, source), tuple(_chains(source, view)))


# ---------------------------------------------------------------------- raw keys


def _key(source: Source, sig: SigId, name: str) -> SigningKey:
    return SigningKey.from_seed(sig, source.octets(f"certificates/{name}", 32), PURE)


def _pin(source: Source, sig: SigId, number: int) -> Fields:
    key = _key(source, sig, f"pin {number}")
    secret = source.octets(f"certificates/pin {number}", 32)
    return {
        "sig": sig.name.lower(),
        "seed": secret.hex(),
        "seed_z85": z85.encode(secret).decode(),
        "spki": key.spki.hex(),
        "pin": key.pin.hex(),
        "pin_z85": z85.encode(key.pin).decode(),
    }


def _raw_group(source: Source, sig: SigId, role: Role) -> Fields:
    return {"of": role, "sig": sig.name.lower(), "pins": [_key(source, sig, "known").pin.hex()]}


def _raw_keys(source: Source, sig: SigId, role: Role) -> Iterator[Recipe]:
    """A key that is known, one that is not, and what is no key."""
    shown = build_certificate
    yield _raw_key(source, sig, role, "known", lambda: shown(_key(source, sig, "known")))
    yield _raw_key(source, sig, role, "unknown", lambda: shown(_key(source, sig, "unknown")), STRANGER[role])
    for other in SigId:
        if other != sig:
            comment = f"a key of {other.name.lower()}"
            yield _raw_key(source, sig, role, comment, partial(_shown, source, other, bytes), "CERT-1")
    for kind in (2, 3, 0x0A, 255):
        yield _raw_key(
            source, sig, role, f"type {kind}", partial(_shown, source, sig, beginning(bytes([kind]))), "CERT-1"
        )
    broken: dict[str, Callable[[bytes], bytes]] = {
        "no octet": lambda octets: octets[:1],
        "without its last octet": lambda octets: octets[:-1],
        "with an octet more": lambda octets: octets + b"\0",
        "junk": lambda octets: octets[:1] + b"junk",
        "twice": lambda octets: octets + octets[1:],
    }
    broken |= {f"octet {at} of the DER changed": flip(at + 1) for at in (0, 1, 2, 3, 5, 7, 9, 10, 11)}
    for comment, change in broken.items():
        yield _raw_key(source, sig, role, comment, partial(_shown, source, sig, change), "CERT-2")


def _shown(source: Source, sig: SigId, change: Callable[[bytes], bytes]) -> bytes:
    return change(build_certificate(_key(source, sig, "known")))


def _raw_key(
    source: Source, sig: SigId, role: Role, comment: str, certificate: Callable[[], bytes], rule: str = ""
) -> Recipe:
    why = refusal(rule) if rule else None

    def make() -> Fields:
        shown, pins = certificate(), frozenset({_key(source, sig, "known").pin})
        _agree(lambda: _trust_raw(shown, sig, role, pins), why)
        return {"certificate": shown.hex()}

    return Recipe(comment, make, why, ("RawKey",))


def _trust_raw(shown: bytes, sig: SigId, role: Role, pins: frozenset[bytes]) -> None:
    """The reference's own decision; a client's algorithm is held against the one that was asked for."""
    parse_certificate(shown, {sig}, PURE)
    if role == "server":
        trusted_server(Configuration("client", _policy(sig), server_pins=pins, provider=PURE), shown, sig)
    else:
        key = SigningKey.from_seed(_policy(sig).signature, bytes(32), PURE)
        trusted_client(Configuration("server", _policy(sig), key, client_pins=pins, provider=PURE), shown)


def _policy(sig: SigId) -> Policy:
    """A policy whose suite signs with this algorithm."""
    mode = "classical" if sig is SigId.ED25519 else "pq_only"
    return Policy((CipherSuite(min(modes()[mode].kems), sig, AeadId.AES_256_GCM, HashId.SHA_256),), mode=mode)


# ---------------------------------------------------------------------- chains


@dataclass(frozen=True)
class View:
    """Who reads the chains of a group: the peer of `role`, which accepts the signatures of one mode."""

    role: Role
    sig: SigId

    @property
    def shapes(self) -> tuple[Shape, ...]:
        """Leaf, middle and root, without a defect."""
        return tuple(shape.but(sig=self.sig) for shape in (LEAVES[self.role], MIDDLE, ROOT))

    def fields(self, _: Source) -> Fields:
        """The fields of the group."""
        algorithms = [SigId(sig).name.lower() for sig in _policy(self.sig).client_signatures]
        name = NAME if self.role == "server" else ""
        return {"of": self.role, "sig": self.sig.name.lower(), "algorithms": algorithms, "name": name, "now": NOON}

    def trust(self, anchors: Ders, name: str) -> Configuration:
        """The configuration of who reads."""
        trust = Trust(anchors, lambda: float(NOON), name)
        if self.role == "server":
            return Configuration("client", _policy(self.sig), provider=PURE, trust=trust)
        own = SigningKey.from_seed(self.sig, bytes(32), PURE)
        return Configuration("server", _policy(self.sig), own, provider=PURE, trust=trust)


def _chains(source: Source, view: View) -> Iterator[Recipe]:
    """Right chains, chains that are none, and one for each defect; of ML-DSA only a few, for they are long."""
    whole = view.sig is SigId.ED25519
    for comment, pick in (
        ("without its anchor", lambda ders: ders[:-1]),
        ("with its anchor", lambda ders: ders),
        ("issued by the anchor itself", lambda ders: ders[:1]),
    ):
        shapes = view.shapes if "itself" not in comment else (view.shapes[0], view.shapes[-1])
        yield _chain(source, view, comment, shapes, pick)
    yield from _names(source, view) if whole and view.role == "server" else ()
    malformed: dict[str, tuple[str, Callable[[Ders], Ders]]] = {
        "no certificate": ("CERT-7", lambda _: ()),
        "a leaf that is cut": ("CERT-7", lambda ders: (ders[0][:-1], ders[1])),
        "a leaf with an octet more": ("CERT-7", lambda ders: (ders[0] + b"\0", ders[1])),
        "junk behind the leaf": ("CERT-7", lambda ders: (ders[0], b"junk")),
        "nine certificates": ("CERT-7", lambda ders: (ders[0], *(ders[1],) * MAX_CHAIN)),
        "the order turned": ("CERT-8", lambda ders: (ders[0], ders[2], ders[1])),
        "a stranger at the end": ("CERT-8", lambda ders: (*ders[:2], ders[0])),
        "no path": ("CERT-9", lambda ders: ders[:1]),
    }
    for comment, (rule, pick) in malformed.items():
        if whole or comment == "no path":
            yield _chain(source, view, comment, view.shapes, pick, rule)
    for comment, defect in defects(view.role).items():
        if whole or comment in ("leaf-forged", "leaf-expired"):
            yield _chain(source, view, comment, defect.of(view.shapes), lambda ders: ders[:-1], defect.requirement)
    other = SigId.ML_DSA_44 if whole else SigId.ED25519
    for position, name in enumerate(("issuer", "anchor"), 1):
        weak = tuple(shape.but(sig=other) if i == position else shape for i, shape in enumerate(view.shapes))
        yield _chain(source, view, f"{name}-weak", weak, lambda ders: ders[:-1], "CERT-10")


def _names(source: Source, view: View) -> Iterator[Recipe]:
    """CERT-16: what the leaf says, and how the server is called."""
    right = ((f"*.{NAME.partition('.')[2]}", NAME), (NAME.upper(), NAME), (NAME, NAME.upper()))
    for said, name in (*right, ("a.b.example", "a.b.example"), ("xn--bcher-kva.example", "xn--bcher-kva.example")):
        yield _named(source, view, said, name)
    for said, name in (
        ("*.example", "a.b.example"),
        ("*", "example"),
        ("*.b.example", "b.example"),
        ("s*.example", NAME),
        ("server.*", NAME),
        ("server.example.org", NAME),
        ("erver.example", NAME),
        ("192.0.2.1", "192.0.2.1"),
    ):
        yield _named(source, view, said, name, "CERT-16")


def _named(source: Source, view: View, said: str, name: str, rule: str = "") -> Recipe:
    leaf, *issuers = view.shapes
    shapes = (leaf.but(names=(x509.DNSName(said),)), *issuers)
    return _chain(
        source, view, f"{said} is not {name}" if rule else f"{said} is {name}", shapes, lambda d: d[:-1], rule, name
    )


def _chain(
    source: Source,
    view: View,
    comment: str,
    shapes: tuple[Shape, ...],
    pick: Callable[[Ders], Ders],
    rule: str = "",
    name: str = "",
) -> Recipe:
    why = refusal(rule) if rule else None

    def make() -> Fields:
        ders = _signed(source, shapes)
        entries = tuple(map(CertificateEntry, pick(ders)))
        shown = build(Certificate(CertificateType.X509, build(CertificateChain(entries))))
        called = (name or NAME) if view.role == "server" else ""
        configuration = view.trust(ders[-1:], called)
        trusted = partial(trusted_server, sig=view.sig) if view.role == "server" else trusted_client
        _agree(lambda: trusted(configuration, shown), why)
        own_name = {"name": name} if name else {}
        return {"anchors": [ders[-1].hex()], **own_name, "certificate": shown.hex()}

    return Recipe(comment, make, why, ("Chain",))


def _signed(source: Source, shapes: tuple[Shape, ...]) -> Ders:
    """The chain, with every ML-DSA signature made anew by the pure provider: OpenSSL's are different each time."""
    issuers = (*shapes[1:], shapes[-1])
    ders = chain_of(float(NOON), *shapes)
    return tuple(
        _by_pure(source, der, *pair) for der, pair in zip(ders, zip(shapes, issuers, strict=True), strict=True)
    )


def _by_pure(source: Source, der: bytes, shape: Shape, issuer: Shape) -> bytes:
    if issuer.sig is SigId.ED25519:
        return der
    certificate = x509.load_der_x509_certificate(der)
    covered, old = certificate.tbs_certificate_bytes, certificate.signature
    key = SigningKey.from_seed(issuer.sig, seed(shape.signer or issuer.name), PURE)
    new = key.sign(covered, source.entropy(f"certificates/signed/{covered.hex()}"))
    return der[: -len(old)] + new


def _agree(decide: Callable[[], object], why: Refusal | None) -> None:
    """The reference says what the test says."""
    try:
        decide()
    except Alert as alert:
        said = f"{alert.requirement} {alert_name(alert.description)}"
    else:
        said = ""
    if said != (f"{why.requirement} {why.alert}" if why else ""):
        raise AssertionError(f"the reference says {said!r}, the test {why}")


KIND = Kind(
    name="certificates",
    purpose="Certificates: raw keys, pins, and X.509 chains with every defect (CERT-1 to CERT-16).",
    header=(
        "of is the role of the certificate's owner; its peer reads it. pins are the keys that the peer knows, anchors",
        "the certificates it trusts, name how it calls its server, now its clock, algorithms what its policy accepts.",
    ),
    notes={
        "Chain": "A chain and a peer with an anchor and no pin.",
        "RawKey": "A raw public key and a peer with a pin.",
    },
    layouts={
        "Pin": Layout({}, {"sig": TEXT, "seed": HEX, "seed_z85": TEXT, "spki": HEX, "pin": HEX, "pin_z85": TEXT}),
        "RawKey": Layout({"of": one_of("client", "server"), "sig": TEXT, "pins": array(HEX)}, {"certificate": HEX}),
        "Chain": Layout(
            {"of": one_of("client", "server"), "sig": TEXT, "algorithms": array(TEXT), "name": TEXT, "now": INTEGER},
            {"anchors": array(HEX), "name?": TEXT, "certificate": HEX},
        ),
    },
    groups=groups,
)
