"""Plays one cell and judges it: by what the applications heard, by what the relay saw, and by the same over NULL."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qzmq_conformance.case import Failed, Undriven
from qzmq_conformance.channel import CASE
from qzmq_conformance.dialogue import Transcript
from qzmq_conformance.relay import Relay
from qzmq_conformance.security import Security
from qzmq_conformance.target import token
from qzmq_interop.matrix.cells import NULL, Cell
from qzmq_interop.matrix.encounter import PATIENCE, Encounter, Side, meet
from qzmq_interop.matrix.oracle import Oracle, Question, anonymous, difference
from qzmq_interop.matrix.scenario import Missed, Played
from qzmq_interop.matrix.seats import End, Seats
from qzmq_interop.matrix.verdicts import Outcome, Verdict
from qzmq_interop.matrix.wire import Connection, connections, hopeless

LITTLE = 2.0
"""Seconds of patience with what is known to fail over NULL."""
TRIES = 4
CLEAR = "known application octets crossed the wire in the clear"


@dataclass
class Course:
    """How an encounter went: what the relay carried, what the applications heard, and what was seen if it failed.

    `conversed`: the conversation itself went well. `missed`: what failed was `Missed`.
    """

    token: bytes
    recordings: Sequence[bytes] = ()
    heard: Transcript = field(default_factory=list)
    conversed: bool = False
    missed: bool = False
    seen: str = ""
    expected: str = ""


class Player:
    """Plays cells on the processes of `seats`."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._oracle = Oracle(seats)

    def play(self, cell: Cell) -> Outcome:
        """What became of the cell. Whatever goes wrong is its failure, never that of the run; `Undriven` is neither."""
        began = time.perf_counter()
        CASE.set(cell.id)
        try:
            outcome = self._null(cell) if cell.mode == NULL else self._secured(cell)
        except Undriven as error:
            self._seats.bury(cell.server, cell.client)
            outcome = Outcome(cell, Verdict.UNDRIVEN, str(error))
        except Exception as error:  # noqa: BLE001  (an implementation can make any step of a script fail)
            outcome = Outcome(cell, Verdict.FAILED, f"{type(error).__name__}: {error}")
        return replace(outcome, seconds=time.perf_counter() - began)

    def _null(self, cell: Cell) -> Outcome:
        """The library alone."""
        answer = self._oracle.ask(_question(cell))
        if answer.unknown:
            return Outcome(cell, Verdict.UNCLAIMED, answer.unknown)
        if answer.failure:
            return Outcome(cell, Verdict.LIBRARY, answer.failure, "what libzmq does", answer.failure)
        return Outcome(cell, Verdict.PASSED)

    def _secured(self, cell: Cell) -> Outcome:
        """Plays until nobody missed his moment, a few times at most."""
        course = self._encounter(cell)
        for _ in range(TRIES - 1):
            if not course.missed:
                break
            course = self._encounter(cell)
        return self._judge(cell, course)

    def _encounter(self, cell: Cell) -> Course:
        course = Course(token())

        def lost(relay: Relay) -> str:
            return _hopeless(cell, relay.recordings())

        patience = LITTLE if self._oracle.knows_failure(_question(cell)) else PATIENCE
        try:
            with meet(*self._sides(cell), course.token, cell.scenario.connector, lost, patience) as encounter:
                try:
                    self._converse(cell, encounter)
                    course.conversed = True
                    self._check(cell, encounter)
                finally:
                    course.recordings = encounter.relay.recordings()
                    course.heard = anonymous(encounter.transcript, course.token)
        except Failed as failed:
            course.missed = isinstance(failed, Missed)
            course.seen, course.expected = (
                text.replace(course.token.decode(), "<token>") for text in (failed.seen, failed.expected)
            )
        return course

    def _converse(self, cell: Cell, encounter: Encounter) -> None:
        """The script; what was heard must be what libzmq's own sockets hear."""
        cell.scenario.script(encounter)
        heard = anonymous(encounter.transcript, encounter.token)
        wanted = self._oracle.expected(_question(cell).patterns, cell.scenario)
        if wanted.failure:
            raise Undriven(f"libzmq itself fails over NULL: {wanted.failure}")
        if wrong := difference(heard, wanted.transcript):
            raise Failed(wrong, "what libzmq's sockets hear over NULL")

    def _check(self, cell: Cell, encounter: Encounter) -> None:
        """What the scenario says of itself, beyond the transcript."""

        def look() -> Sequence[Connection]:
            return _seen(cell, encounter.relay.recordings())

        cell.scenario.check(Played(encounter, cell.policy, look, cell.server_binds))

    def _judge(self, cell: Cell, course: Course) -> Outcome:
        """The wire first, whatever else there is; then what went wrong, and whose fault it is."""
        if any(course.token in recording for recording in course.recordings):
            return Outcome(cell, Verdict.FAILED, CLEAR, "no application octet on the wire")
        try:
            wire = tuple(_seen(cell, course.recordings))
        except Failed as failed:
            return Outcome(cell, Verdict.FAILED, failed.seen, failed.expected)
        if not course.seen:
            return Outcome(cell, Verdict.PASSED, wire=wire)
        if course.conversed or not course.recordings:
            return Outcome(cell, Verdict.FAILED, course.seen, course.expected, wire=wire)
        answer = self._oracle.ask(_question(cell))
        as_far = course.heard[: len(answer.transcript)] == answer.transcript
        blamed = answer.failure and as_far and all(connection.stands for connection in wire)
        verdict = Verdict.LIBRARY if blamed else Verdict.FAILED
        null = answer.failure or answer.unknown or "all is well"
        return Outcome(cell, verdict, course.seen, course.expected, null, wire=wire)

    def _sides(self, cell: Cell) -> tuple[Side, Side]:
        """The side that binds, then the side that connects."""
        found = list(zip((cell.server, cell.client), cell.patterns, cell.securities, strict=True))
        bound, joined = found if cell.server_binds else found[::-1]
        claims = cell.scenario.claims
        return self._side("binder", *bound, claims), self._side("connector", *joined, claims)

    def _side(self, end: End, name: str, pattern: str, security: Security | None, features: tuple[str, ...]) -> Side:
        return Side(end, pattern, self._seats.get(name, end), security, features)


def _question(cell: Cell) -> Question:
    if cell.server_binds:
        return Question(cell.server, cell.client, cell.patterns, cell.scenario)
    return Question(cell.client, cell.server, cell.patterns[::-1], cell.scenario)


def _seen(cell: Cell, recordings: Sequence[bytes]) -> Sequence[Connection]:
    return connections(recordings, raw=cell.patterns[0] == "STREAM", client_connects=cell.server_binds)


def _hopeless(cell: Cell, recordings: Sequence[bytes]) -> str:
    """Why nobody need wait any longer."""
    try:
        return hopeless(_seen(cell, recordings))
    except Failed as failed:
        return failed.seen
