"""Plays the cells of a run, some at a time. What got no verdict is played once more when all is quiet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from hashlib import sha256

from qzmq_conformance.capabilities import Capabilities, Description
from qzmq_conformance.case import Undriven
from qzmq_interop.matrix import primitives
from qzmq_interop.matrix.cells import NULL, PRIMITIVES, Cell
from qzmq_interop.matrix.implementations import Implementation
from qzmq_interop.matrix.play import Player
from qzmq_interop.matrix.seats import Seats
from qzmq_interop.matrix.verdicts import Outcome, Verdict


@dataclass(frozen=True)
class Plan:
    """What is to be played, what is settled already (for the most part not to be played at all), and who takes part."""

    cells: tuple[Cell, ...]
    settled: tuple[Outcome, ...]
    described: Mapping[str, Description]
    reasons: Mapping[str, str]
    """Why an implementation does not take part, by name."""


def plan(cells: Sequence[Cell], known: Mapping[str, Implementation], seats: Seats) -> Plan:
    """Asks who is there, and what they claim."""
    described: dict[str, Description] = {}
    reasons = {name: each.missing for name, each in known.items() if each.missing}
    for name in dict.fromkeys(name for cell in cells for name in (cell.server, cell.client)):
        if name in reasons:
            continue
        try:
            described[name] = seats.describe(name)
        except Undriven as error:
            reasons[name] = f"its adapter cannot be driven: {error}"
    played = []
    settled: list[Outcome] = []
    for cell in cells:
        outcome = _left_out(cell, known, described, reasons)
        if outcome:
            settled.append(outcome)
        elif cell.area == PRIMITIVES:
            settled += primitives.outcomes(cell, described[cell.server])
        else:
            played.append(cell)
    return Plan(tuple(played), tuple(settled), described, reasons)


def _left_out(
    cell: Cell, known: Mapping[str, Implementation], described: Mapping[str, Description], reasons: Mapping[str, str]
) -> Outcome | None:
    for name in (cell.server, cell.client):
        if name in reasons:
            verdict = Verdict.ABSENT if known[name].missing else Verdict.UNDRIVEN
            return Outcome(cell, verdict, f"{name}: {reasons[name]}")
    claims: tuple[Capabilities, Capabilities] = (
        described[cell.server].capabilities,
        described[cell.client].capabilities,
    )
    lacking = cell.lacks(*claims)
    return Outcome(cell, Verdict.UNCLAIMED, lacking) if lacking else None


def run(cells: Sequence[Cell], seats: Seats, jobs: int) -> Iterator[Outcome]:
    """The outcome of every cell, as they end."""
    player = Player(seats)
    undriven: list[Cell] = []
    with ThreadPoolExecutor(jobs, thread_name_prefix="cell") as pool:
        started = [pool.submit(player.play, cell) for cell in sorted(cells, key=_mixed)]
        for ended in as_completed(started):
            outcome = ended.result()
            if outcome.verdict is Verdict.UNDRIVEN:
                undriven.append(outcome.cell)
            else:
                yield outcome
    for cell in undriven:
        yield player.play(cell)


def _mixed(cell: Cell) -> tuple[bool, bytes]:
    """NULL first, for what fails there need not be waited for long; the others so that not all wait at once."""
    return cell.mode != NULL, sha256(cell.id.encode()).digest()
