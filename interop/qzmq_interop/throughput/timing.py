"""Loops over one piece of work in this process."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

BATCH = 8
"""Calls between two looks at the clock."""


def calls_per_s(work: Callable[[], object], seconds: float) -> float:
    """How often `work` is done in a second, by doing it for `seconds`, a few times at least."""
    count, began, elapsed = 0, perf_counter(), 0.0
    while elapsed <= seconds:
        for _ in range(BATCH):
            work()
        count += BATCH
        elapsed = perf_counter() - began
    return count / elapsed
