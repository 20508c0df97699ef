"""Play every case against an implementation and report.

Exit status 0: all that apply passed, or failed as it is known. 1: not all, or a capability got lost. 2: no verdict.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from rich.console import Console

from qzmq_conformance import junit, pages, report, runner, verdict
from qzmq_conformance.case import Case, Undriven
from qzmq_conformance.options import add_target
from qzmq_conformance.progress import watch
from qzmq_conformance.results import Run
from qzmq_conformance.stage import Bench
from qzmq_conformance.strength import main as strength
from qzmq_conformance.suite import cases

PASSED, FAILED, UNDRIVEN = 0, 1, 2
JOBS = 8  # cases at a time: enough to keep two cores busy while some wait for a timeout


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq conform`; returns the exit status."""
    if "--strength" in arguments:
        return strength.main([argument for argument in arguments if argument != "--strength"])
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json == "-", soft_wrap=True)
    chosen = _chosen(options.case, deep=options.depth)
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
        console.print(f"the adapter could not be driven: {error}", markup=False, highlight=False)
        return UNDRIVEN


def _run(chosen: Sequence[Case], options: argparse.Namespace, console: Console) -> int:
    began = time.monotonic()
    known = verdict.read_known(options.known, [case.id for case in cases()]) if options.known else ()
    with Bench(options.adapter, patience=options.patience) as bench:
        described = bench.target.description
        lost = verdict.ratchet(options.ratchet, described.capabilities) if options.ratchet else ()
        ended = runner.run(bench, chosen, options.jobs)
        shown = watch(ended, len(chosen), console, things="cases", wrong="failed", is_wrong=lambda one: bool(one.seen))
        outcomes = runner.recheck(bench, sorted(shown, key=lambda one: one.case.id))
    seconds = time.monotonic() - began
    if options.trace:
        report.show_transcripts(outcomes, console)
    judged = verdict.judge(outcomes, known, lost)
    report.show(judged, seconds, options.adapter, console)
    document = report.to_json(judged.played, seconds, described.more, options.adapter, transcripts=options.trace)
    _write(document | judged.to_json(), options)
    if not judged.played:
        raise Undriven("it claims nothing that any of these cases could use")
    return PASSED if judged.passed else FAILED


def _write(document: Mapping[str, Any], options: argparse.Namespace) -> None:
    if options.json:
        report.write_json(options.json, document)
    if options.junit:
        junit.write(options.junit, Run.of(document))
    if options.html:
        pages.write(options.html, [Run.of(document)])


def _chosen(patterns: Sequence[str], *, deep: bool) -> list[Case]:
    """The cases of these patterns, or all; a long one only by `--depth`, or by its whole id."""
    return [
        case
        for case in cases()
        if (deep or not case.deep or case.id in patterns)
        and (not patterns or any(fnmatchcase(case.id, pattern) for pattern in patterns))
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq conform", description=__doc__)
    parser.add_argument(
        "--case", metavar="ID", action="append", default=[], help="only this case; * stands for anything"
    )
    parser.add_argument(
        "--depth",
        action="store_true",
        help="the long cases too: every test vector, and in every mode what no suite changes",
    )
    parser.add_argument(
        "--strength", action="store_true", help="judge the suite itself, by seeded faults; --strength --help says more"
    )
    parser.add_argument(
        "--trace", action="store_true", help="print every message of every case, decoded; --json and --html keep it too"
    )
    parser.add_argument("--list", action="store_true", help="print the cases with their requirements and alerts")
    parser.add_argument("--json", metavar="FILE", help="write the results too; - is standard output")
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--html", metavar="DIR", help="write them as pages, index.html first")
    parser.add_argument(
        "--jobs", type=int, default=JOBS, help=f"cases at a time, and as many again of those that only wait ({JOBS})"
    )
    add_target(parser, "judge")
    parser.add_argument("--known", metavar="FILE", help="failures that are known: each must go on failing just so")
    parser.add_argument(
        "--ratchet", metavar="FILE", help="capabilities claimed so far: none may get lost; written if it is not there"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
