"""Area `metadata`: every pair of Socket-Types, legal or not, and what else a peer may say of itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from qzmq_conformance.case import Case, once
from qzmq_conformance.fault import Fault, accepted, changing, refused
from qzmq_conformance.peer import Edit
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.handshake.messages import build
from qzmq_ref.metadata import MAX_METADATA, Metadata, Property
from qzmq_ref.registries import MessageType
from qzmq_ref.spec.tables import tables

SOCKET_TYPE = Property(b"Socket-Type", b"DEALER")
STRANGE_TYPES = ("STREAM", "CLIENT", "SERVER", "PEER", "router", "ROUTER\0", "XYZ", "")


def cases() -> Iterator[Case]:
    """Both roles: what sockets say of themselves does not depend on the suite."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    for role in ROLES:
        yield from _pairs(mode, role)
        for fault in faults("ClientAuth" if role == "server" else "Finished"):
            yield fault.case("metadata", Scene(mode, role))
        raw = Scene(mode, role, raw=True)
        structure = "ClientAuth" if role == "server" else "Finished"
        for fault in raw_faults(structure):
            yield fault.case("metadata", raw)


def _pairs(mode: str, role: Role) -> Iterator[Case]:
    """Each Socket-Type of the target against each of the peer."""
    legal = {row["Socket-Type"]: row["Peers"].split(", ") for row in tables()["socket-types"]}
    for own, peers in legal.items():
        for other in (*legal, *(STRANGE_TYPES if own == "DEALER" else ())):
            name = other.replace("\0", "+nul") or "empty"
            scene = Scene(mode, role, own=own, others=other)
            alert = "" if other in peers else "handshake_failure"
            play = partial(_refused if alert else _legal, scene)
            yield Case(f"metadata/{mode}/{role}/pair/{own}-{name}", ("PAT-1",), play, alert)


def _legal(scene: Scene, stage: Stage) -> None:
    """The session comes about; it ends in order."""
    with scene.play(stage) as peer:
        peer.bring("established")
        peer.send_sealed(MessageType.SEALED_ALERT, b"\0")
        peer.expect_alert("close_notify", sealed=True)


def _refused(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        state = peer.states[-2]
        peer.bring(state)
        peer.speak(state)
        peer.expect_alert("handshake_failure", sealed=True)


def metadata(*properties: Property) -> bytes:
    """The octets of these properties, legal or not."""
    return build(Metadata(properties))


def faults(structure: str) -> Iterator[Fault]:
    """Names, sizes and identities; the Socket-Type always fits."""

    def adding(*properties: Property) -> Edit:
        return changing(metadata=metadata(SOCKET_TYPE, *properties))

    yield refused("no-socket-type", "PAT-1", structure, content=changing(metadata=b""))
    room = MAX_METADATA - len(metadata(SOCKET_TYPE, Property(b"X-Fill", b"")))
    for name, size in (("largest", room), ("too-large", room + 1)):
        make = refused if size > room else accepted
        octets = metadata(SOCKET_TYPE, Property(b"X-Fill", bytes(size)))
        yield make(name, "PAT-3", structure, content=changing(metadata=octets))
    for code in (0x00, 0x20, 0x2F, 0x3A, 0x60, 0x7F, 0x80, 0xFF):
        octets = metadata(SOCKET_TYPE, Property(b"X-" + bytes([code]), b""))
        yield refused(f"name-0x{code:02x}", "PAT-4", structure, content=changing(metadata=octets))
    every = b"ABCXYZabcxyz0189-_.+"
    yield accepted("name-characters", "PAT-4", structure, content=adding(Property(every, b"")))
    for first, second in ((b"X-Twice", b"X-Twice"), (b"X-Twice", b"x-tWICE"), (b"X-Peer", b"X-PEER")):
        edit = adding(Property(first, b"1"), Property(second, b"2"))
        yield refused(f"twice-{second.decode()}", "PAT-4", structure, content=edit)
    yield refused("socket-type-twice", "PAT-4", structure, content=adding(Property(b"socket-type", b"DEALER")))
    spelled = changing(metadata=metadata(Property(b"sOCKET-tYPE", b"DEALER"), Property(b"IDENTITY", b"name")))
    yield accepted("spelling", "PAT-6", structure, content=spelled)
    for name, identity in (("zero", b"\0name"), ("only-zero", b"\0"), ("256", b"i" * 256)):
        yield refused(f"identity-{name}", "PAT-7", structure, content=adding(Property(b"Identity", identity)))
    yield accepted("identity-255", "PAT-7", structure, content=adding(Property(b"Identity", b"i" * 255)))
    for reserved in (b"User-Id", b"user-ID", b"Peer-Address", b"X-QZMQ-Peer", b"x-qzmq-anything", b"__internal"):
        edit = adding(Property(reserved, b"forged"))
        yield accepted(f"reserved-{reserved.decode()}", "PAT-5", structure, content=edit)


def raw_faults(structure: str) -> Iterator[Fault]:
    """What a peer may not say over the raw binding."""
    yield refused("raw-metadata", "PAT-8", structure, content=changing(metadata=metadata(SOCKET_TYPE)))
