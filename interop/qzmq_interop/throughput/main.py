"""`qzmq throughput`: measure, show, write."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qzmq_interop.throughput import machine, table
from qzmq_interop.throughput.mechanisms import MECHANISMS, Mechanism
from qzmq_interop.throughput.processes import MeasurementError, Pair, Sample, pair
from qzmq_interop.throughput.results import Report, Result
from qzmq_interop.throughput.scenarios import SCENARIOS, Scenario

QUICK = 0.1
"""Part of the work that --quick does."""

FORMS = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `qzmq throughput`."""
    names = [scenario.name for scenario in SCENARIOS]
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--mechanism", action="append", choices=list(MECHANISMS), help="default: all")
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians of (default 5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, 3 rounds: rough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample")
    parser.add_argument("--plot", type=_picture, metavar="FILE", help="draw the ratios; .png, .svg or .pdf")


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for. Returns 0, or 1 if a measurement failed."""
    mechanisms = [MECHANISMS[name] for name in arguments.mechanism or MECHANISMS]
    scenarios = [one for one in SCENARIOS if not arguments.scenario or one.name in arguments.scenario]
    rounds = min(arguments.rounds, 3) if arguments.quick else arguments.rounds
    facts = machine.facts()
    try:
        results = measure(_effort(scenarios, quick=arguments.quick), mechanisms, rounds, Console(stderr=True))
    except MeasurementError as error:
        print(f"measurement failed: {error}", file=sys.stderr)
        return 1
    report = Report(facts, rounds, results)
    table.show(report, Console() if sys.stdout.isatty() else Console(width=200))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    if arguments.plot:
        from qzmq_interop.throughput import plot

        plot.save(report, arguments.plot)
    return 0


def _picture(name: str) -> Path:
    """A path that can be drawn to: said before minutes of measuring, not after."""
    if Path(name).suffix not in FORMS:
        raise argparse.ArgumentTypeError(f"choose a name that ends in {', '.join(FORMS)}")
    if find_spec("matplotlib") is None:
        raise argparse.ArgumentTypeError("needs matplotlib: pip install 'qzmq-ref[throughput]'")
    return Path(name)


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point without the `qzmq` command."""
    parser = argparse.ArgumentParser(prog="qzmq throughput", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def measure(
    scenarios: Sequence[Scenario], mechanisms: Sequence[Mechanism], rounds: int, console: Console
) -> list[Result]:
    """Every scenario under every mechanism, the mechanisms of a round back to back."""
    results = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with ExitStack() as stack, Progress(*columns, console=console) as progress:
        warm = {mechanism.name: stack.enter_context(pair(mechanism)) for mechanism in mechanisms}
        turns = sum(min(rounds, scenario.most_rounds) for scenario in scenarios)
        task = progress.add_task("", total=turns * len(mechanisms))
        for scenario in scenarios:
            samples: dict[str, list[Sample]] = {mechanism.name: [] for mechanism in mechanisms}
            for mechanism in _interleaved(mechanisms, min(rounds, scenario.most_rounds)):
                progress.update(task, description=f"{scenario.title}: {mechanism.name}")
                samples[mechanism.name].append(_sample(scenario, mechanism, warm[mechanism.name]))
                progress.advance(task)
            results.append(Result(scenario, samples))
    return results


def _interleaved(mechanisms: Sequence[Mechanism], rounds: int) -> Iterator[Mechanism]:
    """The mechanisms once per round, each round starting with another one."""
    for number in range(rounds):
        first = number % len(mechanisms)
        yield from (*mechanisms[first:], *mechanisms[:first])


def _sample(scenario: Scenario, mechanism: Mechanism, warm: Pair) -> Sample:
    if not scenario.fresh:
        return warm.measure(scenario)
    with pair(mechanism) as fresh:
        return fresh.measure(scenario)


def _effort(scenarios: Sequence[Scenario], *, quick: bool) -> list[Scenario]:
    if not quick:
        return list(scenarios)
    return [replace(scenario, plan=scenario.plan.scaled(QUICK)) for scenario in scenarios]
