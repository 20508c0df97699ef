"""`qzmq soak`: a million messages through a network that is cut every few seconds, and what became of them."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from time import monotonic
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from qzmq_interop.network import Network
from qzmq_interop.soak.plan import Outcome, Plan
from qzmq_interop.soak.sides import receive, send
from qzmq_interop.spawned import spawned
from qzmq_interop.throughput.mechanisms import MECHANISMS

COMPARED = ("NULL", "QZMQ")
PATIENCE = 60.0
"""Seconds without a word from a process after which the run has failed."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run under both mechanisms. Returns 0, or 1 if QZMQ repeated, damaged or reordered a message."""
    options = _parser().parse_args(arguments)
    plan = Plan(options.messages, options.size, options.rate, options.cut_every, step_records=options.step_records)
    with Progress(console=Console(stderr=True)) as progress:
        outcomes = [run(mechanism, plan, _shown(progress, mechanism, plan)) for mechanism in COMPARED]
    _show(outcomes, Console() if sys.stdout.isatty() else Console(width=120))
    if options.json:
        found = {"plan": vars(plan), "outcomes": [outcome.as_json() for outcome in outcomes]}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(not all(outcome.faultless for outcome in outcomes))


def run(mechanism: str, plan: Plan, progress: Callable[[int], object] = lambda _: None) -> Outcome:
    """One run under one mechanism. TimeoutError if a process falls silent."""
    keys = MECHANISMS[mechanism].keys()
    began = monotonic()
    with (
        spawned(receive, mechanism, keys, plan) as receiver,
        spawned(send, mechanism, keys, plan) as sender,
        Network(_hear(receiver)) as network,
    ):
        sender.send(network.endpoint)
        cuts = _cut_until_done(network, sender, plan, progress)
        receiver.send("all sent")
        received = _hear(receiver)
        sender.send("enough")
    return Outcome(mechanism, plan.messages, cuts, monotonic() - began, received)


def _cut_until_done(network: Network, sender: Connection, plan: Plan, progress: Callable[[int], object]) -> int:
    """Cut on time, whatever the sender is at just then; how often."""
    cuts, next_cut, heard = 0, monotonic() + plan.cut_every, monotonic()
    while monotonic() - heard < PATIENCE:
        if not sender.poll(max(0.0, next_cut - monotonic())):
            cuts += network.cut()
            next_cut += plan.cut_every
        elif (word := sender.recv()) == "done":
            progress(plan.messages)
            return cuts
        else:
            progress(word)
            heard = monotonic()
    raise TimeoutError("the sender of the soak run fell silent")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq soak", description=__doc__)
    plan = Plan()
    parser.add_argument("--messages", type=int, default=plan.messages, help=f"how many (default {plan.messages:,})")
    parser.add_argument("--size", type=int, default=plan.size, help=f"octets of each (default {plan.size})")
    parser.add_argument("--rate", type=int, default=plan.rate, help=f"per second, 0: no limit (default {plan.rate:,})")
    parser.add_argument("--cut-every", type=float, default=plan.cut_every, help=f"seconds (default {plan.cut_every})")
    parser.add_argument("--step-records", type=int, default=plan.step_records, help="records of a key (default 1,000)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    return parser


def _hear(process: Connection) -> Any:
    if not process.poll(PATIENCE):
        raise TimeoutError("a process of the soak run fell silent")
    return process.recv()


def _shown(progress: Progress, mechanism: str, plan: Plan) -> Callable[[int], object]:
    task = progress.add_task(mechanism, total=plan.messages)
    return lambda done: progress.update(task, completed=done)


def _show(outcomes: Sequence[Outcome], console: Console) -> None:
    table = Table(box=box.MARKDOWN)
    for heading in ("", "sent", "cuts", "lost", "per cut", "repeated", "damaged", "disordered", "steps", "generations"):
        table.add_column(heading, justify="right")
    for each in outcomes:
        seen = each.received
        counts = (each.lost, round(each.lost_per_cut), seen.repeated, seen.damaged, seen.disordered)
        figures = (each.sent, each.cuts, *counts, seen.steps, seen.generations)
        table.add_row(each.mechanism, *(f"{figure:,}" for figure in figures))
    console.print(table)
