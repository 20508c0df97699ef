"""What a run comes to: a matrix of who with whom, and the same thing said once where many cells say it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from qzmq_interop.matrix.runner import Plan
from qzmq_interop.matrix.verdicts import Outcome, Verdict

PASSED, FAILED, UNDRIVEN = 0, 1, 2
"""Exit status, as that of `qzmq conform`."""

Key = TypeVar("Key")

Pair = tuple[str, str]
"""The server's implementation and the client's."""


@dataclass(frozen=True)
class Group:
    """Outcomes of one pair that ended in the same way, for the same reason."""

    pair: Pair
    verdict: Verdict
    reason: str
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class Summary:
    """All outcomes of a run, played or not, in order of the cells."""

    plan: Plan
    outcomes: tuple[Outcome, ...]
    seconds: float

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The rows of the matrix: those who could be there."""
        return tuple(dict.fromkeys(_pair(outcome) for outcome in self.outcomes if self._there(outcome)))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(dict.fromkeys(outcome.cell.column for outcome in self.outcomes))

    @cached_property
    def matrix(self) -> Mapping[tuple[Pair, str], tuple[Outcome, ...]]:
        """What is in each place."""
        return _grouped(self.outcomes, lambda outcome: (_pair(outcome), outcome.cell.column))

    @cached_property
    def sums(self) -> Mapping[Verdict, int]:
        """How many cells ended how."""
        return Counter(outcome.verdict for outcome in self.outcomes)

    def groups(self, verdict: Verdict) -> list[Group]:
        """The cells that ended so, by pair and by what was seen."""
        chosen = (outcome for outcome in self.outcomes if outcome.verdict is verdict and self._there(outcome))
        return [
            Group(pair, verdict, reason, outcomes)
            for (pair, reason), outcomes in _grouped(chosen, lambda outcome: (_pair(outcome), outcome.seen)).items()
        ]

    def _there(self, outcome: Outcome) -> bool:
        """Whether both of its implementations took part."""
        return not self.plan.reasons.keys() & set(_pair(outcome))

    def counted(self, verdict: Verdict) -> Mapping[str, int]:
        """How many cells ended so, by the reason alone, most first."""
        return dict(Counter(each.seen for each in self.outcomes if each.verdict is verdict).most_common())

    @property
    def status(self) -> int:
        """0: every cell that was played passed, or met a defect of a library. 1: one failed. 2: one has no verdict."""
        if self.sums.get(Verdict.FAILED):
            return FAILED
        return UNDRIVEN if self.sums.get(Verdict.UNDRIVEN) or not self.sums.get(Verdict.PASSED) else PASSED


def _pair(outcome: Outcome) -> Pair:
    return outcome.cell.server, outcome.cell.client


def _grouped(outcomes: Iterable[Outcome], key: Callable[[Outcome], Key]) -> dict[Key, tuple[Outcome, ...]]:
    groups: dict[Key, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(key(outcome), []).append(outcome)
    return {name: tuple(group) for name, group in groups.items()}


def tally(outcomes: Sequence[Outcome]) -> Mapping[Verdict, int]:
    """How many of these ended how."""
    return Counter(outcome.verdict for outcome in outcomes)
