"""Covering arrays: few rows in which nevertheless every two values meet that meet anywhere."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import TypeVar

Row = TypeVar("Row", bound=tuple[Hashable, ...])


def pairwise(rows: Sequence[Row]) -> list[Row]:
    """Some of these rows, so that every pair of values of two columns that is in any row is in one of them.

    Greedy: next is always the row that brings most new pairs, the first of several. The same for the same rows.
    """
    wanted = {row: set(combinations(enumerate(row), 2)) for row in rows}
    missing = set().union(*wanted.values()) if wanted else set()
    chosen: list[Row] = []
    while missing:
        best = max(wanted, key=lambda row: len(wanted[row] & missing))
        missing -= wanted.pop(best)
        chosen.append(best)
    return chosen
