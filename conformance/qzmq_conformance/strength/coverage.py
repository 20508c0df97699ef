"""Which requirements the suite covers: each MUST by a case that must succeed and by one that must be refused."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qzmq_conformance.case import Case
from qzmq_conformance.strength.table import Fault
from qzmq_ref.spec.tables import requirements, tables


@dataclass(frozen=True)
class Cover:
    """What there is for one requirement: how many cases and faults, and the reason where a kind is missing."""

    requirement: str
    positive: int
    negative: int
    faults: int
    reason: str = ""

    @property
    def complete(self) -> bool:
        """Whether both kinds of case exist, or it is written why not."""
        return bool(self.positive and self.negative) or bool(self.reason)


def cover(cases: Iterable[Case], faults: Iterable[Fault]) -> tuple[Cover, ...]:
    """Every requirement with a MUST, in the order of the specification.

    A case is negative if the target must send an alert. Rows of the handshake table have no MUST of their own: HS-18
    is about all of them.
    """
    positive: Counter[str] = Counter()
    negative: Counter[str] = Counter()
    for case in cases:
        (negative if case.alert else positive).update(set(case.requirements))
    seeded = Counter(fault.requirement for fault in faults)
    rules = [name for name, rule in requirements().items() if "MUST" in rule.text]
    return tuple(Cover(name, positive[name], negative[name], seeded[name], reasons().get(name, "")) for name in rules)


@cache
def reasons() -> Mapping[str, str]:
    """Why a requirement lacks one kind of case, or both; `ValueError` if it is said twice.

    The specification says it of what no program can check, `reasons.toml` of the rest.
    """
    found = {row["Requirement"]: row["Reason"] for row in tables()["not_checked"]}
    path = Path(__file__).parent / "reasons.toml"
    for group in tomllib.loads(path.read_text(encoding="utf-8")).values():
        for name in group["requirements"]:
            if name in found:
                raise ValueError(f"{path.name}: {name} has two reasons")
            found[name] = group["reason"]
    return found
