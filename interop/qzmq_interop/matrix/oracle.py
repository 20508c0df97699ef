"""The same encounter over plain ZMTP NULL: what the ZeroMQ libraries themselves make of it, without any QZMQ."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import zip_longest
from typing import NamedTuple

from qzmq_conformance.capabilities import needs
from qzmq_conformance.case import Failed, Undriven
from qzmq_conformance.dialogue import Transcript
from qzmq_conformance.target import token
from qzmq_interop.matrix.encounter import PATIENCE, PAUSE, Encounter, Side, meet
from qzmq_interop.matrix.implementations import ORACLE
from qzmq_interop.matrix.scenario import Scenario
from qzmq_interop.matrix.seats import Seats


class Question(NamedTuple):
    """Who binds and who connects, and with which sockets."""

    binder: str
    connector: str
    patterns: tuple[str, str]
    scenario: Scenario


@dataclass(frozen=True)
class Answer:
    """What was heard over NULL, `failure` if it was not what should be; `unknown` why that could not be found out."""

    transcript: Transcript
    failure: str = ""
    unknown: str = ""


class Oracle:
    """Asks each question once; those who want to know the same meanwhile wait."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        self._lock = threading.Lock()
        self._answers: dict[tuple[object, ...], Future[Answer]] = {}

    def expected(self, patterns: tuple[str, str], scenario: Scenario) -> Answer:
        """What libzmq does at both ends, the binder's pattern first."""
        return self.ask(Question(ORACLE, ORACLE, patterns, scenario))

    def ask(self, question: Question) -> Answer:
        """What these two do."""
        key = _key(question)
        with self._lock:
            asked = key in self._answers
            future = self._answers.setdefault(key, Future())
        if not asked:
            try:
                future.set_result(self._find_out(question))
            except Exception as error:  # noqa: BLE001  (whoever waits must hear of it)
                with self._lock:
                    del self._answers[key]  # the next one may have more luck
                future.set_exception(error)
        return future.result()

    def knows_failure(self, question: Question) -> bool:
        """Whether this has been asked, and did not go well."""
        with self._lock:
            future = self._answers.get(_key(question))
        return future is not None and future.done() and not future.exception() and bool(future.result().failure)

    def _find_out(self, question: Question) -> Answer:
        for name, pattern in zip(question[:2], question.patterns, strict=True):
            if lacking := sorted(needs(pattern, None) - self._seats.describe(name).capabilities):
                return Answer([], unknown=f"{name} does not claim {', '.join(map(str, lacking))}")
        answer = self._answer(question)
        return self._answer(question) if answer.failure else answer  # a defect is there again

    def _answer(self, question: Question) -> Answer:
        heard, failure = self._play(question, token())
        if not failure and question[:2] != (ORACLE, ORACLE):
            failure = difference(heard, self.expected(question.patterns, question.scenario).transcript)
        return Answer(heard, failure)

    def _play(self, question: Question, octets: bytes) -> tuple[Transcript, str]:
        binder = Side("binder", question.patterns[0], self._seats.get(question.binder, "binder"), None)
        connector = Side("connector", question.patterns[1], self._seats.get(question.connector, "connector"), None)
        heard: Transcript = []
        try:
            with meet(binder, connector, octets, question.scenario.connector) as encounter:
                heard = encounter.transcript
                question.scenario.script(encounter)
                _await_carried(encounter)
        except Failed as failed:
            return anonymous(heard, octets), failed.seen.replace(octets.decode(), "<token>")
        return anonymous(heard, octets), ""


def _key(question: Question) -> tuple[object, ...]:
    """What of it matters over NULL."""
    return (*question[:3], question.scenario.script, *question.scenario.connector.items())


def _await_carried(encounter: Encounter) -> None:
    deadline = time.monotonic() + PATIENCE
    while not encounter.relay.carried(encounter.token):
        if time.monotonic() > deadline:
            raise Undriven("over NULL the relay does not see the octets that it looks for, so it proves nothing")
        time.sleep(PAUSE)


def anonymous(transcript: Transcript, octets: bytes) -> Transcript:
    """The transcript without what differs from one encounter to the next."""
    return [(name, tuple(part.replace(octets, b"<token>") for part in parts)) for name, parts in transcript]


def difference(heard: Transcript, wanted: Transcript) -> str:
    """The first message that the applications should not have heard so."""
    for number, (one, other) in enumerate(zip_longest(heard, wanted), 1):
        if one != other:
            return f"message {number} that is heard is {brief(one)}; libzmq's sockets hear {brief(other)}"
    return ""


def brief(message: tuple[str, tuple[bytes, ...]] | None) -> str:
    """A message with long parts cut."""
    if message is None:
        return "none"
    name, parts = message
    shown = (f"{part[:40]!r}" + (f" ({len(part)} octets)" if part[40:] else "") for part in parts)
    return f"{' | '.join(shown)} by the {name}"
