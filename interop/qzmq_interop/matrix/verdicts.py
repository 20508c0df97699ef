"""How a cell ended."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from qzmq_interop.matrix.cells import Cell
from qzmq_interop.matrix.wire import Connection, brief


class Verdict(Enum):
    """The value is the word in reports."""

    PASSED = "passed"
    FAILED = "failed"
    LIBRARY = "library defect"
    UNCLAIMED = "not claimed"
    UNDRIVEN = "no verdict"
    ABSENT = "not run"


@dataclass(frozen=True)
class Outcome:
    """`seen` is what was wrong, or why there is no verdict; `null` what the same encounter does without QZMQ."""

    cell: Cell
    verdict: Verdict
    seen: str = ""
    expected: str = ""
    null: str = ""
    seconds: float = 0.0
    wire: tuple[Connection, ...] = field(default=(), repr=False)

    @property
    def on_the_wire(self) -> str:
        """The connections by the names of their messages."""
        return brief(self.wire)

    def transcript(self) -> list[str]:
        """Every message that the relay saw, decoded, in lines."""
        return [line for connection in self.wire for entry in connection.entries() for line in entry.lines()]
