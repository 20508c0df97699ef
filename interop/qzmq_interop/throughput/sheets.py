"""What a section found: tables to read, curves to draw, figures for the JSON report."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.units import FORMATS


@dataclass(frozen=True)
class Curve:
    """One line of a chart."""

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Chart:
    """Curves over one axis, both axes logarithmic."""

    title: str
    x: str
    y: str
    curves: Sequence[Curve]
    tick: Callable[[float], str] = "{:,.0f}".format
    """How a place on the x axis is written."""


@dataclass(frozen=True)
class Sheet:
    """A table with its notes. `figures` is what the JSON report keeps of it, every sample included."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    charts: Sequence[Chart] = ()
    figures: Any = None

    def as_json(self) -> dict[str, Any]:
        """The sheet as JSON values."""
        return {
            "title": self.title,
            "headings": list(self.headings),
            "rows": [list(row) for row in self.rows],
            "notes": list(self.notes),
            "figures": self.figures,
        }


@dataclass(frozen=True)
class Ratio:
    """A column that divides one contestant's figure by another's of the same round."""

    over: str
    under: str
    heading: str = field(default="")

    def text(self, result: Result) -> str:
        """The median over the rounds; empty where either was not measured."""
        ratio = result.against(self.over, self.under)
        return "" if ratio is None else f"{ratio:.2f}"


def compared(
    title: str,
    results: Sequence[Result],
    ratios: Sequence[Ratio],
    notes: Sequence[str] = (),
    charts: Sequence[Chart] = (),
) -> Sheet:
    """A row per scenario: the median of each contestant, then the ratios."""
    names = list(dict.fromkeys(name for result in results for name in result.samples))
    shown = [ratio for ratio in ratios if {ratio.over, ratio.under} <= set(names)]
    headings = ["scenario", *names, *(ratio.heading or f"{ratio.over} / {ratio.under}" for ratio in shown)]
    rows = [
        [result.scenario.title, *(median_text(result, name) for name in names), *(each.text(result) for each in shown)]
        for result in results
    ]
    return Sheet(title, headings, rows, notes, charts, [result.as_json() for result in results])


def by_contestant(title: str, results: Sequence[Result], base: str, notes: Sequence[str] = ()) -> Sheet:
    """As `compared`, turned: a row per contestant, for a few scenarios with many of them; ratios to `base`."""
    names = list(dict.fromkeys(name for result in results for name in result.samples))
    headings, rows = [""], [[name] for name in names]
    for result in results:
        headings.append(result.scenario.title)
        for row in rows:
            row.append(median_text(result, row[0]))
        if base in result.samples:
            headings.append(f"/ {base}")
            for row in rows:
                row.append(Ratio(row[0], base).text(result))
    return Sheet(title, headings, rows, notes, figures=[result.as_json() for result in results])


def median_text(result: Result, name: str) -> str:
    """A contestant's median in the unit people read."""
    return FORMATS[result.scenario.figure](result.median(name)) if name in result.samples else "not run"


def told(not_run: Mapping[str, str]) -> list[str]:
    """Notes, loud ones, of what could not be measured."""
    return [f"NOT RUN: {name}: {reason}" for name, reason in not_run.items()]
