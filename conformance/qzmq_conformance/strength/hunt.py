"""Plays each faulty reference against the cases that cite its requirement, until one of them notices."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic

from qzmq_conformance import runner
from qzmq_conformance.case import Case, Outcome, Undriven
from qzmq_conformance.stage import Bench
from qzmq_conformance.strength.careless import command
from qzmq_conformance.strength.table import ROLES, Fault

AT_A_TIME = 2
"""Faulty references that run at the same time."""

JOBS = 4
"""Cases at a time that each of them is played."""

PATIENCE = 1.5
"""Seconds that one has to answer: most faults show as silence or its opposite."""

ELSEWHERE = 48
"""Cases that are tried when no case of the fault's own requirement notices."""


@dataclass(frozen=True)
class Verdict:
    """Which case noticed a fault in a role: one that cites its requirement (`own`), or another (`elsewhere`).

    `played` is how many cases it took; `undriven` says why there was no verdict.
    """

    fault: Fault
    role: str
    played: int = 0
    seconds: float = 0.0
    own: str = ""
    elsewhere: str = ""
    seen: str = ""
    undriven: str = ""

    @property
    def killed(self) -> bool:
        """Whether any case noticed."""
        return bool(self.own or self.elsewhere)


def hunt(faults: Sequence[Fault], cases: Sequence[Case], at_a_time: int = AT_A_TIME) -> Iterator[Verdict]:
    """A verdict for each fault in each of its roles, as they are reached.

    A case that also fails against the sound reference proves nothing, so each kill is played there too.
    """
    with Bench(patience=PATIENCE) as sound, ThreadPoolExecutor(at_a_time, thread_name_prefix="fault") as pool:
        started = [pool.submit(_verdicts, fault, cases, sound) for fault in faults]
        try:
            for ended in as_completed(started):
                yield from ended.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def own_cases(fault: Fault, role: str, cases: Sequence[Case]) -> list[Case]:
    """The cases that cite the fault's requirement and play against this role, or both."""
    return [case for case in cases if fault.requirement in case.requirements and _plays(case, role)]


def _plays(case: Case, role: str) -> bool:
    """Between two implementations, as in area `patterns`, either may be the target."""
    named = case.id.split("/")[2]
    return named == role or named not in ROLES


def _verdicts(fault: Fault, cases: Sequence[Case], sound: Bench) -> list[Verdict]:
    """One process is careless in all the roles that the fault has."""
    try:
        with Bench(command(fault.name), patience=PATIENCE) as bench:
            return [_verdict(fault, role, cases, bench, sound) for role in fault.roles]
    except Undriven as error:
        return [Verdict(fault, role, undriven=str(error)) for role in fault.roles]


def _verdict(fault: Fault, role: str, cases: Sequence[Case], bench: Bench, sound: Bench) -> Verdict:
    began, own = monotonic(), own_cases(fault, role, cases)
    others = [case for case in cases if _plays(case, role) and fault.requirement not in case.requirements]
    others.sort(key=lambda case: sha256(case.id.encode()).digest())
    played: list[Outcome] = []
    found = _first_kill(bench, sound, own, played)
    elsewhere = None if found else _first_kill(bench, sound, others[:ELSEWHERE], played)
    kill = found or elsewhere
    return Verdict(
        fault,
        role,
        len(played),
        monotonic() - began,
        own=found.case.id if found else "",
        elsewhere=elsewhere.case.id if elsewhere else "",
        seen=kill.seen if kill else "",
    )


def _first_kill(bench: Bench, sound: Bench, cases: Sequence[Case], played: list[Outcome]) -> Outcome | None:
    """The first case that fails here and passes against the sound reference; `played` gets all that were played."""
    with closing(_outcomes(bench, cases)) as outcomes:
        for outcome in outcomes:
            played.append(outcome)
            if not outcome.passed and runner.play(sound, outcome.case).passed:
                return outcome
    return None


def _outcomes(bench: Bench, cases: Sequence[Case]) -> Generator[Outcome, None, None]:
    """Every outcome, then once more those of cases whose octets reached the application late."""
    passed = []
    for outcome in runner.run(bench, cases, JOBS):
        yield outcome
        passed += [outcome] if outcome.passed else []
    yield from (outcome for outcome in runner.recheck(bench, passed) if not outcome.passed)
