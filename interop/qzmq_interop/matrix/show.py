"""A run in the terminal: progress while it lasts, what failed and why, the matrix, and what was not run."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from qzmq_conformance.results import printable
from qzmq_interop.matrix.cells import Cell
from qzmq_interop.matrix.summary import Group, Pair, Summary, tally
from qzmq_interop.matrix.verdicts import Outcome, Verdict

COLOURS = {Verdict.FAILED: "red", Verdict.UNDRIVEN: "red", Verdict.LIBRARY: "yellow", Verdict.ABSENT: "bold yellow"}
LETTERS = {Verdict.LIBRARY: "L", Verdict.UNDRIVEN: "?"}


def show(summary: Summary, named: Iterable[str], console: Console) -> None:
    """Everything. `named` are the `--implementation` options, which a replay needs too."""
    for verdict in (Verdict.LIBRARY, Verdict.UNDRIVEN, Verdict.FAILED):
        for group in summary.groups(verdict):
            _show_group(group, named, console)
    _show_matrix(summary, console)
    for name, reason in summary.plan.reasons.items():
        _say(console, f"NOT RUN: {name}: {reason}", "bold yellow")
    for lacking, count in summary.counted(Verdict.UNCLAIMED).items():
        _say(console, f"not claimed, so not run: {lacking}: {count} cells")
    sums = ", ".join(f"{summary.sums[verdict]} {verdict.value}" for verdict in Verdict if summary.sums.get(verdict))
    _say(console, f"{len(summary.outcomes)} cells: {sums}; {summary.seconds:.0f} s")


def show_transcripts(outcomes: Iterable[Outcome], console: Console) -> None:
    """Every message that the relay saw, decoded."""
    for outcome in outcomes:
        _say(console, outcome.cell.id, "bold")
        for line in outcome.transcript():
            _say(console, f"  {line}")


def replay(cell: Cell, named: Iterable[str]) -> str:
    """What to type to see the cell again."""
    if cell.column == "primitives":
        return ""
    others = [part for each in named for part in ("--implementation", each)]
    return shlex.join(["qzmq", "interop", *others, "--depth", "full", "--only", cell.id, "--trace"])


def _show_group(group: Group, named: Iterable[str], console: Console) -> None:
    first, *more = group.outcomes
    _say(console, f"{group.verdict.value.upper()} {first.cell.id}", COLOURS[group.verdict])
    told = {
        "expected": first.expected,
        "seen": first.seen,
        "wire": first.on_the_wire,
        "over NULL": first.null,
        "also": ", ".join(each.cell.id for each in more[:3]) + (f" and {len(more) - 3} more" if more[3:] else ""),
        "replay": replay(first.cell, named),
    }
    for label, text in told.items():
        for number, line in enumerate(text.split("\n") if text else ()):
            _say(console, f"  {'' if number else label:10} {line}")


def _show_matrix(summary: Summary, console: Console) -> None:
    table = Table("server", "client", title="cells that passed, by who is server and who is client", title_style="bold")
    for column in summary.columns:
        table.add_column(column, justify="right")
    for pair in summary.pairs:
        table.add_row(*pair, *(_place(summary, pair, column) for column in summary.columns))
    for name in summary.plan.reasons:
        table.add_row(name, "anyone", "NOT RUN", style="bold yellow")
    console.print(table)
    _say(console, "L: defect of a ZeroMQ library, which shows over NULL too; ?: no verdict; -: not claimed")


def _place(summary: Summary, pair: Pair, column: str) -> str:
    """`7` all passed, `5/7` not all, `5+2L` the others are a library's defects."""
    found = tally(summary.matrix.get((pair, column), ()))
    if not found.keys() - {Verdict.UNCLAIMED}:
        return "-"
    passed = found.get(Verdict.PASSED, 0)
    marks = "".join(f"+{found[verdict]}{letter}" for verdict, letter in LETTERS.items() if found.get(verdict))
    failed = found.get(Verdict.FAILED, 0)
    if failed:
        return f"[red]{passed}/{passed + failed}{marks}[/]"
    return f"[yellow]{passed}{marks}[/]" if marks else f"[green]{passed}[/]"


def _say(console: Console, text: str, style: str = "") -> None:
    console.print(printable(text), style=style or None, highlight=False, markup=False, soft_wrap=True)
