"""A run as plain data, for programs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qzmq_conformance.capabilities import to_json as claims
from qzmq_interop.matrix.show import replay
from qzmq_interop.matrix.summary import Summary
from qzmq_interop.matrix.verdicts import Outcome, Verdict


def to_json(summary: Summary, depth: str, named: Iterable[str]) -> dict[str, Any]:
    """Who took part, the sums, every cell; of one that did not pass also what was seen."""
    who: dict[str, Any] = {
        name: {**each.more, "capabilities": claims(each.capabilities)} for name, each in summary.plan.described.items()
    }
    who |= {name: {"not_run": reason} for name, reason in summary.plan.reasons.items()}
    return {
        "implementations": who,
        "depth": depth,
        "seconds": round(summary.seconds, 1),
        "sums": {verdict.value: summary.sums.get(verdict, 0) for verdict in Verdict},
        "cells": [_cell(outcome, tuple(named)) for outcome in summary.outcomes],
    }


def _cell(outcome: Outcome, named: tuple[str, ...]) -> dict[str, Any]:
    cell = outcome.cell
    found: dict[str, Any] = {
        "id": cell.id,
        "column": cell.column,
        "server": cell.server,
        "client": cell.client,
        "patterns": list(cell.patterns),
        "server_binds": cell.server_binds,
        "verdict": outcome.verdict.value,
        "seconds": round(outcome.seconds, 3),
    }
    if outcome.verdict is not Verdict.PASSED:
        found |= {"seen": outcome.seen, "expected": outcome.expected, "null": outcome.null}
        found |= {"wire": outcome.transcript(), "replay": replay(cell, named)}
    return found
