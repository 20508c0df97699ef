"""Make the test vectors, compare them with those of today, or check a file of them. Exit status 0: all is well."""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from qzmq_conformance.vectors import files
from qzmq_conformance.vectors.kinds import KINDS
from qzmq_ref.alerts import LocalError

SAMPLE = 8
"""Tests of each kind that `check` computes anew by default."""


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq vectors`; returns the exit status."""
    options = _parser().parse_args(arguments)
    return int(options.run(options))


def _generate(options: argparse.Namespace) -> int:
    (options.directory / "schemas").mkdir(parents=True, exist_ok=True)
    with _progress() as progress:
        written = [files.write(KINDS[kind], options.seed, options.directory, progress) for kind in _kinds(options)]
    sizes = {path.name: path.stat().st_size for path in written}
    _say(options, {"written": sizes}, [f"{name}: {size} octets" for name, size in sizes.items()])
    return 0


def _check(options: argparse.Namespace) -> int:
    sample = None if options.all else options.sample
    with _progress() as progress:
        verdicts = [
            files.check(KINDS[kind], options.seed, options.directory, sample, progress) for kind in _kinds(options)
        ]
    lines = []
    for verdict in verdicts:
        counted = f"{verdict.computed} of {verdict.tests} tests computed anew"
        lines.append(f"{verdict.kind}: {counted}, {len(verdict.differences)} differences")
        lines += [f"  {difference}" for difference in verdict.differences]
    stale = any(verdict.differences for verdict in verdicts)
    if stale:
        lines.append("`qzmq vectors generate` writes them anew")
    _say(options, {verdict.kind: asdict(verdict) for verdict in verdicts}, lines)
    return int(stale)


def _verify(options: argparse.Namespace) -> int:
    """The stand-alone consumer decides, which shares no code with the generator."""
    consumer = stand_alone(options.directory)
    report: dict[str, Any] = {}
    lines = []
    for path in options.files:
        try:
            vectors = json.loads(path.read_text(encoding="utf-8"))
            faults = dict(consumer.consume(vectors))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LocalError(f"{path} is no file of vectors ({type(error).__name__}: {error}); name one") from None
        report[str(path)] = {"tests": vectors["numberOfTests"], "faults": faults}
        lines.append(f"{path}: {vectors['numberOfTests']} tests, {len(faults)} wrong")
        lines += [f"  tcId {number}: {fault}" for number, fault in faults.items()]
    _say(options, report, lines)
    return int(any(each["faults"] for each in report.values()))


def stand_alone(directory: Path) -> ModuleType:
    """The package `consumer` beside the vectors."""
    path = directory / "consumer" / "__init__.py"
    if not path.is_file():
        raise LocalError(f"there is no {path}: name the directory of the vectors with --directory")
    spec = importlib.util.spec_from_file_location("qzmq_vectors_consumer", path)
    if spec is None or spec.loader is None:
        raise LocalError(f"{path} cannot be loaded: name another directory with --directory")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # its own modules look it up
    spec.loader.exec_module(module)
    return module


def _kinds(options: argparse.Namespace) -> Sequence[str]:
    return options.kind or tuple(KINDS)


def _say(options: argparse.Namespace, report: Mapping[str, Any], lines: Sequence[str]) -> None:
    print(json.dumps(report, indent=1) if options.json else "\n".join(lines))


@contextmanager
def _progress() -> Iterator[files.Progress]:
    """A bar for each kind, on standard error, where somebody is looking."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        tasks = {}

        def tell(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = bars.add_task(kind, total=total)
            bars.update(tasks[kind], completed=done)

        yield tell


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq vectors", description=__doc__)
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--directory", type=Path, default=files.directory(), help="where the vectors lie (%(default)s)")
    shared.add_argument("--json", action="store_true", help="print JSON")
    seeded = argparse.ArgumentParser(add_help=False, parents=[shared])
    seeded.add_argument("--seed", default=files.SEED, help="what all randomness comes from (%(default)s)")
    seeded.add_argument("--kind", action="append", choices=tuple(KINDS), help="only this kind; may be given again")
    generate = actions.add_parser("generate", parents=[seeded], help="write every file and its schema anew")
    generate.set_defaults(run=_generate)
    check = actions.add_parser("check", parents=[seeded], help="compare the files with those of today")
    check.add_argument("--sample", type=int, default=SAMPLE, help="tests of each kind to compute anew (%(default)s)")
    check.add_argument("--all", action="store_true", help="compute every test anew")
    check.set_defaults(run=_check)
    verify = actions.add_parser("verify", parents=[shared], help="check files by the stand-alone consumer")
    verify.add_argument("files", nargs="+", type=Path, metavar="FILE")
    verify.set_defaults(run=_verify)
    return parser
