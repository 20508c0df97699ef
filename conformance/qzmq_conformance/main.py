"""Play every case against an implementation and report. Exit status 0: all passed, 1: not all, 2: not driven."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from rich.console import Console

from qzmq_conformance import junit, pages, report, runner
from qzmq_conformance.case import Case, Undriven
from qzmq_conformance.results import Run
from qzmq_conformance.stage import PATIENCE, Bench
from qzmq_conformance.suite import cases
from qzmq_conformance.target import REFERENCE

PASSED, FAILED, UNDRIVEN = 0, 1, 2
JOBS = 8  # cases at a time: enough to keep two cores busy while some wait for a timeout


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq conform`; returns the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json == "-", soft_wrap=True)
    chosen = _chosen(options.case)
    if not chosen:
        console.print(f"no case is called {' or '.join(options.case)}; --list prints all", markup=False)
        return UNDRIVEN
    if options.list:
        for case in chosen:
            console.print(case.id, " ".join(case.requirements), case.alert or "-", highlight=False, markup=False)
        return PASSED
    try:
        return _run(chosen, options, console)
    except Undriven as error:
        console.print(f"the target could not be driven: {error}", markup=False, highlight=False)
        return UNDRIVEN


def _run(chosen: Sequence[Case], options: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()
    with Bench(options.target, patience=options.patience) as bench:
        described = bench.target.describe()
        outcomes = report.watch(runner.run(bench, chosen, options.jobs), len(chosen), console)
        outcomes = runner.recheck(bench, outcomes)
    seconds = time.monotonic() - began
    if options.trace:
        report.show_transcripts(outcomes, console)
    report.show(outcomes, seconds, options.target, console)
    _write(report.to_json(outcomes, seconds, described, options.target), options)
    return PASSED if all(outcome.passed for outcome in outcomes) else FAILED


def _write(document: Mapping[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        report.write_json(options.json, document)
    if options.junit:
        junit.write(options.junit, Run.of(document))
    if options.html:
        pages.write(options.html, [Run.of(document)])


def _chosen(patterns: Sequence[str]) -> list[Case]:
    return [case for case in cases() if not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq conform", description=__doc__)
    parser.add_argument(
        "--case", metavar="ID", action="append", default=[], help="only this case; * stands for anything"
    )
    parser.add_argument("--trace", action="store_true", help="print every message of every case, decoded")
    parser.add_argument("--list", action="store_true", help="print the cases with their requirements and alerts")
    parser.add_argument("--json", metavar="FILE", help="write the results too; - is standard output")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--html", metavar="DIR", help="write them as pages, index.html first")
    parser.add_argument("--jobs", type=int, default=JOBS, help=f"cases at a time ({JOBS})")
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help=f"seconds the target has to answer ({PATIENCE})"
    )
    parser.add_argument(
        "--target",
        metavar="COMMAND",
        type=shlex.split,
        default=list(REFERENCE),
        help="the implementation to judge, a program that speaks the target protocol; the reference if left out",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
