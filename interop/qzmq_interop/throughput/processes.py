"""The two processes of a measurement."""

from __future__ import annotations

import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from qzmq_interop.spawned import piped, spawned
from qzmq_interop.throughput.contestants import Contestant
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import Keys
from qzmq_interop.throughput.outside import NotRun, open_program
from qzmq_interop.throughput.scenarios import Measure, Scenario
from qzmq_interop.throughput.side import PATIENCE, Role, Side, open_side


class MeasurementError(Exception):
    """A process could not measure; the message is its traceback."""


@dataclass(frozen=True)
class Sample:
    """The figures of one measurement, and the processor seconds that both processes spent on it."""

    figures: dict[str, float]
    cpu: float


@dataclass(frozen=True)
class Pair:
    """Two warm processes that speak one mechanism to each other."""

    server: Connection
    client: Connection

    def measure(self, scenario: Scenario) -> Sample:
        """Run both sides. Raises `MeasurementError` if either fails or falls silent."""
        for side, work in ((self.server, scenario.server), (self.client, scenario.client)):
            side.send((work, scenario.plan))
        figures: dict[str, float] = {}
        cpu = 0.0
        for side in (self.server, self.client):
            answer = self.hear(side, scenario.name)
            if isinstance(answer, str):
                raise MeasurementError(f"{scenario.name}: {answer}")
            figures |= answer.figures
            cpu += answer.cpu
        return Sample(figures, cpu)

    @staticmethod
    def hear(side: Connection, waiting_for: str) -> Any:
        """What a process says next."""
        if not side.poll(2 * PATIENCE):
            raise MeasurementError(f"{waiting_for}: no answer within {2 * PATIENCE:.0f} s")
        return side.recv()


@contextmanager
def pair(contestant: Contestant) -> Iterator[Pair]:
    """Start both processes; they have ended when the block has. Raises `NotRun` if either side cannot take part."""
    keys = contestant.mechanism.keys()
    links = piped()
    with (
        spawned(_serve, contestant, keys, "server", links[0], environment=contestant.environment) as server,
        spawned(_serve, contestant, keys, "client", links[1], environment=contestant.environment) as client,
    ):
        for link in links:
            link.close()
        for side in (server, client):
            if fault := Pair.hear(side, contestant.name):
                raise NotRun(fault)
        yield Pair(server, client)


def _serve(contestant: Contestant, keys: Keys, role: Role, link: Connection, orders: Connection) -> None:
    """Main loop of a process: says that it is ready, or why not, then measures until the orders end."""
    program = contestant.program(role)
    try:
        if program is not None:
            with open_program(program, contestant.mechanism, keys, role, link) as outside:
                _obey(orders, outside.measure)
        else:
            with open_side(contestant.mechanism, keys, role, link) as side:
                _obey(orders, lambda work, plan: _measure(side, work, plan))
    except NotRun as reason:
        orders.send(str(reason))


def _obey(orders: Connection, measure: Any) -> None:
    orders.send("")
    while True:
        try:
            work, plan = orders.recv()
        except EOFError:
            return
        try:
            figures, cpu = measure(work, plan)
        except Exception:  # noqa: BLE001  (whatever it is, the parent process must hear of it)
            orders.send(traceback.format_exc())
        else:
            orders.send(Sample(figures, cpu))


def _measure(side: Side, work: Measure, plan: Plan) -> tuple[dict[str, float], float]:
    """One side's figures, and the processor time it took."""
    before = sum(os.times()[:2])
    figures = dict(work(side, plan))
    return figures, sum(os.times()[:2]) - before
