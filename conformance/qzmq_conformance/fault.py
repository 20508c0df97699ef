"""A faulty or merely unusual handshake: a deviation of the peer, and the rule that says what the target does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from qzmq_conformance.case import Case, Failed
from qzmq_conformance.peer import Deviation, Edit, Peer
from qzmq_conformance.scene import Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.records import HEADER
from qzmq_ref.registries import MessageType
from qzmq_ref.spec.tables import requirements

CARRIERS: Mapping[str, tuple[str, bool]] = {
    "ClientHello": ("start", False),
    "ClientKey": ("wait_client_key", False),
    "ClientAuth": ("wait_client_key", True),
    "ServerHello": ("wait_server_hello", False),
    "Finished": ("wait_finished", True),
}
"""The target's state in which a structure is due, and whether the alert that answers it is sealed."""


@dataclass(frozen=True)
class Fault:
    """One deviation. `alert` is what the requirement names, "" if it says that the target goes on.

    `sealed` overrides what follows from the structure; `opaque` says that the target's sealed alert is under keys the
    peer cannot have, so that only its form can be checked.
    """

    name: str
    requirement: str
    deviation: Deviation
    alert: str
    sealed: bool | None = None
    opaque: bool = False

    def case(self, area: str, scene: Scene) -> Case:
        """The fault in one mode and role; `area` begins the id."""
        label = f"{area}/{scene.mode}/{scene.role}/{self.deviation.structure}/{self.name}"
        way = "ALR-2" if self._alert_sealed else "ALR-1"
        rules = (self.requirement, way, "ALR-3") if self.alert else (self.requirement, "HS-40")
        return Case(label, rules, partial(self._play, scene), self.alert)

    @property
    def _alert_sealed(self) -> bool:
        return CARRIERS[self.deviation.structure][1] if self.sealed is None else self.sealed

    def _play(self, scene: Scene, stage: Stage) -> None:
        with scene.play(stage, self.deviation) as peer:
            if not self.alert:
                peer.bring("established")
                check_alive(scene, peer)
                return
            state, _ = CARRIERS[self.deviation.structure]
            peer.bring(state)
            peer.speak(state)
            if self.opaque:
                expect_opaque_alert(peer)
            else:
                peer.expect_alert(self.alert, sealed=self._alert_sealed)


def expect_opaque_alert(peer: Peer) -> None:
    """A sealed alert under unknown keys, as generation 0, record 0 (ALR-2): its header and its size, then the end."""
    message = peer.link.message(peer.binding)
    if message is None:
        raise Failed("no alert before the connection ended")
    expected = HEADER.pack(MessageType.SEALED_ALERT, 0, 0, 0, 0)
    if message[: HEADER.size] != expected or len(message) != HEADER.size + 17:
        raise Failed(message[:64].hex(), f"{expected.hex()} and 17 octets")
    peer.expect_end()


def refused(
    name: str, requirement: str, structure: str, *, sealed: bool | None = None, opaque: bool = False, **edits: Edit
) -> Fault:
    """A fault that the target answers with the one alert that the requirement's sentence names."""
    (alert,) = set(requirements()[requirement].alerts)
    return Fault(name, requirement, Deviation(structure, **edits), alert, sealed, opaque)


def accepted(name: str, requirement: str, structure: str, **edits: Edit) -> Fault:
    """A deviation that the requirement allows."""
    return Fault(name, requirement, Deviation(structure, **edits), "")


def changing(**values: Any) -> Edit:
    """An edit that sets fields of a structure."""
    return lambda value: replace(value, **values)


def updating(name: str, update: Callable[[Any], Any]) -> Edit:
    """An edit that computes one field from itself."""
    return lambda value: replace(value, **{name: update(getattr(value, name))})


def flip(position: int) -> Callable[[bytes], bytes]:
    """Octets with the lowest bit of one of them inverted; a negative position counts from the end."""

    def flipped(octets: bytes) -> bytes:
        changed = bytearray(octets)
        changed[position] ^= 1
        return bytes(changed)

    return flipped


def resized(length: int) -> Callable[[bytes], bytes]:
    """Octets cut, or grown with zeros, to a length."""
    return lambda octets: octets[:length].ljust(length, b"\0")


def beginning(first: bytes) -> Callable[[bytes], bytes]:
    """Octets with other ones in front, the same number in all."""
    return lambda octets: first + octets[len(first) :]


def ending(last: bytes) -> Callable[[bytes], bytes]:
    """Octets with other ones at the end, the same number in all."""
    return lambda octets: octets[: -len(last)] + last
