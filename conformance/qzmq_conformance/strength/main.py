"""Measure the suite: every seeded fault against the cases of its requirement, and which MUST has which cases.

Exit status 0: every fault was noticed or has a written reason and every MUST is covered, 1: not so.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from rich.console import Console

from qzmq_conformance.progress import watch
from qzmq_conformance.report import write_json
from qzmq_conformance.strength.coverage import Cover, cover
from qzmq_conformance.strength.hunt import AT_A_TIME, Verdict, hunt
from qzmq_conformance.strength.table import Fault, faults
from qzmq_conformance.suite import cases

STRONG, WEAK, NOTHING = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq conform --strength`; returns the exit status."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=options.json == "-", soft_wrap=True)
    chosen = [fault for fault in faults().values() if _is_chosen(fault, options.fault)]
    if not chosen:
        console.print(f"no fault is called {' or '.join(options.fault)}; --list prints all", markup=False)
        return NOTHING
    if options.list:
        for fault in chosen:
            console.print(fault.name, fault.requirement, fault.role or "both", highlight=False, markup=False)
        return STRONG
    began, played = time.monotonic(), [case for case in cases() if not case.deep]
    total = sum(len(fault.roles) for fault in chosen)
    ended = hunt(chosen, played, options.jobs)
    shown = watch(ended, total, console, things="faults", wrong="missed", is_wrong=lambda verdict: not verdict.own)
    verdicts = sorted(shown, key=lambda verdict: (verdict.fault.name, verdict.role))
    seconds = time.monotonic() - began
    covers = cover(played, faults().values())
    _show(verdicts, covers, seconds, console)
    if options.json:
        write_json(options.json, to_json(verdicts, covers, seconds))
    weak = [verdict for verdict in verdicts if not verdict.own and not verdict.fault.survives]
    return STRONG if not weak and all(each.complete for each in covers) else WEAK


def to_json(verdicts: Sequence[Verdict], covers: Sequence[Cover], seconds: float) -> dict[str, Any]:
    """The measurement as plain data."""
    return {
        "seconds": round(seconds, 1),
        "faults": len({verdict.fault.name for verdict in verdicts}),
        **_sums(verdicts),
        "verdicts": [_row(verdict) for verdict in verdicts],
        "requirements": [{**vars(each), "complete": each.complete} for each in covers],
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    fault = verdict.fault
    found = {"fault": fault.name, "role": verdict.role, "requirement": fault.requirement, "killed": verdict.killed}
    found |= {name: getattr(verdict, name) for name in ("own", "elsewhere", "seen", "undriven", "played")}
    return found | {"survives": fault.survives, "seconds": round(verdict.seconds, 2)}


def _sums(verdicts: Sequence[Verdict]) -> dict[str, int]:
    return {
        "versions": len(verdicts),
        "killed_by_own_case": sum(bool(verdict.own) for verdict in verdicts),
        "killed_elsewhere": sum(bool(verdict.elsewhere) for verdict in verdicts),
        "survivors": sum(not verdict.killed for verdict in verdicts),
    }


def _show(verdicts: Sequence[Verdict], covers: Sequence[Cover], seconds: float, console: Console) -> None:
    """What was not noticed as it should be, then which MUST lacks a case, then one line that sums up."""
    for verdict in verdicts:
        if not verdict.own:
            console.print(_missed(verdict), highlight=False, markup=False)
    for each in covers:
        if not each.complete:
            lacks = " and ".join(
                kind for kind, count in (("positive", each.positive), ("negative", each.negative)) if not count
            )
            console.print(f"{each.requirement} has no {lacks} case, and no reason why", highlight=False, markup=False)
    sums = _sums(verdicts)
    names, versions = len({verdict.fault.name for verdict in verdicts}), sums["versions"]
    console.print(
        f"{names} faults in {versions} versions of the reference: {sums['killed_by_own_case']} killed by a case of "
        f"their own requirement ({sums['killed_by_own_case'] / versions:.1%}), {sums['killed_elsewhere']} elsewhere, "
        f"{sums['survivors']} survive; {seconds:.0f} s",
        highlight=False,
    )


def _missed(verdict: Verdict) -> str:
    fault = verdict.fault
    how = "SURVIVES"
    if verdict.undriven:
        how = f"UNDRIVEN {verdict.undriven.splitlines()[0]}"
    elif verdict.elsewhere:
        how = f"ELSEWHERE {verdict.elsewhere}: {verdict.seen.splitlines()[0]}"
    reason = f"\n  because {fault.survives}" if fault.survives else ""
    return f"{fault.name} ({verdict.role}, {fault.requirement}) {how}{reason}"


def _is_chosen(fault: Fault, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(fault.name, pattern) or fault.requirement == pattern for pattern in patterns)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq conform --strength", description=__doc__)
    parser.add_argument(
        "--fault",
        metavar="NAME",
        action="append",
        default=[],
        help="only this fault, or those of this requirement; * stands for anything",
    )
    parser.add_argument("--list", action="store_true", help="print the faults with their requirements and roles")
    parser.add_argument("--json", metavar="FILE", help="write the verdicts too; - is standard output")
    parser.add_argument("--jobs", type=int, default=AT_A_TIME, help=f"faulty references at a time ({AT_A_TIME})")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
