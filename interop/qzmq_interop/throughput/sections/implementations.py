"""Every implementation with itself and with the reference, each pair under NULL, CURVE and QZMQ in one run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from qzmq_interop.throughput import go
from qzmq_interop.throughput.contestants import Contestant, Program
from qzmq_interop.throughput.mechanisms import MECHANISMS
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import SCENARIOS
from qzmq_interop.throughput.sheets import Ratio, Sheet, median_text, told

REFERENCE = "reference"
OTHERS = ("NULL", "CURVE")
PART = 0.3
"""Of the work that the comparison of mechanisms does: there are many pairs, and some are slow."""

FLOWS = ("push_pull_64", "push_pull_1024", "push_pull_65536", "req_rep_64", "first_echo")

Pairing = tuple[Program | None, Program | None]
"""Server and client; None is the reference."""


def measured(effort: Effort) -> Sequence[Sheet]:
    """A table per scenario: a row per pair, a column per mechanism."""
    with TemporaryDirectory() as folder:
        programs, missing = list(effort.peers), {}
        for backend in go.BACKENDS:
            try:
                programs.append(go.build(backend, Path(folder)))
            except NotRun as reason:
                missing[f"Go peer, backend {backend}"] = str(reason)
        pairings = list(_pairings(programs))
        less = replace(effort, part=effort.part * PART)
        scenarios = [each for each in SCENARIOS if each.name in FLOWS]
        run = measure(scenarios, [each for pairing in pairings for each in _contestants(pairing)], less)
    notes = told({**missing, **run.not_run})
    return [_sheet(result, pairings, notes if result is run.results[-1] else []) for result in run.results]


def _pairings(programs: Sequence[Program]) -> Iterator[Pairing]:
    """The reference with itself, then each program with itself and, both ways, with the reference."""
    yield None, None
    for program in programs:
        yield from ((program, program), (program, None), (None, program))


def _title(pairing: Pairing) -> str:
    server, client = (program.name if program else REFERENCE for program in pairing)
    return f"{server} ← {client}"


def _contestants(pairing: Pairing) -> list[Contestant]:
    title = _title(pairing)
    return [Contestant(f"{title}: {name}", mechanism, *pairing) for name, mechanism in MECHANISMS.items()]


def _sheet(result: Result, pairings: Sequence[Pairing], notes: Sequence[str]) -> Sheet:
    rows = []
    for title in map(_title, pairings):
        names = [f"{title}: {mechanism}" for mechanism in MECHANISMS]
        ratios = (Ratio(f"{title}: QZMQ", f"{title}: {other}").text(result) for other in OTHERS)
        rows.append([title, *(median_text(result, name) for name in names), *ratios])
    headings = ["server ← client", *MECHANISMS, *(f"QZMQ / {other}" for other in OTHERS)]
    return Sheet(result.scenario.title, headings, rows, notes, figures=result.as_json())
