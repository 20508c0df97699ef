"""Handshakes with one server take turns, so that a crowd of clients gets through instead of timing out together."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.bridge.gate import ROOM, Gate, Turn
from qzmq_ref.bridge.loop import Timer

CROWD = 3 * ROOM


class Crowd:
    """Turns at one gate, by number, and which of them have begun; those from `brief` on end as soon as they begin."""

    def __init__(self, size: int, brief: int | None = None) -> None:
        self.begun: list[int] = []
        self.timers: list[Timer] = []
        self._brief = size if brief is None else brief
        gate = Gate(self._later)
        self.turns = [Turn(gate, partial(self._begin, number)) for number in range(size)]
        for turn in self.turns:
            turn.start()

    def _begin(self, number: int) -> None:
        self.begun.append(number)
        if number >= self._brief:
            self.turns[number].end()

    def _later(self, _delay: float, action: Callable[[], None]) -> Timer:
        self.timers.append(Timer(action))
        return self.timers[-1]


@given(st.lists(st.integers(0, CROWD - 1), max_size=2 * CROWD))
def test_turns_begin_in_order_and_room_by_room(ends: list[int]) -> None:
    """Whoever ends, begun or not, once or twice: ROOM at most are inside, and nobody waits while there is room."""
    crowd, over, given_up = Crowd(CROWD), set[int](), set[int]()
    for number in [*ends, *range(CROWD)]:
        if number not in crowd.begun:
            given_up.add(number)
        over.add(number)
        crowd.turns[number].end()
        assert crowd.begun == [n for n in range(CROWD) if n not in given_up][: len(crowd.begun)]
        assert len(set(crowd.begun) - over) == min(ROOM, CROWD - len(over))


@pytest.mark.parametrize("brief", [0, ROOM])
def test_turns_that_end_at_once_do_not_nest(brief: int) -> None:
    """As connects do to a path where nobody listens, in a gate that is open or not."""
    crowd = Crowd(2000, brief)
    for turn in crowd.turns[:ROOM]:
        turn.end()
    assert crowd.begun == list(range(2000))


def test_who_waits_too_long_counts_no_more() -> None:
    """A server that never answers holds up nobody for ever."""
    crowd = Crowd(2 * ROOM)
    assert crowd.begun == list(range(ROOM))
    for timer in crowd.timers[:ROOM]:
        assert timer.action is not None
        timer.action()
    assert crowd.begun == list(range(2 * ROOM))
