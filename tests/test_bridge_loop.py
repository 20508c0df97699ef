"""The loop: timers, calls, steps, and that a defect of one handler stays its own."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.bridge.loop import Loop
from qzmq_ref.bridge.poller import IN
from tests.sockets import eventually


@pytest.fixture(params=["epoll", "poll"])
def loop(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    """A running loop, over either of the system's pollers."""
    if request.param == "poll":
        monkeypatch.delattr(select, "epoll")
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()
    assert not loop.alive()


@settings(max_examples=10)
@given(delays=st.lists(st.sampled_from([0.0, 0.02, 0.04]), max_size=8), cancelled=st.sets(st.integers(0, 7)))
def test_timers_fire_once_in_order_unless_cancelled(delays: list[float], cancelled: set[int]) -> None:
    loop, fired, done = Loop(), list[float](), threading.Event()
    loop.start()

    def schedule() -> None:
        timers = [loop.later(delay, lambda delay=delay: fired.append(delay)) for delay in delays]  # type: ignore[misc]
        for number in cancelled & set(range(len(timers))):
            timers[number].cancel()
        loop.later(0.06, done.set)

    loop.call(schedule)
    assert done.wait(5)
    loop.stop()
    assert fired == sorted(delay for number, delay in enumerate(delays) if number not in cancelled)


def test_calls_run_in_the_loop_and_in_order(loop: Loop) -> None:
    seen: list[tuple[int, int]] = []
    for number in range(100):
        loop.call(lambda number=number: seen.append((number, threading.get_ident())))  # type: ignore[misc]
    loop.run(lambda: None)
    assert [number for number, _ in seen] == list(range(100))
    assert {thread for _, thread in seen} != {threading.get_ident()}


def test_steps_leave_room_for_sockets(loop: Loop) -> None:
    """However many steps wait, a socket that becomes ready is served after the one at hand."""
    near, far = socket.socketpair()
    order: list[str] = []
    done = threading.Event()

    def ready(_events: int) -> None:
        order.append(f"socket {far.recv(1).decode()}")

    def step(number: int) -> None:
        order.append(f"step {number}")
        near.send(f"{number}".encode())
        if number == 4:
            loop.later(0.01, done.set)

    def begin() -> None:
        loop.watch(far, IN, ready)
        for number in range(5):
            loop.step(lambda number=number: step(number))  # type: ignore[misc]

    loop.call(begin)
    assert done.wait(5)
    assert order == [f"{what} {number}" for number in range(5) for what in ("step", "socket")]
    loop.run(lambda: loop.close(far))
    near.close()


def test_a_defect_stays_where_it_is(loop: Loop, caplog: pytest.LogCaptureFixture) -> None:
    """It is logged, its socket left aside, and everything else goes on."""
    pairs = [socket.socketpair() for _ in range(2)]
    heard: list[bytes] = []

    def fail(_events: int) -> None:
        raise RuntimeError("a defect")

    def begin() -> None:
        loop.watch(pairs[0][1], IN, fail)
        loop.watch(pairs[1][1], IN, lambda _events: heard.append(pairs[1][1].recv(16)))

    loop.run(begin)
    for near, _ in pairs:
        near.send(b"hello")
    eventually(lambda: bool(heard))
    loop.call(lambda: fail(0))
    loop.run(lambda: None)
    assert heard == [b"hello"]
    assert caplog.text.count("internal error in the bridge") == 2
    for pair in pairs:
        for each in pair:
            loop.run(lambda each=each: loop.close(each))  # type: ignore[misc]
