"""Area `wire`: every malformed form of every structure, derived from the notation; `decode_error` for each.

Ids come from the forms of a sample; what is sent is the form of the same label of the real message.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from qzmq_conformance import rekeying
from qzmq_conformance.case import Case, once
from qzmq_conformance.fault import Fault, changing, refused
from qzmq_conformance.forms import Layout, malformed
from qzmq_conformance.handshake import SEALING, stations
from qzmq_conformance.keys import policy
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake.extensions import LISTED
from qzmq_ref.handshake.messages import (
    AlertBody,
    ClientAuth,
    ClientHello,
    ClientKey,
    EarlyDataAnswer,
    EarlyDataStatus,
    Empty,
    Finished,
    HelloRetry,
    KeyUpdate,
    KeyUpdateAck,
    KeyUpdateKind,
    NewTicket,
    PreSharedKey,
    ServerHello,
    build,
)
from qzmq_ref.handshake.puzzle import PuzzleSolution
from qzmq_ref.metadata import Metadata, Property
from qzmq_ref.registries import ClientAuthRequest, Extension, ExtensionType, HashId, MessageType, SigId
from qzmq_ref.spec.schema import load

_SEALED_IN = {"server": ("established",), "client": ("wait_finished", "established")}
"""States in which the target reads a sealed alert, by its role."""


def cases() -> Iterator[Case]:
    """Every structure that crosses the wire, to every role that reads it; the notation is the same in every mode."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    for role in ROLES:
        scene = Scene(mode, role, mutual=True)
        for fault in (*_of_messages(scene), *_of_metadata(scene), *_of_extensions(scene)):
            yield fault.case("wire", scene)
        for fault in _of_puzzles(scene):
            yield fault.case("wire", replace(scene, retry=True))
        yield from _of_alerts(scene)
        yield from _of_updates(scene)


def forms(structure: str, octets: bytes, mode: str) -> dict[str, bytes]:
    """Malformed forms of a well-formed value by their labels."""
    return {form.label: form.octets for form in malformed(_layout(mode), structure, octets)}


def _layout(mode: str) -> Layout:
    hash_length = HashFunction(HashId(policy(mode).suites[0].hash)).length
    return Layout(load().ast, {"hash_length": hash_length})


def sample(structure: str, mode: str) -> bytes:
    """A value of the same shape as the honest peer's: the same vectors are empty, the same have elements."""
    suite, some = policy(mode).suites[0], b"some octets"
    mac = bytes(HashFunction(HashId(suite.hash)).length)
    extension = Extension(ExtensionType.CLIENT_AUTH_REQUEST, some)
    values: dict[str, Any] = {
        "ClientHello": ClientHello(1, bytes(32), (suite, suite), (extension,)),
        "ServerHello": ServerHello(1, bytes(32), suite, some, some, (extension,), some),
        "ClientKey": ClientKey(some, bytes(16)),
        "ClientAuth": ClientAuth(some, some, some, 0, mac),
        "Finished": Finished(some, mac),
        "AlertBody": AlertBody(0),
        "HelloRetry": HelloRetry(1, bytes(32), 4),
        "KeyUpdate": KeyUpdate(KeyUpdateKind.OFFER, 2, some),
        "KeyUpdateAck": KeyUpdateAck(2, some),
        "NewTicket": NewTicket(1, 0, some, some),
    }
    return build(values[structure], len(mac))


def _of_messages(scene: Scene) -> Iterator[Fault]:
    structures = ("ClientHello", "ClientKey", "ClientAuth") if scene.role == "server" else ("ServerHello", "Finished")
    for structure in structures:
        for label in forms(structure, sample(structure, scene.mode), scene.mode):
            yield refused(label, "REG-2", structure, octets=partial(_form, structure, label, scene.mode))


def _form(structure: str, label: str, mode: str, octets: bytes) -> bytes:
    return next(form.octets for form in malformed(_layout(mode), structure, octets) if form.label == label)


