"""A report as tables, which are also Markdown."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.results import JUDGED, REFERENCE, Result
from qzmq_interop.throughput.sheets import Sheet
from qzmq_interop.throughput.units import FORMATS


def show(report: Report, console: Console) -> None:
    """Print the machine's facts, a row per scenario (medians, and what QZMQ is to CURVE), then the sections' tables."""
    for fact, value in report.machine.items():
        _say(console, f"{fact}: {value}")
    _say(console, f"medians of {report.rounds} interleaved rounds, ratios to {REFERENCE} of the same round\n")
    if report.results:
        console.print(_comparison(report))
    for section, sheets in report.sheets.items():
        for sheet in sheets:
            _say(console, f"\n{section}: {sheet.title}\n")
            console.print(_table(sheet))
            for note in sheet.notes:
                _say(console, note)


def _say(console: Console, line: str) -> None:
    console.print(line, highlight=False, markup=False, soft_wrap=True)


def _comparison(report: Report) -> Table:
    mechanisms = list(dict.fromkeys(mechanism for _, mechanism in report.rows()))
    table = _markdown("scenario", *mechanisms, "ratio", "range", "CPU ratio", "goal", "")
    for result in report.results:
        medians = (FORMATS[result.scenario.figure](result.median(mechanism)) for mechanism in mechanisms)
        table.add_row(result.scenario.title, *medians, *_judged(result))
    return table


def _table(sheet: Sheet) -> Table:
    table = _markdown(*sheet.headings)
    for row in sheet.rows:
        table.add_row(*row)
    return table


def _markdown(first: str, *others: str) -> Table:
    """A table whose first column is text and whose others are figures."""
    table = Table(box=box.MARKDOWN)
    table.add_column(first, no_wrap=True)
    for heading in others:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def _judged(result: Result) -> tuple[str, ...]:
    """QZMQ's ratio to CURVE, its range over the rounds, the ratio of processor time, and the goal."""
    if JUDGED not in result.samples or REFERENCE not in result.samples:
        return ()
    ratios = result.ratios(JUDGED)
    goal = result.scenario.goal
    return (
        f"{result.ratio(JUDGED):.2f}",
        f"{min(ratios):.2f}-{max(ratios):.2f}",
        f"{result.cpu_ratio(JUDGED):.2f}",
        str(goal) if goal else "",
        {True: "met", False: "missed", None: ""}[result.verdict(JUDGED)],
    )
