"""`qzmq throughput`: measure, show, write."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console

from qzmq_interop.throughput import machine, table
from qzmq_interop.throughput.contestants import Program, plain
from qzmq_interop.throughput.mechanisms import MECHANISMS
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.processes import MeasurementError
from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.rounds import QUICK, Effort, measure
from qzmq_interop.throughput.scenarios import SCENARIOS
from qzmq_interop.throughput.sections import SECTIONS

COMPARISON = "mechanisms"
"""The section that a run without `--section` is: the scenarios under NULL, CURVE and QZMQ."""

FORMS = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `qzmq throughput`."""
    names = [scenario.name for scenario in SCENARIOS]
    sections = "; ".join(f"{name}: {section.question}" for name, section in SECTIONS.items())
    parser.add_argument(
        "--section",
        action="append",
        choices=[COMPARISON, *SECTIONS],
        metavar="NAME",
        help=f"{COMPARISON} (default): the scenarios under each mechanism; {sections}",
    )
    parser.add_argument("--all", action="store_true", help="every section, about half an hour")
    parser.add_argument("--scenario", action="append", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--mechanism", action="append", choices=list(MECHANISMS), help="default: all")
    parser.add_argument(
        "--peer",
        action="append",
        type=_program,
        default=[],
        metavar="NAME=COMMAND",
        help="for the section implementations: a program that speaks the side protocol (interop/README.md)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds to take medians of (default 5)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, 3 rounds: rough")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every sample")
    parser.add_argument("--plot", type=_picture, metavar="FILE", help="draw ratios and curves; .png, .svg or .pdf")


def run(arguments: argparse.Namespace) -> int:
    """Measure what was asked for. Returns 0, or 1 if a measurement failed."""
    rounds = min(arguments.rounds, 3) if arguments.quick else arguments.rounds
    effort = Effort(rounds, QUICK if arguments.quick else 1.0, peers=arguments.peer)
    asked = [COMPARISON, *SECTIONS] if arguments.all else arguments.section or [COMPARISON]
    facts = machine.facts()
    try:
        results = _compare(arguments, effort) if COMPARISON in asked else []
        sheets = {name: section.measure(effort) for name, section in SECTIONS.items() if name in asked}
    except (MeasurementError, NotRun) as error:
        print(f"measurement failed: {error}", file=sys.stderr)
        return 1
    report = Report(facts, rounds, results, sheets)
    table.show(report, Console() if sys.stdout.isatty() else Console(width=240))
    if arguments.json:
        arguments.json.write_text(json.dumps(report.as_json(), indent=1) + "\n")
    if arguments.plot:
        from qzmq_interop.throughput import plot

        plot.save(report, arguments.plot)
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point without the `qzmq` command."""
    parser = argparse.ArgumentParser(prog="qzmq throughput", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(arguments))


def _compare(arguments: argparse.Namespace, effort: Effort) -> Sequence[Result]:
    """The scenarios and mechanisms asked for, both ends the reference."""
    mechanisms = [MECHANISMS[name] for name in arguments.mechanism or MECHANISMS]
    scenarios = [one for one in SCENARIOS if not arguments.scenario or one.name in arguments.scenario]
    return measure(scenarios, plain(mechanisms), effort).results


def _program(text: str) -> Program:
    """NAME=COMMAND, the command in words as a shell splits them."""
    name, separator, command = text.partition("=")
    if not (name and separator and command):
        raise argparse.ArgumentTypeError("write NAME=COMMAND, such as 'mine=./my-side --fast'")
    return Program(name, tuple(shlex.split(command)))


def _picture(name: str) -> Path:
    """A path that can be drawn to: said before minutes of measuring, not after."""
    if Path(name).suffix not in FORMS:
        raise argparse.ArgumentTypeError(f"choose a name that ends in {', '.join(FORMS)}")
    if find_spec("matplotlib") is None:
        raise argparse.ArgumentTypeError("needs matplotlib: pip install 'qzmq-ref[throughput]'")
    return Path(name)
