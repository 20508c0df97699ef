"""The cells of a run: who with whom, over which sockets, and what is played."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal

from qzmq_conformance.capabilities import Capabilities, needs, suites
from qzmq_conformance.case import MODES
from qzmq_conformance.keys import policy
from qzmq_conformance.patterns import legal_pairs
from qzmq_conformance.security import Security
from qzmq_interop.matrix.covering import Row, pairwise
from qzmq_interop.matrix.scenario import PLAIN, Scenario
from qzmq_interop.matrix.scenarios import SCENARIOS
from qzmq_ref.policy import Policy, mode_of
from qzmq_ref.registries import CipherSuite

Depth = Literal["default", "full"]
NULL = "NULL"
PRIMITIVES = "primitives"
DEALERS = ("DEALER", "DEALER")
OF_SUITES = (DEALERS, ("STREAM", "STREAM"))
"""One pair of sockets for each binding."""


@dataclass(frozen=True)
class Cell:
    """`server` and `client` name implementations; over NULL `server` is just the one that binds.

    `patterns` are the server's and the client's. `suite` is None for that of the mode's preset.
    """

    area: str
    mode: str
    server: str
    client: str
    patterns: tuple[str, str]
    server_binds: bool
    scenario: Scenario = PLAIN
    suite: CipherSuite | None = None

    @property
    def id(self) -> str:
        """AREA/MODE/SERVER+CLIENT/..., stable between runs."""
        parts = [self.area, self.mode, f"{self.server}+{self.client}", self.scenario.name]
        parts.append(str(self.suite).lower().replace("/", "-") if self.suite else "")
        if self.scenario is PLAIN and any(self.patterns):
            parts.append("-".join(self.patterns))
        if self.mode != NULL:
            parts.append("server-binds" if self.server_binds else "client-binds")
        return "/".join(filter(None, parts))

    @property
    def column(self) -> str:
        """Where it stands in the matrix."""
        return self.scenario.column or (f"patterns {self.mode}" if self.area == "patterns" else self.area)

    @property
    def policy(self) -> Policy:
        """The server's."""
        chosen = Policy((self.suite,), mode=self.mode) if self.suite else policy(self.mode)
        return replace(chosen, **self.scenario.change)

    @property
    def securities(self) -> tuple[Security | None, Security | None]:
        """The server's and the client's."""
        return (None, None) if self.mode == NULL else self.scenario.secure(self.policy)

    def lacks(self, server: Capabilities, client: Capabilities) -> str:
        """What of it the implementations, which claim this, do not have; empty if nothing."""
        if self.area == PRIMITIVES:
            return ""
        claims = ((self.server, server), (self.client, client))
        lacking: dict[str, None] = {}
        for (name, claimed), pattern, security in zip(claims, self.patterns, self.securities, strict=True):
            for each in sorted((needs(pattern, security) | self.scenario.features) - claimed):
                lacking[f"{name}: {each}"] = None
        return ", ".join(lacking)


def cells(names: Sequence[str], depth: Depth) -> Iterator[Cell]:
    """Every cell of every two of these implementations, each of them as server too."""
    for server, client in product(names, repeat=2):
        yield from (Cell("null", NULL, server, client, pair, True) for pair in legal_pairs())
        yield from _patterns(server, client, depth)
        yield from _suites(server, client, depth)
        yield from _scenarios(server, client, depth)
    yield from (Cell(PRIMITIVES, NULL, name, name, ("", ""), True) for name in names)


def _patterns(server: str, client: str, depth: Depth) -> Iterator[Cell]:
    for pair, mode, binds in _chosen(list(product(legal_pairs(), MODES, (True, False))), depth):
        yield Cell("patterns", mode, server, client, pair, binds)


def _suites(server: str, client: str, depth: Depth) -> Iterator[Cell]:
    """What is in a suite counts by itself: any two algorithms, bindings or directions meet."""
    rows = [
        (suite.kem, suite.sig, suite.aead, suite.hash, pair, binds)
        for suite, pair, binds in product(suites(), OF_SUITES, (True, False))
    ]
    for *parts, pair, binds in _chosen(rows, depth):
        suite = CipherSuite(*parts)
        yield Cell("suites", mode_of(suite) or "", server, client, pair, binds, suite=suite)


def _scenarios(server: str, client: str, depth: Depth) -> Iterator[Cell]:
    rows = [
        (number, mode, binds)
        for (number, scenario), mode in product(enumerate(SCENARIOS), MODES)
        for binds in ((True,) if scenario.server_binds else (True, False))
    ]
    for number, mode, binds in _chosen(rows, depth):
        yield Cell("features", mode, server, client, DEALERS, binds, SCENARIOS[number])


def _chosen(rows: list[Row], depth: Depth) -> list[Row]:
    return rows if depth == "full" else pairwise(rows)
