"""Handshakes per second by mode: without a network, by side; then over sockets, beside NULL and CURVE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from qzmq_interop.throughput import go, measures
from qzmq_interop.throughput.contestants import COMPARED, Contestant, Program
from qzmq_interop.throughput.exchange import Cost, full, public_key_seconds, resumed
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import qzmq
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import FIRST_ECHO, Scenario
from qzmq_interop.throughput.sheets import Sheet, by_contestant, median_text, told
from qzmq_interop.throughput.units import duration
from qzmq_ref.policy import Policy, mode_of

PRESETS = ("default", "balanced", "conservative", "maximum", "performance")
SECONDS = 0.5
"""Of handshakes of one kind without a network, in each round."""

RESUMED = "default, resumed"

IN_MEMORY = Scenario(
    "handshake",
    "handshake in memory",
    "seconds",
    measures.handshaking_server,
    measures.idle_client,
    Plan(messages=100, warm_up=10),
)

OVER_SOCKETS = (
    replace(FIRST_ECHO, goal=None),
    Scenario(
        "burst_100",
        "burst of 100 connections: each",
        "seconds_per_session",
        measures.sessions_server,
        measures.sessions_client,
        Plan(sessions=100, warm_up=1),
    ),
)


@dataclass
class Kind:
    """A kind of handshake, what all that were measured cost, and their public-key operations by themselves."""

    name: str
    policy: Policy
    handshake: Callable[[], Cost]
    signatures: int = 2
    costs: list[Cost] = field(default_factory=list)
    operations: list[float] = field(default_factory=list)

    def repeat(self, seconds: float) -> None:
        """Handshakes for that long, at least one; the first ever does not count."""
        if not self.costs:
            self.handshake()
        began = perf_counter()
        while perf_counter() - began < seconds or not self.costs:
            self.costs.append(self.handshake())
            self.operations.append(public_key_seconds(self.policy, signatures=self.signatures))

    @property
    def typical(self) -> Cost:
        """Medians, each by itself."""
        return Cost(
            median(cost.client for cost in self.costs),
            median(cost.server for cost in self.costs),
            round(median(cost.octets for cost in self.costs)),
        )

    @property
    def public_key(self) -> float:
        """Median processor seconds of the public-key operations."""
        return median(self.operations)

    def as_json(self) -> dict[str, Any]:
        """The kind as JSON values."""
        facts = {"name": self.name, "suite": str(self.policy.suites[0]), "count": len(self.costs)}
        return {**facts, "public_key": self.public_key, **asdict(self.typical)}


def measured(effort: Effort) -> Sequence[Sheet]:
    """Without a network, the same beside the Go peer, and over sockets."""
    return [_alone(effort), _beside_go(effort), _over_sockets(effort)]


def alone(effort: Effort) -> list[Kind]:
    """Every kind without a network, in turns: that of each preset first."""
    default = Policy.preset("default")
    presets = [(name, Policy.preset(name)) for name in PRESETS]
    kinds = [
        *(Kind(f"{name} ({mode_of(policy.suites[0])})", policy, full(policy)) for name, policy in presets),
        Kind(RESUMED, default, resumed(default), signatures=0),
        Kind("default, anonymous client", default, full(default, client_key=False), signatures=1),
    ]
    for _ in range(effort.rounds):
        for kind in kinds:
            kind.repeat(SECONDS * effort.part)
    return kinds


def _alone(effort: Effort) -> Sheet:
    kinds = alone(effort)
    headings = ["handshake", "per second", "client CPU", "server CPU", "public-key part", "octets", "beside default"]
    rows = []
    for kind in kinds:
        cost = kind.typical
        times = map(duration, (cost.client, cost.server, kind.public_key))
        ratio = cost.both / kinds[0].typical.both
        rows.append([kind.name, f"{1 / cost.both:,.0f}", *times, f"{cost.octets:,}", f"{ratio:.2f}"])
    notes = [
        "medians of processor time, both ends in one thread; the public-key part is OpenSSL's: generate, encapsulate",
        "and decapsulate, and sign and verify twice (once for an anonymous client, never when resumed)",
    ]
    return Sheet("without a network", headings, rows, notes, figures=[kind.as_json() for kind in kinds])


def _beside_go(effort: Effort) -> Sheet:
    """What each implementation needs for both sides, the programs measuring themselves."""
    notes = ["processor time of both sides for one handshake, each with a key; each program measures itself"]
    with ExitStack() as stack:
        programs: list[Program | None] = [None]
        try:
            programs.append(go.build("pure", Path(stack.enter_context(TemporaryDirectory()))))
        except NotRun as reason:
            notes += told({"Go peer": str(reason)})
        names = [program.name if program else "reference" for program in programs]
        contestants = [
            Contestant(f"{name}: {preset}", qzmq(preset, Policy.preset(preset)), program, program)
            for name, program in zip(names, programs, strict=True)
            for preset in PRESETS
        ]
        run = measure([IN_MEMORY], contestants, effort)
    [result] = run.results
    rows = [[preset, *(median_text(result, f"{name}: {preset}") for name in names)] for preset in PRESETS]
    notes += told(run.not_run)
    return Sheet("without a network, by implementation", ["handshake", *names], rows, notes, figures=result.as_json())


def _over_sockets(effort: Effort) -> Sheet:
    named = [(name, replace(Policy.preset(name), tickets=0)) for name in PRESETS]
    named.append((RESUMED, Policy.preset("default")))
    contestants = [*COMPARED, *(Contestant(name, qzmq(name, policy)) for name, policy in named)]
    run = measure(OVER_SOCKETS, contestants, effort)
    notes = [
        "a new socket each time; with tickets a Context's second client of a server resumes, CURVE has no such thing"
    ]
    return by_contestant("over sockets", run.results, "CURVE", [*notes, *told(run.not_run)])
