"""What a case is: a stable id, the rules it covers, the alert it must provoke, and a script that plays it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from qzmq_conformance.failure import Failed, Undriven, Unsupported
from qzmq_conformance.stage import Stage
from qzmq_conformance.trace import Entry
from qzmq_ref.spec.tables import requirements

__all__ = ["MODES", "Case", "Failed", "Family", "Outcome", "Undriven", "Unsupported", "once"]

MODES = ("hybrid", "pq_only", "classical")


@dataclass(frozen=True)
class Case:
    """One scripted connection with the target.

    `id` is AREA/MODE/..., stable between runs and versions. `alert` is the AlertDescription that the target must
    send, in lower case, or "" if the case must succeed. `play` raises `Failed`. `waits` is about how many seconds the
    case sits out, if it does little else: the runner then plays it beside the others. `deep` cases are long, or
    much like others, and only played when they are asked for.
    """

    id: str
    requirements: tuple[str, ...]
    play: Callable[[Stage], None] = field(repr=False, compare=False)
    alert: str = ""
    waits: float = 0.0
    deep: bool = False

    @property
    def area(self) -> str:
        """The part of the protocol the case is about: a row of the matrix."""
        return self.id.split("/")[0]

    @property
    def mode(self) -> str:
        """The mode the case runs in: a column of the matrix."""
        return self.id.split("/")[1]

    @property
    def sentences(self) -> list[str]:
        """What the specification says of it, with page and ID."""
        rules = (requirements()[name] for name in self.requirements)
        return [f"{rule.page}.md {rule.id}: {rule.text}" for rule in rules]


@dataclass(frozen=True)
class Outcome:
    """Verdict on one case. `seen` is empty if it passed; `token` is what must not have reached the application.

    `unsupported` is what the target lacks, if the case was not run for that.
    """

    case: Case
    seconds: float
    token: bytes
    seen: str = ""
    expected: str = ""
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    unsupported: str = ""

    @property
    def passed(self) -> bool:
        """Whether the target did what the case expected."""
        return not self.seen and not self.unsupported

    def transcript(self) -> list[str]:
        """Every message of the case, decoded, in lines."""
        return [line for entry in self.entries for line in entry.lines()]


Family = Callable[[], Iterator[Case]]


def once(cases_of: Callable[[str], Iterable[Case]]) -> Iterator[Case]:
    """The cases of a mode on which no suite has any bearing: those of one mode, and with depth those of the others."""
    first, *others = MODES
    yield from cases_of(first)
    for mode in others:
        yield from (replace(case, deep=True) for case in cases_of(mode))
