"""Area `handshake`: every row of the table, and every (state, message) pair that is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case
from qzmq_conformance.peer import Peer
from qzmq_conformance.samples import plain_sample, sealed_sample
from qzmq_conformance.scene import ROLES, Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.handshake.messages import SEALED
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import Row, tables

SEALING = ("wait_finished", "established")
"""States in which the target has a sending key, so that its alerts are sealed (ALR-1, ALR-2)."""

UNKNOWN_TYPES = (0x00, 0x07, 0x7F, 0xFF)


def cases() -> Iterator[Case]:
    """All families of the area."""
    for mode in MODES:
        for role in ROLES:
            scene = Scene(mode, role)
            for name, whole in {
                "whole": scene,
                "whole-mutual": replace(scene, mutual=True),
                "whole-raw": replace(scene, raw=True),
                "whole-puzzle": replace(scene, retry=True),
            }.items():
                yield Case(f"handshake/{mode}/{role}/{name}", (*walked(whole), *kept(whole)), partial(_whole, whole))
            for station, state in stations(mode, role):
                yield from _pairs(station, state)


def stations(mode: str, role: Role) -> Iterator[tuple[Scene, str]]:
    """Every state that a peer can bring the target to, each in the simplest scene in which it is met. A client's
    `start` is over with its greeting."""
    plain, retried = Scene(mode, role), Scene(mode, role, retry=True)
    for state in retried.states:
        yield plain if state in plain.states else retried, state


def _pairs(scene: Scene, state: str) -> Iterator[Case]:
    """Each message type in one state: the row of the table, or `unexpected_message`."""
    prefix = f"handshake/{scene.mode}/{scene.role}/{state}"
    for kind in MessageType:
        name = kind.name.lower()
        rows = [row for row in rows_for(scene.role, state, name) if row["Guard"] in ("", *_ABOUT_MESSAGES)]
        if name.endswith("alert") and rows:
            yield from _alerts(scene, state, kind, rows)
        elif rows:
            if kind not in _ELSEWHERE:
                yield Case(f"{prefix}/{name}", tuple(row["ID"] for row in rows), partial(_whole, scene))
        else:
            rules = (_unexpected_rule(kind, state), "ALR-2" if state in SEALING else "ALR-1", "ALR-3")
            yield Case(f"{prefix}/{name}", rules, partial(_unexpected, scene, state, kind), "unexpected_message")
    for unknown in UNKNOWN_TYPES:
        play = partial(_unexpected, scene, state, unknown)
        yield Case(f"{prefix}/0x{unknown:02x}", ("REG-1",), play, "unexpected_message")


def _unexpected_rule(kind: MessageType, state: str) -> str:
    """The rule that a message type without a row breaks first: it means nothing, there is no key for it, or no row."""
    if kind not in _KNOWN:
        return "REG-1"
    return "REC-1" if kind in SEALED and state not in SEALING else "HS-18"


def rows_for(role: str, state: str, receives: str) -> list[Row]:
    """Rows of the table `handshake` for one event, guarded ones first."""
    rows = [
        row
        for row in tables()["handshake"]
        if row["Role"] in (role, "both") and row["State"] == state and row["Receives"] == receives
    ]
    return sorted(rows, key=lambda row: not row["Guard"])


def _alerts(scene: Scene, state: str, kind: MessageType, rows: list[Row]) -> Iterator[Case]:
    """Every description, and one that has no name: the target ends and answers nothing, except a close_notify where a
    row's guard is about it."""
    by_guard = {row["Guard"]: row for row in rows}
    for description in (*AlertDescription, 255):
        name = getattr(description, "name", "unknown").lower()
        row = by_guard.get(f"is_{name}") or by_guard[""]
        rules = (row["ID"], "CLS-2" if row["Sends"] else "ALR-4")
        play = partial(_alert, scene, state, kind, description, bool(row["Sends"]))
        yield Case(f"handshake/{scene.mode}/{scene.role}/{state}/{kind.name.lower()}-{name}", rules, play)


def _whole(scene: Scene, stage: Stage) -> None:
    """A handshake as it should be, then octets both ways."""
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)


def _unexpected(scene: Scene, state: str, kind: int, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        send_sample(peer, kind)
        peer.expect_alert("unexpected_message", sealed=state in SEALING)


def _alert(scene: Scene, state: str, kind: MessageType, description: int, answered: bool, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        body = bytes([description])
        if kind is MessageType.SEALED_ALERT:
            peer.send_sealed(kind, body)
        else:
            peer.send_message(bytes([kind]) + body)
        if answered:
            peer.expect_alert("close_notify", sealed=True)
        else:
            peer.expect_end()


def send_sample(peer: Peer, kind: int) -> None:
    """A well-formed message of any type; a sealed one is protected with the keys the target has, or would have next."""
    if kind in SEALED:
        peer.send_sealed_anyway(kind, sealed_sample(peer, kind))
    else:
        peer.send_message(plain_sample(peer, kind))


_KNOWN: Mapping[int, str] = {MessageType[row["Type"].upper()]: row["Protection"] for row in tables()["messages"]}
_REFUSING: Mapping[str, tuple[str, ...]] = {
    "": (
        *("HS-1", "HS-2", "HS-9", "HS-14", "HS-16", "KS-1", "KS-7", "REG-1", "REG-2", "REG-7", "REG-10"),
        *("REC-1", "REC-2", "REC-4", "REC-5", "REC-6", "REC-7", "REC-8", "REC-10", "REC-11", "CERT-1", "CERT-2"),
    ),
    "client": ("HS-4", "HS-5", "HS-6", "REG-4", "REG-6", "REG-9", "CERT-3"),
    "server": ("HS-6", "REG-5", "REG-6"),
    "mutual": ("HS-10", "HS-11", "HS-12", "HS-13", "CERT-4", "CERT-5"),
    "zmtp": ("ZMTP-8", "ZMTP-10"),
    "raw": ("RAW-5", "RAW-6", "PAT-8"),
    "puzzle": ("PUZ-1", "PUZ-5", "PUZ-6", "PUZ-7"),
}
"""Rules that refuse what is wrong, by role and scene."""


_ABOUT_MESSAGES = ("is_close_notify",)
"""Guards about the message itself. The others are about what went before, and fail in a plain session."""


_ELSEWHERE = (MessageType.HELLO_RETRY, MessageType.KEY_UPDATE, MessageType.NEW_TICKET)
"""Messages whose rows are played by areas of their own: puzzle, rotation and resumption."""


def kept(scene: Scene) -> tuple[str, ...]:
    """The rules that a whole handshake keeps: what is right is not refused, and the target's own part is right."""
    parts = ["", scene.role, "raw" if scene.raw else "zmtp"]
    parts += [name for name, present in (("mutual", scene.mutual), ("puzzle", scene.retry)) if present]
    return tuple(rule for part in parts for rule in _REFUSING[part])


def walked(scene: Scene) -> tuple[str, ...]:
    """The rows that a whole handshake of the target walks through, and that of its data."""
    received = ["client_hello", "client_key", "data"]
    if scene.role == "client":
        received = ["(begin)", "server_hello", "finished", "data"]
    if scene.retry:
        received.insert(1, "client_hello" if scene.role == "server" else "hello_retry")
    state, rows = "start", []
    for event in received:
        row = next(
            row
            for row in rows_for(scene.role, state, event)
            if not row["Guard"] or (scene.retry and row["Guard"] == "puzzle_is_due")
        )
        rows.append(row["ID"])
        state = row["Next"]
    return tuple(rows)
