"""Area `wire`: every malformed form of every structure, derived from the notation; `decode_error` for each.

Ids come from the forms of a sample; what is sent is the form of the same label of the real message.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from qzmq_conformance.case import MODES, Case
from qzmq_conformance.fault import Fault, changing, refused
from qzmq_conformance.forms import Layout, malformed
from qzmq_conformance.handshake import SEALING, stations
from qzmq_conformance.keys import policy
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake.messages import AlertBody, ClientAuth, ClientHello, ClientKey, Finished, ServerHello, build
from qzmq_ref.metadata import Metadata, Property
from qzmq_ref.registries import ClientAuthRequest, Extension, ExtensionType, HashId, MessageType, SigId
from qzmq_ref.spec.schema import load

_SEALED_IN = {"server": ("established",), "client": ("wait_finished", "established")}
"""States in which the target reads a sealed alert, by its role."""


def cases() -> Iterator[Case]:
    """Every structure that crosses the wire, in every mode, to every role that reads it."""
    for mode in MODES:
        for role in ROLES:
            scene = Scene(mode, role, mutual=True)
            for fault in (*_of_messages(scene), *_of_metadata(scene), *_of_requests(scene)):
                yield fault.case("wire", scene)
            yield from _of_alerts(scene)


def forms(structure: str, octets: bytes, mode: str) -> dict[str, bytes]:
    """Malformed forms of a well-formed value by their labels."""
    hash_length = HashFunction(HashId(policy(mode).suites[0].hash)).length
    layout = Layout(load().ast, {"hash_length": hash_length})
    return {form.label: form.octets for form in malformed(layout, structure, octets)}


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
    }
    return build(values[structure], len(mac))


def _of_messages(scene: Scene) -> Iterator[Fault]:
    structures = ("ClientHello", "ClientKey", "ClientAuth") if scene.role == "server" else ("ServerHello", "Finished")
    for structure in structures:
        for label in forms(structure, sample(structure, scene.mode), scene.mode):
            yield refused(label, "REG-2", structure, octets=partial(_form, structure, label, scene.mode))


def _form(structure: str, label: str, mode: str, octets: bytes) -> bytes:
    return forms(structure, octets, mode)[label]


def _of_metadata(scene: Scene) -> Iterator[Fault]:
    structure = "ClientAuth" if scene.role == "server" else "Finished"
    octets = build(Metadata((Property(b"Socket-Type", b"DEALER"), Property(b"Identity", b"name"))))
    for label, broken in forms("Metadata", octets, scene.mode).items():
        yield refused(f"metadata/{label}", "PAT-3", structure, content=changing(metadata=broken))


def _of_requests(scene: Scene) -> Iterator[Fault]:
    if scene.role == "client":
        octets = build(ClientAuthRequest((SigId.ML_DSA_44,)))
        for label, broken in forms("ClientAuthRequest", octets, scene.mode).items():
            extension = Extension(ExtensionType.CLIENT_AUTH_REQUEST, broken)
            yield refused(f"request/{label}", "REG-10", "ServerHello", content=changing(extensions=(extension,)))


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
