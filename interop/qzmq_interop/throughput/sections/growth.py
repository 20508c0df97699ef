"""How the cost grows: with the size of messages, the number of connections, and the number of subscribers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qzmq_interop.throughput import measures
from qzmq_interop.throughput.contestants import EVERY
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import Measure, Scenario
from qzmq_interop.throughput.sheets import Chart, Curve, Ratio, Sheet, compared, told
from qzmq_interop.throughput.units import octets

SIZES = (16, 64, 256, 1024, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20)
CONNECTIONS = (1, 4, 16, 64, 256)
SUBSCRIBERS = (1, 4, 16, 64, 256)

MOST_MESSAGES, MOST_OCTETS = 100_000, 200 << 20
"""Of one sample."""


@dataclass(frozen=True)
class Axis:
    """Something that grows, and the scenario for each of its values."""

    title: str
    unit: str
    figure: str
    values: Sequence[int]
    plan: Callable[[int], Plan]
    label: Callable[[int], str]
    server: Measure
    client: Measure
    tick: Callable[[float], str] = "{:,.0f}".format

    def scenarios(self) -> list[Scenario]:
        """One per value."""
        return [
            Scenario(self.label(value), self.label(value), self.figure, self.server, self.client, self.plan(value))
            for value in self.values
        ]

    def chart(self, results: Sequence[Result]) -> Chart:
        """A curve per mechanism."""
        names = results[0].samples
        curves = [
            Curve(name, [(value, each.median(name)) for value, each in zip(self.values, results, strict=True)])
            for name in names
        ]
        return Chart(self.title, self.unit, self.figure.replace("_per_s", " per second"), curves, self.tick)


def _plan(size: int, sessions: int = 1, copies: int = 1) -> Plan:
    """As many messages as the bounds of a sample allow, when each is sent `copies` times."""
    messages = min(MOST_MESSAGES, MOST_OCTETS // size) // copies
    return Plan(size, max(messages, 8), sessions, warm_up=max(messages // 10, sessions))


AXES = (
    Axis(
        "PUSH/PULL by size",
        "size of a message",
        "octets_per_s",
        SIZES,
        _plan,
        octets,
        measures.stream_server,
        measures.stream_client,
        octets,
    ),
    Axis(
        "PUSH/PULL of 1 KiB by connections",
        "active connections",
        "messages_per_s",
        CONNECTIONS,
        lambda connections: _plan(1024, connections),
        lambda connections: f"{connections} connected",
        measures.stream_server,
        measures.stream_client,
    ),
    Axis(
        "PUB/SUB of 1 KiB by subscribers",
        "subscribers",
        "deliveries_per_s",
        SUBSCRIBERS,
        lambda subscribers: _plan(1024, subscribers, copies=subscribers),
        lambda subscribers: f"{subscribers} subscribed",
        measures.publish_server,
        measures.publish_client,
    ),
)


def measured(effort: Effort) -> Sequence[Sheet]:
    """A sheet per axis."""
    return [_grown(axis, effort) for axis in AXES]


def _grown(axis: Axis, effort: Effort) -> Sheet:
    run = measure(axis.scenarios(), EVERY, effort)
    charts = [axis.chart(run.results)] if run.results[0].samples else []
    ratios = [Ratio("QZMQ", "CURVE"), Ratio("QZMQ", "NULL")]
    return compared(axis.title, run.results, ratios, told(run.not_run), charts)
