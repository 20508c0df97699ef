"""Area `handshake`: every row of the table, and every (state, message) pair that is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from qzmq_conformance.case import MODES, Case
from qzmq_conformance.peer import Peer
from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_conformance.samples import plain_sample, sealed_sample
from qzmq_conformance.scene import ROLES, Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.messages import SEALED
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import Row, tables

STATES = {"server": ClientPeer.states, "client": ServerPeer.states}
"""The states a peer can bring the target to, by the target's role. A client's `start` is over with its greeting."""

SEALING = ("wait_finished", "established")
"""States in which the target has a sending key, so that its alerts are sealed (ALR-1, ALR-2)."""

UNKNOWN_TYPES = (0x00, 0x07, 0x7F, 0xFF)


def cases() -> Iterator[Case]:
    """All families of the area."""
    for mode in MODES:
        for role in ROLES:
            scene = Scene(mode, role)
            yield Case(f"handshake/{mode}/{role}/whole", _begin_rows(role), partial(_whole, scene))
            mutual = Scene(mode, role, mutual=True)
            yield Case(f"handshake/{mode}/{role}/whole-mutual", _begin_rows(role), partial(_whole, mutual))
            raw = Scene(mode, role, raw=True)
            yield Case(f"handshake/{mode}/{role}/whole-raw", _begin_rows(role), partial(_whole, raw))
            for state in STATES[role]:
                yield from _pairs(scene, state)


def _pairs(scene: Scene, state: str) -> Iterator[Case]:
    """Each message type in one state: the row of the table, or `unexpected_message`."""
    prefix = f"handshake/{scene.mode}/{scene.role}/{state}"
    for kind in MessageType:
        name = kind.name.lower()
        rows = rows_for(scene.role, state, name)
        if name.endswith("alert") and rows:
            yield from _alerts(scene, state, kind, rows)
        elif rows:
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
    if kind in SEALED or kind in _SEALED_LATER:
        peer.send_sealed_early(kind, sealed_sample(peer, kind))
    else:
        peer.send_message(plain_sample(peer, kind))


_KNOWN: Mapping[int, str] = {MessageType[row["Type"].upper()]: row["Protection"] for row in tables()["messages"]}
_SEALED_LATER = (MessageType.NEW_TICKET, MessageType.KEY_UPDATE, MessageType.KEY_UPDATE_ACK)
"""Types without a meaning yet; they are sealed where they will have one."""


def _begin_rows(role: str) -> tuple[str, ...]:
    """The rows that a whole handshake of this role walks through."""
    return tuple(row["ID"] for row in tables()["handshake"] if row["Role"] == role and row["Next"] != "closed")
