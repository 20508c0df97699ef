"""More handshakes than a side can finish in time: those begun come first."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.bridge.loop import Loop


@settings(max_examples=20)
@given(st.lists(st.booleans(), max_size=12))
def test_begun_steps_go_before_fresh_ones(begun: list[bool]) -> None:
    """SEC-2: a peer that has been spent on is not left to time out behind those that have not."""
    loop, taken = Loop(), list[int]()
    for number, flag in enumerate(begun):
        loop.step(lambda number=number: taken.append(number), begun=flag)  # type: ignore[misc]
    loop.start()
    for _ in begun:
        loop.run(lambda: None)
    loop.stop()
    fresh = [number for number, flag in enumerate(begun) if not flag]
    assert sorted(taken) == list(range(len(begun)))
    assert taken[len(begun) - len(fresh) :] == fresh


def test_a_step_at_once_is_the_only_one_of_its_turn() -> None:
    """And it does not overtake one that waits."""
    loop, seen = Loop(), list[object]()

    def behind_another() -> None:
        loop.step(lambda: seen.append("in turn"))
        seen.append(loop.may_step())

    loop.start()
    loop.run(lambda: seen.extend([loop.may_step(), loop.may_step()]))
    loop.run(behind_another)
    loop.run(lambda: seen.append(loop.may_step()))
    loop.stop()
    assert seen == [True, False, False, "in turn", True]
