"""What is measured, and what the project promises of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from qzmq_interop.throughput import measures
from qzmq_interop.throughput.measures import Figures, Plan
from qzmq_interop.throughput.side import Side

Measure: TypeAlias = Callable[[Side, Plan], Figures]


@dataclass(frozen=True)
class Goal:
    """Bounds on the ratio of QZMQ to CURVE."""

    at_least: float = 0.0
    at_most: float = float("inf")

    def met(self, ratio: float) -> bool:
        """Whether `ratio` keeps the promise."""
        return self.at_least <= ratio <= self.at_most

    def __str__(self) -> str:
        return f"≥ {self.at_least:.2f}" if self.at_least else f"≤ {self.at_most:.2f}"


@dataclass(frozen=True)
class Scenario:
    """A measurement, how much of it, and which of its figures is the result."""

    name: str
    title: str
    figure: str
    """The figure reported; the others go to the JSON report."""
    server: Measure
    client: Measure
    plan: Plan
    goal: Goal | None = None
    fresh: bool = False
    """Needs processes that have done nothing before."""
    most_rounds: int = 99


def _stream(name: str, title: str, plan: Plan, at_least: float) -> Scenario:
    server, client = measures.stream_server, measures.stream_client
    return Scenario(name, title, "messages_per_s", server, client, plan, Goal(at_least=at_least))


def _push_pull(size: int, label: str, messages: int, at_least: float) -> Scenario:
    plan = Plan(size=size, messages=messages, warm_up=messages // 10)
    return _stream(f"push_pull_{size}", f"PUSH/PULL, {label}", plan, at_least)


def _sessions(name: str, title: str, figure: str, plan: Plan, goal: Goal | None = None) -> Scenario:
    server, client = measures.sessions_server, measures.sessions_client
    return Scenario(name, title, figure, server, client, plan, goal, fresh=True, most_rounds=3)


FIRST_ECHO = Scenario(
    "first_echo",
    "connect to first echo",
    "seconds",
    measures.echo_server,
    measures.first_echo_client,
    Plan(size=64, messages=60, warm_up=10),
    Goal(at_most=1.3),
)

SCENARIOS: tuple[Scenario, ...] = (
    _push_pull(64, "64 B", 300_000, 1.0),
    _push_pull(1024, "1 KiB", 150_000, 1.0),
    _push_pull(16 << 10, "16 KiB", 20_000, 0.95),
    _push_pull(64 << 10, "64 KiB", 6_000, 0.95),
    _push_pull(1 << 20, "1 MiB", 400, 0.95),
    _stream("active_20", "20 active sessions, 1 KiB", Plan(1024, 150_000, sessions=20, warm_up=15_000), 1.3),
    Scenario(
        "req_rep_64",
        "REQ/REP round trip, 64 B",
        "seconds",
        measures.echo_server,
        measures.latency_client,
        Plan(size=64, messages=4_000, warm_up=400),
        Goal(at_most=2.2),
    ),
    FIRST_ECHO,
    _sessions("burst_200", "burst of 200 connections: each", "seconds_per_session", Plan(sessions=200)),
    _sessions(
        "burst_1000",
        "burst of 1,000 connections: each",
        "seconds_per_session",
        Plan(sessions=1000),
        Goal(at_most=1.25),
    ),
    _sessions(
        "memory",
        "memory per idle session (PSS)",
        "pss_per_session",
        Plan(sessions=400, warm_up=50, settle=0.5),
        Goal(at_most=2.0),
    ),
    _sessions("grow_100", "threads of a server of 100 sessions", "server_threads", Plan(sessions=100)),
    _sessions("grow_1000", "threads of a server of 1,000 sessions", "server_threads", Plan(sessions=1000)),
)
