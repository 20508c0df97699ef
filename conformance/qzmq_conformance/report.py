"""What a run shows: progress while it lasts, the matrix of area and mode, every failure with its replay command."""

from __future__ import annotations

import json
import shlex
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from qzmq_conformance.case import MODES, Case, Outcome
from qzmq_conformance.results import printable
from qzmq_conformance.target import REFERENCE
from qzmq_conformance.trace import Entry
from qzmq_conformance.verdict import Verdict
from qzmq_ref.spec.tables import requirements

OCTETS = 1 << 14
"""How many octets of one message are written down."""

Matrix = Mapping[tuple[str, str], tuple[int, int]]
"""(area, mode) -> cases passed, cases played."""


def matrix(outcomes: Sequence[Outcome]) -> Matrix:
    """How many cases of each area and mode there were, and how many passed."""
    played = Counter((outcome.case.area, outcome.case.mode) for outcome in outcomes)
    passed = Counter((outcome.case.area, outcome.case.mode) for outcome in outcomes if outcome.passed)
    return {cell: (passed[cell], count) for cell, count in played.items()}


def show(verdict: Verdict, seconds: float, command: Sequence[str], console: Console) -> None:
    """Prints the new failures of the target that `command` starts, then the matrix, then what it comes to."""
    for outcome in verdict.failed:
        show_failure(outcome, command, console)
    cells = matrix(verdict.played)
    modes = [mode for mode in MODES if any(mode == column for _, column in cells)]
    table = Table("area", *modes)
    for area in dict.fromkeys(area for area, _ in cells):
        table.add_row(area, *(_cell(cells.get((area, mode))) for mode in modes))
    console.print(table)
    for line in verdict.lines():
        console.print(printable(line), highlight=False, markup=False)
    console.print(f"{len(verdict.played)} cases, {len(verdict.failed)} failed, {seconds:.0f} s", highlight=False)


def show_transcripts(outcomes: Sequence[Outcome], console: Console) -> None:
    """Every message of every case, decoded."""
    for outcome in outcomes:
        console.print(f"[bold]{outcome.case.id}[/bold]", highlight=False)
        for line in outcome.transcript():
            console.print(f"  {line}", highlight=False, markup=False)


def show_failure(outcome: Outcome, command: Sequence[str], console: Console) -> None:
    """What was expected, what was seen, and how to see it again."""
    console.print(f"[red]FAILED[/red] {outcome.case.id}", highlight=False)
    for label, text in (
        ("expected", "\n".join([outcome.expected, *outcome.case.sentences])),
        ("seen", outcome.seen),
        ("replay", replay(outcome.case, command)),
    ):
        first, *more = printable(text).split("\n")
        console.print(f"  {label:9} {first}", highlight=False, markup=False)
        for line in more:
            console.print(f"            {line}", highlight=False, markup=False)


def replay(case: Case, command: Sequence[str]) -> str:
    """What to type to see the case again."""
    target = [] if tuple(command) == REFERENCE else ["--adapter", shlex.join(command)]
    return shlex.join(["qzmq", "conform", *target, "--case", case.id, "--trace"])


def to_json(
    outcomes: Sequence[Outcome],
    seconds: float,
    target: Mapping[str, Any],
    command: Sequence[str],
    *,
    transcripts: bool = False,
) -> dict[str, Any]:
    """The run as plain data: what the target says of itself, the sums, the matrix, every case, and the rules meant.

    `transcripts` are those of the cases that passed; the others have theirs anyway.
    """
    return {
        "target": dict(target),
        "seconds": round(seconds, 1),
        "cases": len(outcomes),
        "failed": sum(not outcome.passed for outcome in outcomes),
        "matrix": [
            {"area": area, "mode": mode, "passed": passed, "cases": count}
            for (area, mode), (passed, count) in matrix(outcomes).items()
        ],
        "results": [_result(outcome, command, transcripts) for outcome in outcomes],
        "requirements": {rule.id: {"page": rule.page, "text": rule.text} for rule in requirements().values()},
    }


def write_json(path: str, document: Mapping[str, Any]) -> None:
    """Writes `document` to a file, or to standard output if `path` is `-`."""
    text = json.dumps(document, indent=1) + "\n"
    if path == "-":
        sys.stdout.write(text)
    else:
        Path(path).write_text(text, encoding="utf-8")


def _result(outcome: Outcome, command: Sequence[str], transcripts: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "id": outcome.case.id,
        "requirements": list(outcome.case.requirements),
        "alert": outcome.case.alert,
        "passed": outcome.passed,
        "seconds": round(outcome.seconds, 3),
        "replay": replay(outcome.case, command),
    }
    if not outcome.passed:
        result |= {"expected": outcome.expected, "seen": outcome.seen}
    if transcripts or not outcome.passed:
        result["transcript"] = [_message(entry) for entry in outcome.entries]
    return result


def _message(entry: Entry) -> dict[str, Any]:
    return {
        "sender": entry.sender,
        "size": len(entry.octets),
        "octets": entry.octets[:OCTETS].hex(),
        "decoded": list(entry.lines()),
    }


def _cell(counts: tuple[int, int] | None) -> str:
    if counts is None:
        return ""
    passed, played = counts
    return f"{passed}" if passed == played else f"[red]{passed} of {played}[/red]"
