"""The processes of a run: two of each implementation, one for either end of a connection. One that dies is replaced."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Literal, Self

from qzmq_conformance.capabilities import Description
from qzmq_conformance.case import Undriven
from qzmq_conformance.target import Target
from qzmq_interop.matrix.implementations import Implementation

End = Literal["binder", "connector"]
LIVES = 6
"""How many processes a seat may use up."""


class Seats:
    """Context manager; leaving it ends every process."""

    def __init__(self, implementations: Mapping[str, Implementation]) -> None:
        self._implementations = implementations
        self._stack = ExitStack()
        self._lock = threading.Lock()
        self._taken: dict[tuple[str, End], Target] = {}
        self._used: Counter[tuple[str, End]] = Counter()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def describe(self, name: str) -> Description:
        """Who that implementation says it is; `Undriven` if it cannot be driven."""
        return self.get(name, "connector").description

    def get(self, name: str, end: End) -> Target:
        """The process for this end, started at first use; `Undriven` once too many have died."""
        with self._lock:
            if (seat := (name, end)) not in self._taken:
                if self._used[seat] == LIVES:
                    raise Undriven(f"{name}: {LIVES} processes of its adapter have died; no more are started")
                self._used[seat] += 1
                self._taken[seat] = self._stack.enter_context(Target(self._implementations[name].command))
            return self._taken[seat]

    def bury(self, *names: str) -> None:
        """Takes the processes of these implementations that do not answer any more off their seats."""
        with self._lock:
            suspects = {seat: target for seat, target in self._taken.items() if seat[0] in names}
        for seat, target in suspects.items():
            try:
                target.channel.answer("describe")
            except Undriven:
                with self._lock:
                    if self._taken.get(seat) is target:
                        del self._taken[seat]
