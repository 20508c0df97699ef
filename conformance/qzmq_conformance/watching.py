"""What became of a socket's connections, for the verb `events` of the reference's adapter."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from qzmq_ref import z85
from qzmq_ref.alerts import alert_name
from qzmq_ref.bridge.observer import Direction
from qzmq_ref.connection import Configuration, Ended, Peer
from qzmq_ref.policy import mode_of
from qzmq_ref.registries import AlertDescription

Event = Mapping[str, Any]
COUNTED = ("octets_sent", "octets_received", "steps_sent", "steps_received", "generations")


class EventLog:
    """An observer of connections (`qzmq_ref.bridge.observer`): the bridge's thread writes, the adapter's takes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._counters: Counter[str] = Counter()

    def __call__(self, _: Configuration) -> Watching:
        """Watches one more connection."""
        return Watching(self)

    def tell(self, event: str, **facts: object) -> None:
        """Something has happened."""
        with self._lock:
            self._events.append({"event": event, **facts})

    def count(self, name: str, number: int) -> None:
        """So many more."""
        with self._lock:
            self._counters[name] += number

    def take(self) -> tuple[Sequence[Event], Mapping[str, int]]:
        """Everything since the last time."""
        with self._lock:
            found = self._events, {name: self._counters[name] for name in COUNTED}
            self._events, self._counters = [], Counter()
        return found


class Watching:
    """Writes down one connection (`qzmq_ref.bridge.observer.Watch`)."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def carried(self, direction: Direction, octets: int, messages: int, seconds: float) -> None:  # noqa: ARG002
        """See Watch.carried."""
        self._log.count(f"octets_{direction}", octets)

    def stepped(self, direction: Direction, steps: int) -> None:
        """See Watch.stepped."""
        self._log.count(f"steps_{direction}", steps)

    def rekeyed(self, seconds: float | None) -> None:  # noqa: ARG002
        """See Watch.rekeyed."""
        self._log.count("generations", 1)

    def established(self, peer: Peer, seconds: float) -> None:  # noqa: ARG002
        """See Watch.established."""
        suite, pin = str(peer.suite).lower(), z85.encode(peer.pin).decode() if peer.pin else ""
        self._log.tell("established", suite=suite, mode=mode_of(peer.suite), peer=pin, resumed=peer.resumed)

    def ended(self, ended: Ended, *, established: bool) -> None:  # noqa: ARG002
        """See Watch.ended."""
        alert = ended.alert
        if alert is None or alert.description == AlertDescription.CLOSE_NOTIFY:
            self._log.tell("ended", reason="truncated" if ended.reason == "truncated" else "closed")
            return
        facts = {"alert": alert_name(alert.description), "requirement": alert.requirement}
        self._log.tell("alert", direction="sent" if ended.reason == "alert" else "received", **facts)
