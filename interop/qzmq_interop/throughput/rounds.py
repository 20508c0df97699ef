"""Scenarios under contestants, in rounds: the contestants of a round back to back, each round begun by another one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qzmq_interop.throughput.contestants import Contestant, Program
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.processes import Pair, Sample, pair
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.scenarios import Scenario

QUICK = 0.1
"""Part of the work that --quick does."""


@dataclass(frozen=True)
class Effort:
    """How much is measured, and where progress is shown."""

    rounds: int = 5
    part: float = 1.0
    """Of each plan's messages, and of the time that loops in this process run for."""
    console: Console = field(default_factory=lambda: Console(stderr=True))
    peers: Sequence[Program] = ()
    """Further implementations, which the user named."""

    def scaled(self, scenarios: Sequence[Scenario]) -> list[Scenario]:
        """The same scenarios with this part of the work."""
        if self.part == 1.0:
            return list(scenarios)
        return [replace(scenario, plan=scenario.plan.scaled(self.part)) for scenario in scenarios]


@dataclass(frozen=True)
class Run:
    """What was measured, and who could not take part, with the reason."""

    results: Sequence[Result]
    not_run: Mapping[str, str]


def measure(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], effort: Effort) -> Run:
    """Every scenario with every contestant that can take part."""
    results: list[Result] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as stack, Progress(*columns, console=effort.console) as progress:
        warm, not_run = _start(contestants, stack)
        able = [contestant for contestant in contestants if contestant.name in warm]
        planned = [(scenario, min(effort.rounds, scenario.most_rounds)) for scenario in effort.scaled(scenarios)]
        task = progress.add_task("", total=sum(rounds for _, rounds in planned) * len(able))
        for scenario, rounds in planned:
            samples: dict[str, list[Sample]] = {contestant.name: [] for contestant in able}
            for contestant in interleaved(able, rounds):
                progress.update(task, description=f"{scenario.title}: {contestant.name}")
                samples[contestant.name].append(_sample(scenario, contestant, warm[contestant.name]))
                progress.advance(task)
            results.append(Result(scenario, samples))
    return Run(results, not_run)


def interleaved(contestants: Sequence[Contestant], rounds: int) -> Iterator[Contestant]:
    """The contestants once per round, each round starting with another one."""
    for number in range(rounds):
        first = number % max(1, len(contestants))
        yield from (*contestants[first:], *contestants[:first])


def _start(contestants: Sequence[Contestant], stack: ExitStack) -> tuple[dict[str, Pair], dict[str, str]]:
    """Warm processes by name, and the reasons of those that cannot be."""
    warm: dict[str, Pair] = {}
    not_run: dict[str, str] = {}
    for contestant in contestants:
        try:
            warm[contestant.name] = stack.enter_context(pair(contestant))
        except NotRun as reason:
            not_run[contestant.name] = str(reason)
    return warm, not_run


def _sample(scenario: Scenario, contestant: Contestant, warm: Pair) -> Sample:
    if not scenario.fresh:
        return warm.measure(scenario)
    with pair(contestant) as fresh:
        return fresh.measure(scenario)
