"""A whole run: the comparison of the mechanisms, and what the other sections found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.sheets import Chart, Sheet


@dataclass(frozen=True)
class Report:
    """Everything that is shown and written."""

    machine: Mapping[str, str]
    rounds: int
    results: Sequence[Result] = ()
    sheets: Mapping[str, Sequence[Sheet]] = field(default_factory=dict)
    """By section, in the order measured."""

    def rows(self) -> Iterator[tuple[Result, str]]:
        """Every (result, mechanism) of the comparison, in the order measured."""
        for result in self.results:
            for mechanism in result.samples:
                yield result, mechanism

    def charts(self) -> list[Chart]:
        """The curves of every section."""
        return [chart for sheets in self.sheets.values() for sheet in sheets for chart in sheet.charts]

    def as_json(self) -> dict[str, Any]:
        """The report as JSON values."""
        return {
            "machine": dict(self.machine),
            "rounds": self.rounds,
            "scenarios": [result.as_json() for result in self.results],
            "sections": {name: [sheet.as_json() for sheet in sheets] for name, sheets in self.sheets.items()},
        }
