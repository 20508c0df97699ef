"""Area `certificates`: chains of X.509 certificates shown to a target that trusts an authority."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache

from qzmq_conformance.case import MODES, Case
from qzmq_conformance.chains import (
    LEAVES,
    MIDDLE,
    NAME,
    ROOT,
    Shape,
    chain_of,
    defects,
    long_chain,
    self_issued,
    unusual,
)
from qzmq_conformance.fault import Fault, accepted, refused, updating
from qzmq_conformance.keys import policy
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.security import Security
from qzmq_ref.handshake.certificates import Certificate, CertificateChain, CertificateEntry, CertificateType
from qzmq_ref.handshake.messages import build
from qzmq_ref.handshake.x509 import MAX_CHAIN
from qzmq_ref.registries import SigId

Ders = tuple[bytes, ...]


@dataclass(frozen=True)
class Certified(Scene):
    """A scene whose target trusts the certificate of `anchor` in place of the peer's pin."""

    anchor: Shape = ROOT

    @property
    def security(self) -> Security:
        """What the target's application sets."""
        (anchor,) = chain_of(today(), self.anchor)
        pem = ssl.DER_cert_to_PEM_cert(anchor)
        if self.role == "client":
            return replace(super().security, server_key="", ca=pem, server_name=NAME)
        return replace(super().security, client_keys=None, ca=pem)


def cases() -> Iterator[Case]:
    """Both roles in every mode, each defect in the chain of the other side."""
    for mode in MODES:
        for role in ROLES:
            scene = Certified(mode, role, mutual=True, anchor=ROOT.but(sig=policy(mode).signature))
            structure = "ServerHello" if role == "client" else "ClientAuth"
            shapes = _shapes(scene)
            for fault in (*_accepted(structure, shapes), *_malformed(structure, shapes)):
                yield fault.case("certificates", scene)
            for name, defect in defects(_peer(scene)).items():
                wrong = defect.of(shapes)
                fault = refused(name, defect.requirement, structure, content=_showing(lambda ders: ders[:-1], wrong))
                yield fault.case("certificates", replace(scene, anchor=wrong[-1]))
            yield from _unusual(structure, scene, shapes)
            for position, name in enumerate(("issuer", "anchor"), 1):
                wrong = _weakened(shapes, position)
                fault = refused(f"{name}-weak", "CERT-10", structure, content=_showing(lambda ders: ders[:-1], wrong))
                yield fault.case("certificates", replace(scene, anchor=wrong[-1]))


@cache
def today() -> float:
    """The moment that the chains of a run are made for."""
    return float(int(time.time()))


def _peer(scene: Scene) -> str:
    return "server" if scene.role == "client" else "client"


def _shapes(scene: Scene) -> tuple[Shape, ...]:
    """A chain whose leaf is of the peer's own key."""
    sig = scene.chosen.signature
    return LEAVES[_peer(scene)].but(name=scene.who, sig=sig), MIDDLE.but(sig=sig), ROOT.but(sig=sig)


def _weakened(shapes: tuple[Shape, ...], position: int) -> tuple[Shape, ...]:
    """The chain with one key of a mode that the policy is not of."""
    other = SigId.ML_DSA_44 if shapes[0].sig is SigId.ED25519 else SigId.ED25519
    return tuple(shape.but(sig=other) if i == position else shape for i, shape in enumerate(shapes))


def _accepted(structure: str, shapes: tuple[Shape, ...]) -> Iterator[Fault]:
    yield accepted("without-anchor", "CERT-9", structure, content=_showing(lambda ders: ders[:-1], shapes))
    yield accepted("with-anchor", "CERT-9", structure, content=_showing(lambda ders: ders, shapes))
    yield accepted("directly", "CERT-9", structure, content=_showing(lambda ders: ders[:1], (shapes[0], shapes[-1])))


def _unusual(structure: str, scene: Certified, shapes: tuple[Shape, ...]) -> Iterator[Case]:
    """Right, however unusual; and the first chain that is too long, right in all else."""
    made = {name: (trait.requirement, trait.of(shapes)) for name, trait in unusual(_peer(scene)).items()}
    made["longest"] = "CERT-7", long_chain(shapes, MAX_CHAIN)
    made["self-issued"] = "CERT-13", self_issued(shapes)
    for name, (requirement, shown) in made.items():
        fault = accepted(name, requirement, structure, content=_showing(lambda ders: ders[:-1], shown))
        yield fault.case("certificates", replace(scene, anchor=shown[-1]))
    shown = long_chain(shapes, MAX_CHAIN + 1)
    fault = refused("longer", "CERT-7", structure, content=_showing(lambda ders: ders[:-1], shown))
    yield fault.case("certificates", scene)


def _malformed(structure: str, shapes: tuple[Shape, ...]) -> Iterator[Fault]:
    """CERT-7 to CERT-9: what is no chain, or none that leads anywhere."""
    for name, requirement, change in (
        ("empty", "CERT-7", lambda _: ()),
        ("cut", "CERT-7", lambda ders: (ders[0][:-1], ders[1])),
        ("trailing", "CERT-7", lambda ders: (ders[0] + b"\0", ders[1])),
        ("junk", "CERT-7", lambda ders: (ders[0], b"junk")),
        ("too-long", "CERT-7", lambda ders: (ders[0], *(ders[1],) * MAX_CHAIN)),
        ("reordered", "CERT-8", lambda ders: (ders[0], ders[2], ders[1])),
        ("with-a-stranger", "CERT-8", lambda ders: (*ders[:2], ders[0])),
        ("no-path", "CERT-9", lambda ders: ders[:1]),
    ):
        yield refused(name, requirement, structure, content=_showing(change, shapes))


def _showing(change: Callable[[Ders], Ders], shapes: tuple[Shape, ...]) -> Callable[[object], object]:
    """An edit that shows a chain of these shapes, made when it is needed."""

    def certificate(_: bytes) -> bytes:
        entries = tuple(map(CertificateEntry, change(chain_of(today(), *shapes))))
        return build(Certificate(CertificateType.X509, build(CertificateChain(entries))))

    return updating("certificate", certificate)
