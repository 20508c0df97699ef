"""Let every implementation speak with every other one, and show who understands whom.

Exit status 0: all that both sides claim works, or fails without QZMQ too. 1: something does not. 2: no verdict.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from rich.console import Console

from qzmq_conformance.progress import watch
from qzmq_interop.matrix import document, junit, pages, show
from qzmq_interop.matrix.cells import Cell, cells
from qzmq_interop.matrix.implementations import implementations
from qzmq_interop.matrix.runner import plan, run
from qzmq_interop.matrix.seats import Seats
from qzmq_interop.matrix.summary import UNDRIVEN, Summary
from qzmq_interop.matrix.verdicts import Outcome, Verdict

JOBS = 8
"""Cells at a time: enough to keep two cores busy while some wait."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command with what follows `qzmq interop`; returns the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json == "-", width=None if sys.stdout.isatty() else 240)
    known = implementations(options.implementation)
    chosen = _chosen(list(cells(list(known), options.depth)), options.only)
    if not chosen:
        console.print("no cell is called so; --list prints all, and --depth full has more", markup=False)
        return UNDRIVEN
    if options.list:
        for cell in chosen:
            console.print(cell.id, highlight=False, markup=False, soft_wrap=True)
        return 0
    began = time.monotonic()
    with Seats(known) as seats:
        planned = plan(chosen, known, seats)
        ended = run(planned.cells, seats, options.jobs)
        shown = watch(ended, len(planned.cells), console, things="cells", wrong="failed", is_wrong=_is_wrong)
        outcomes = {outcome.cell.id: outcome for outcome in (*planned.settled, *shown)}
    ordered = [outcomes.pop(cell.id) for cell in chosen if cell.id in outcomes]
    summary = Summary(planned, (*ordered, *outcomes.values()), time.monotonic() - began)
    if options.trace:
        show.show_transcripts(summary.outcomes, console)
    show.show(summary, options.implementation, console)
    _write(summary, options)
    return summary.status


def _is_wrong(outcome: Outcome) -> bool:
    return outcome.verdict in (Verdict.FAILED, Verdict.UNDRIVEN)


def _chosen(found: Sequence[Cell], patterns: Sequence[str]) -> list[Cell]:
    return [cell for cell in found if not patterns or any(fnmatchcase(cell.id, pattern) for pattern in patterns)]


def _write(summary: Summary, options: argparse.Namespace) -> None:
    if options.json:
        text = json.dumps(document.to_json(summary, options.depth, options.implementation), indent=1) + "\n"
        if options.json == "-":
            sys.stdout.write(text)
        else:
            Path(options.json).write_text(text, encoding="utf-8")
    if options.junit:
        junit.write(options.junit, summary, options.implementation)
    if options.html:
        pages.write(options.html, summary, options.depth, options.implementation)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq interop", description=__doc__)
    parser.add_argument(
        "--implementation",
        metavar="NAME=COMMAND",
        action="append",
        default=[],
        help="one more, by the command of its adapter; or another command for one that is known",
    )
    parser.add_argument("--only", metavar="ID", action="append", default=[], help="these cells; * stands for anything")
    parser.add_argument(
        "--depth",
        choices=("default", "full"),
        default="default",
        help="default: any two of socket types, modes, roles and algorithms meet; full: every combination",
    )
    parser.add_argument("--list", action="store_true", help="print the cells' ids")
    parser.add_argument("--trace", action="store_true", help="print every message that the relay saw, decoded")
    parser.add_argument("--json", metavar="FILE", help="write the results; - is standard output")
    parser.add_argument("--junit", metavar="FILE", help="write them as JUnit XML")
    parser.add_argument("--html", metavar="DIR", help="write them as pages, index.html first")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"cells at a time ({JOBS})")
    return parser