def _of_metadata(scene: Scene) -> Iterator[Fault]:
    structure = "ClientAuth" if scene.role == "server" else "Finished"
    octets = build(Metadata((Property(b"Socket-Type", b"DEALER"), Property(b"Identity", b"name"))))
    for label, broken in forms("Metadata", octets, scene.mode).items():
        yield refused(f"metadata/{label}", "PAT-3", structure, content=changing(metadata=broken))


def _of_extensions(scene: Scene) -> Iterator[Fault]:
    """The data of every extension that means something to the target (table `extensions`)."""
    message, structure = (
        (MessageType.CLIENT_HELLO, "ClientHello")
        if scene.role == "server"
        else (MessageType.SERVER_HELLO, "ServerHello")
    )
    for (kind, carrier), name in LISTED.items():
        if carrier is message:
            for label, broken in forms(name, build(_EXTENSIONS[name]), scene.mode).items():
                edit = changing(extensions=(Extension(kind, broken),))
                yield refused(f"{ExtensionType(kind).name.lower()}/{label}", "REG-10", structure, content=edit)


_EXTENSIONS: Mapping[str, Any] = {
    "ClientAuthRequest": ClientAuthRequest((SigId.ML_DSA_44,)),
    "PuzzleSolution": PuzzleSolution(bytes(16), 0),
    "PreSharedKey": PreSharedKey(b"identity", bytes(32)),
    "Empty": Empty(),
    "EarlyDataAnswer": EarlyDataAnswer(EarlyDataStatus.UNKNOWN),
}


def _of_puzzles(scene: Scene) -> Iterator[Fault]:
    if scene.role == "client":
        for label in forms("HelloRetry", sample("HelloRetry", scene.mode), scene.mode):
            yield refused(label, "REG-2", "HelloRetry", octets=partial(_form, "HelloRetry", label, scene.mode))


def _of_updates(scene: Scene) -> Iterator[Case]:
    """What is sealed once the session is established. An ack is due only while an offer is open."""
    due = {"KeyUpdate": MessageType.KEY_UPDATE}
    if scene.role == "client":
        due |= {"KeyUpdateAck": MessageType.KEY_UPDATE_ACK, "NewTicket": MessageType.NEW_TICKET}
    for structure, kind in due.items():
        for label, broken in forms(structure, sample(structure, scene.mode), scene.mode).items():
            label = f"wire/{scene.mode}/{scene.role}/{structure}/{label}"
            yield Case(label, ("REG-2", "ALR-2"), partial(_update, scene, kind, broken), "decode_error")


def _update(scene: Scene, kind: MessageType, broken: bytes, stage: Stage) -> None:
    stage.need("resumption" if kind is MessageType.NEW_TICKET else "rekey")
    with scene.play(stage) as peer:
        peer.bring("established")
        if kind is MessageType.KEY_UPDATE_ACK:
            rekeying.request(peer)
            rekeying.take_offer(peer)
        peer.send_sealed(kind, broken)
        peer.expect_alert("decode_error", sealed=True)


def _of_alerts(scene: Scene) -> Iterator[Case]:
    """A malformed alert is answered like any malformed message: nothing says that it is one."""
    for label, broken in forms("AlertBody", sample("AlertBody", scene.mode), scene.mode).items():
        for station, state in stations(scene.mode, scene.role):
            prefix = f"wire/{scene.mode}/{scene.role}/{state}"
            if state != "established":
                play = partial(_alert, station, state, MessageType.ALERT, broken)
                yield Case(f"{prefix}/alert/{label}", ("REG-2",), play, "decode_error")
            if state in _SEALED_IN[scene.role]:
                play = partial(_alert, station, state, MessageType.SEALED_ALERT, broken)
                yield Case(f"{prefix}/sealed-alert/{label}", ("REG-2",), play, "decode_error")


def _alert(scene: Scene, state: str, kind: MessageType, body: bytes, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        if kind is MessageType.SEALED_ALERT:
            peer.send_sealed(kind, body)
        else:
            peer.send_message(bytes([kind]) + body)
        peer.expect_alert("decode_error", sealed=state in SEALING)
