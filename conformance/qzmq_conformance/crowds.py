"""Area `isolation`: more connections than a server may keep before it knows who they are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

from qzmq_conformance.case import Case, once
from qzmq_conformance.link import Link
from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import Meet, Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.session import known
from qzmq_ref.spec.tables import tables

HALF_OPEN = next(int(row["Ceiling"]) for row in tables()["bounds"] if row["Bound"] == "half_open")
AT_ONCE = 64  # connections, fewer than any system lets wait to be accepted
MARGIN = 1.0  # seconds before the oldest would go for its age alone (SEC-2)
WAITS = 2.0


def cases() -> Iterator[Case]:
    """The target binds, a socket of the case's own."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    scene, prefix = Scene(mode, "server", alone=True), f"isolation/{mode}/server/crowd"
    yield Case(f"{prefix}/oldest", ("SEC-3",), partial(_oldest, scene), "user_canceled", WAITS)
    yield Case(f"{prefix}/others", ("SEC-3",), partial(_others, scene), waits=WAITS)


def _crowd(stack: ExitStack, peer: Peer, count: int) -> None:
    """So many more connections to the same place, each accepted, and then silent."""
    address = known(peer.application).address
    for start in range(0, count, AT_ONCE):
        links = [
            stack.enter_context(Link.connect(address, peer.link.patience)) for _ in range(min(AT_ONCE, count - start))
        ]
        for link in links:
            link.take(len(peer.greeting))


def _began(stack: ExitStack, meet: Meet, state: str) -> Peer:
    peer: Peer = stack.enter_context(meet())
    peer.bring(state)
    return peer


def _oldest(scene: Scene, stage: Stage) -> None:
    """With one connection more than there may be, the oldest goes, long before its time is up."""
    with scene.meetings(stage) as meet, ExitStack() as stack:
        began, oldest = time.monotonic(), _began(stack, meet, "wait_client_key")
        _crowd(stack, oldest, HALF_OPEN)
        oldest.link.patience = max(MARGIN, began + scene.chosen.handshake_timeout - MARGIN - time.monotonic())
        oldest.expect_alert("user_canceled", sealed=False)


def _others(scene: Scene, stage: Stage) -> None:
    """The sessions that were there live on, and whoever comes last comes in."""
    with scene.meetings(stage) as meet, ExitStack() as stack:
        first = _began(stack, meet, "established")
        _crowd(stack, first, HALF_OPEN)
        for peer in (first, _began(stack, meet, "established")):
            check_alive(scene, peer)
