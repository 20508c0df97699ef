"""The two processes of a measurement."""

from __future__ import annotations

import multiprocessing
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess

from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import Keys, Mechanism
from qzmq_interop.throughput.scenarios import Measure, Scenario
from qzmq_interop.throughput.side import PATIENCE, Role, Side, open_side

_spawn = multiprocessing.get_context("spawn")


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
            if not side.poll(2 * PATIENCE):
                raise MeasurementError(f"{scenario.name}: no answer within {2 * PATIENCE:.0f} s")
            answer = side.recv()
            if isinstance(answer, str):
                raise MeasurementError(f"{scenario.name}: {answer}")
            figures |= answer.figures
            cpu += answer.cpu
        return Sample(figures, cpu)


@contextmanager
def pair(mechanism: Mechanism) -> Iterator[Pair]:
    """Start both processes; they have ended when the block has."""
    keys = mechanism.keys()
    links = _spawn.Pipe()
    server, server_process = _start(mechanism, keys, "server", links[0])
    client, client_process = _start(mechanism, keys, "client", links[1])
    try:
        yield Pair(server, client)
    finally:
        for connection, process in ((client, client_process), (server, server_process)):
            _stop(connection, process)


def _start(mechanism: Mechanism, keys: Keys, role: Role, link: Connection) -> tuple[Connection, SpawnProcess]:
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=_serve, args=(mechanism, keys, role, link, theirs), daemon=True)
    process.start()
    link.close()
    theirs.close()
    return ours, process


def _stop(connection: Connection, process: SpawnProcess) -> None:
    """End of file asks the process to end; one that hangs is terminated."""
    connection.close()
    process.join(5)
    if process.is_alive():
        process.terminate()
        process.join()


def _serve(mechanism: Mechanism, keys: Keys, role: Role, link: Connection, orders: Connection) -> None:
    """Main loop of a process: measure what is ordered until the orders end."""
    with open_side(mechanism, keys, role, link) as side:
        while True:
            try:
                work, plan = orders.recv()
            except EOFError:
                return
            orders.send(_measure(side, work, plan))


def _measure(side: Side, work: Measure, plan: Plan) -> Sample | str:
    """One side's figures, or the traceback of what went wrong."""
    before = sum(os.times()[:2])
    try:
        figures = dict(work(side, plan))
    except Exception:  # noqa: BLE001  (whatever it is, the other process must hear of it)
        return traceback.format_exc()
    return Sample(figures, sum(os.times()[:2]) - before)
