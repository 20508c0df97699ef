"""Plays cases, a bounded number at a time, and says how each ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import replace
from hashlib import sha256

from qzmq_conformance.case import Case, Failed, Outcome, Undriven, Unsupported
from qzmq_conformance.channel import CASE
from qzmq_conformance.stage import Bench, Stage

LEAKED = "octets of the peer reached the application, where REC-9 lets none of them"


def run(bench: Bench, cases: Sequence[Case], jobs: int) -> Iterator[Outcome]:
    """The outcome of every case, as they end. `Undriven` stops the run: nothing more is started.

    The order is the same each time and mixes the areas. Cases that wait do it in threads of their own, so that they
    keep no processor from the others; the longest begin first.
    """
    busy = ThreadPoolExecutor(jobs, thread_name_prefix="case")
    waiting = ThreadPoolExecutor(jobs, thread_name_prefix="waiting") if jobs > 1 else busy
    try:
        started: Iterable[Future[Outcome]] = [
            (waiting if case.waits else busy).submit(play, bench, case) for case in sorted(cases, key=_mixed)
        ]
        for ended in as_completed(started):
            yield ended.result()
    finally:
        for pool in (busy, waiting):
            pool.shutdown(wait=True, cancel_futures=True)


def _mixed(case: Case) -> tuple[float, bytes]:
    return -case.waits, sha256(case.id.encode()).digest()


def recheck(bench: Bench, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The outcomes once more when all is over: octets that reached the application late make their case fail too."""
    bench.target.collect()
    return [
        replace(outcome, seen=LEAKED) if outcome.passed and bench.target.reached(outcome.token) else outcome
        for outcome in outcomes
    ]


def play(bench: Bench, case: Case, clock: Callable[[], float] = time.perf_counter) -> Outcome:
    """Plays one case. Whatever the script raises except `Undriven` is a failure of the case, never of the run."""
    stage = Stage(bench)
    began = clock()
    seen = expected = unsupported = ""
    CASE.set(case.id)
    try:
        case.play(stage)
    except Undriven as error:
        raise Undriven(f"{case.id}: {error}") from error
    except Unsupported as lacking:
        unsupported = str(lacking)
    except Failed as failed:
        seen, expected = failed.seen, failed.expected
    except Exception as error:  # noqa: BLE001  (a target can make any step of a script fail)
        seen = f"{type(error).__name__}: {error}"
    if seen and bench.target.reached(stage.token):
        seen = f"{LEAKED}; {seen}"
    seconds, entries = clock() - began, tuple(stage.entries)
    return Outcome(case, seconds, stage.token, seen, expectation(case, expected), entries, unsupported)


def expectation(case: Case, precisely: str = "") -> str:
    """What a failed step expected, and what the case expects in all."""
    alert = f"alert {case.alert}, then the end of the connection" if case.alert else "success"
    return "\n".join([*filter(None, [precisely]), alert])
