"""A report as a table, which is also Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich import box
from rich.console import Console
from rich.table import Table

from qzmq_interop.throughput.results import JUDGED, REFERENCE, Report, Result


def duration(seconds: float) -> str:
    """Seconds in the unit people read."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


FORMATS: Mapping[str, Callable[[float], str]] = {
    "messages_per_s": lambda value: f"{value:,.0f} /s",
    "seconds": duration,
    "seconds_per_session": duration,
    "pss_per_session": lambda value: f"{value / 1024:.1f} KiB",
    "server_threads": lambda value: f"{value:.0f}",
}


def show(report: Report, console: Console) -> None:
    """Print the machine's facts, then a row per scenario: medians, and what QZMQ is to CURVE."""
    for fact, value in report.machine.items():
        console.print(f"{fact}: {value}", highlight=False, soft_wrap=True)
    console.print(f"medians of {report.rounds} interleaved rounds, ratios to {REFERENCE} of the same round\n")
    mechanisms = list(dict.fromkeys(mechanism for _, mechanism in report.rows()))
    table = Table(box=box.MARKDOWN)
    table.add_column("scenario", no_wrap=True)
    for heading in (*mechanisms, "ratio", "range", "CPU ratio", "goal", ""):
        table.add_column(heading, justify="right", no_wrap=True)
    for result in report.results:
        medians = (FORMATS[result.scenario.figure](result.median(mechanism)) for mechanism in mechanisms)
        table.add_row(result.scenario.title, *medians, *_judged(result))
    console.print(table)


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
