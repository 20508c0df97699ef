"""Samples of one scenario, and what they say: medians, and ratios to CURVE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from qzmq_interop.throughput.processes import Sample
from qzmq_interop.throughput.scenarios import Scenario

REFERENCE = "CURVE"
JUDGED = "QZMQ"


@dataclass(frozen=True)
class Result:
    """All samples of one scenario: by mechanism, in the order of the rounds."""

    scenario: Scenario
    samples: Mapping[str, Sequence[Sample]]

    def values(self, mechanism: str) -> list[float]:
        """The reported figure, round by round."""
        return [sample.figures[self.scenario.figure] for sample in self.samples[mechanism]]

    def median(self, mechanism: str) -> float:
        """Median of the reported figure over the rounds."""
        return median(self.values(mechanism))

    def ratios(self, mechanism: str) -> list[float]:
        """The figure over CURVE's of the same round, so that slow minutes of the machine cancel out."""
        return _quotients(self.values(mechanism), self.values(REFERENCE))

    def ratio(self, mechanism: str) -> float | None:
        """Median of `ratios`; None if CURVE was not measured."""
        return self.against(mechanism, REFERENCE)

    def against(self, mechanism: str, other: str) -> float | None:
        """Median over the rounds of one figure over the other's of the same round; None where one is missing."""
        if not {mechanism, other} <= set(self.samples):
            return None
        return median(_quotients(self.values(mechanism), self.values(other)))

    def cpu_ratio(self, mechanism: str) -> float | None:
        """Processor time of both processes over CURVE's; less disturbed by other load than the figure is."""
        if REFERENCE not in self.samples:
            return None
        ours, theirs = ([sample.cpu for sample in self.samples[name]] for name in (mechanism, REFERENCE))
        return median(_quotients(ours, theirs))

    def verdict(self, mechanism: str) -> bool | None:
        """Whether the goal is met; None where there is none for this mechanism."""
        ratio = self.ratio(mechanism)
        goal = self.scenario.goal
        return None if goal is None or ratio is None or mechanism != JUDGED else goal.met(ratio)

    def as_json(self) -> dict[str, Any]:
        """The result as JSON values, every sample included."""
        plan = asdict(self.scenario.plan)
        goal = self.scenario.goal and str(self.scenario.goal)
        return {
            "name": self.scenario.name,
            "title": self.scenario.title,
            "figure": self.scenario.figure,
            "plan": plan,
            "goal": goal,
            "mechanisms": {mechanism: self._mechanism_as_json(mechanism) for mechanism in self.samples},
        }

    def _mechanism_as_json(self, mechanism: str) -> dict[str, Any]:
        return {
            "median": self.median(mechanism),
            "ratio": self.ratio(mechanism),
            "cpu_ratio": self.cpu_ratio(mechanism),
            "goal_met": self.verdict(mechanism),
            "samples": [{**sample.figures, "cpu_s": sample.cpu} for sample in self.samples[mechanism]],
        }


def _quotients(numerators: Sequence[float], denominators: Sequence[float]) -> list[float]:
    """Pairwise quotients; a processor time too short to be seen counts as one clock tick."""
    return [over / (under or 0.01) for over, under in zip(numerators, denominators, strict=True)]
