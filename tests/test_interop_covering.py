"""Covering arrays: every pair of values that meets anywhere meets in the rows that are chosen, and few are."""

from __future__ import annotations

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from qzmq_interop.matrix.cells import cells
from qzmq_interop.matrix.covering import pairwise

Rows = list[tuple[int, int, int]]
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 2)), max_size=30, unique=True)


def pairs(found: Rows) -> set[tuple[tuple[int, int], ...]]:
    return {pair for row in found for pair in combinations(enumerate(row), 2)}


@given(rows)
def test_every_pair_is_covered_by_rows_that_exist(found: Rows) -> None:
    chosen = pairwise(found)
    assert pairs(chosen) == pairs(found)
    assert set(chosen) <= set(found)
    assert chosen == pairwise(found)


def test_few_rows_are_enough() -> None:
    assert len(pairwise(list(product(range(3), repeat=4)))) <= 15  # of 81; 9 is the least there can be


def test_every_cell_has_a_name_of_its_own_and_the_default_is_part_of_everything() -> None:
    default = [cell.id for cell in cells(["one", "other"], "default")]
    full = [cell.id for cell in cells(["one", "other"], "full")]
    assert len(set(full)) == len(full) > len(default)
    assert set(default) < set(full)
