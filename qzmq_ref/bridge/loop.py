"""The thread that owns every socket of one Context: readiness, timers, calls from other threads, handshake steps."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import logging
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

from qzmq_ref.bridge.poller import IN, poller

log = logging.getLogger("qzmq")

_T = TypeVar("_T")

BATCH = 64
"""Descriptors reported per turn."""

CROWD = 256
"""Timers from which on it is worth looking for cancelled ones."""

Handler = Callable[[int], None]
"""Called with the events of its descriptor."""


class Timer:
    """A call to come. `cancel` forgets it."""

    __slots__ = ("action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """The action is not called any more."""
        self.action = None


class Loop:
    """Event loop in a daemon thread. All but `call`, `run`, `ask`, `start` and `stop` is for that thread only."""

    def __init__(self) -> None:
        self._poller = poller()
        self._handlers: dict[int, Handler] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._crowded = CROWD
        self._order = itertools.count()
        self._calls: deque[Callable[[], None]] = deque()
        self._steps: deque[Callable[[], None]] = deque()
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._stepped = False
        self._running = True
        self._process = os.getpid()
        self._thread = threading.Thread(target=self._run, name="qzmq-bridge", daemon=True)
        self.watch(self._woken, IN, self._drain_wakeups)

    # ---- from any thread

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def alive(self) -> bool:
        """Whether the thread runs, in this process: a fork does not copy it."""
        return self._process == os.getpid() and self._thread.is_alive()

    def call(self, action: Callable[[], None]) -> None:
        """Have the loop call `action` soon."""
        self._calls.append(action)
        with contextlib.suppress(OSError):  # it is awake, or has ended
            self._waker.send(b"\0")

    def run(self, action: Callable[[], None]) -> None:
        """Have the loop call `action`, and wait until it did."""
        if threading.current_thread() is self._thread or not self.alive():
            return action()
        done = threading.Event()

        def act() -> None:
            try:
                action()
            finally:
                done.set()

        self.call(act)
        while not done.wait(1.0) and self.alive():
            pass
        return None

    def ask(self, question: Callable[[], _T]) -> _T:
        """Have the loop call `question`, and wait for what it returns or raises."""
        answer: Future[_T] = Future()

        def act() -> None:
            try:
                answer.set_result(question())
            except Exception as error:  # noqa: BLE001  (the asker's)
                answer.set_exception(error)

        self.run(act)
        return answer.result(0)

    def stop(self) -> None:
        """End the thread and close what the loop itself holds."""

        def end() -> None:
            self._running = False

        self.run(end)
        if self.alive():
            self._thread.join()

    # ---- in the loop

    def watch(self, sock: socket.socket | int, mask: int, handler: Handler) -> None:
        """Have `handler` called when the socket, or descriptor, is ready for `mask` (0: hung up only)."""
        fd = sock if isinstance(sock, int) else sock.fileno()
        known = fd in self._handlers
        self._handlers[fd] = handler
        (self._poller.modify if known else self._poller.register)(fd, mask)

    def unwatch(self, sock: socket.socket | int) -> None:
        """Stop watching; nothing happens if it was not watched."""
        fd = sock if isinstance(sock, int) else sock.fileno()
        if self._handlers.pop(fd, None) is not None:
            self._poller.unregister(fd)

    def close(self, sock: socket.socket) -> None:
        """Stop watching and close."""
        self.unwatch(sock)
        sock.close()

    def later(self, delay: float, action: Callable[[], None]) -> Timer:
        """Call `action` once, `delay` seconds from now."""
        if len(self._timers) >= self._crowded:  # mostly cancelled ones, if sessions come and go
            self._timers = [entry for entry in self._timers if entry[2].action is not None]
            heapq.heapify(self._timers)
            self._crowded = max(CROWD, 2 * len(self._timers))
        timer = Timer(action)
        heapq.heappush(self._timers, (time.monotonic() + delay, next(self._order), timer))
        return timer

    def step(self, action: Callable[[], None], *, begun: bool = False) -> None:
        """Call `action` when its turn comes. One step is taken per turn of the loop, so that a burst of handshakes,
        about a millisecond each, delays established sessions by one of them at a time. What has `begun` goes before
        what has not: of more handshakes than their time allows, some then succeed instead of none."""
        (self._steps.appendleft if begun else self._steps.append)(action)

    @property
    def crowded(self) -> bool:
        """Whether steps wait."""
        return bool(self._steps)

    def may_step(self) -> bool:
        """Whether the caller may take a step here and now, as this turn's: if none waits and none has been taken."""
        if self._steps or self._stepped:
            return False
        self._stepped = True
        return True

    def _run(self) -> None:
        poll, handlers = self._poller.poll, self._handlers
        while self._running:
            for fd, events in poll(self._patience() if self._steps or self._timers else None, BATCH):
                try:
                    if fd in handlers:
                        handlers[fd](events)
                except Exception:
                    log.exception("internal error in the bridge: one connection is left aside")
                    self.unwatch(fd)
            if self._timers and self._timers[0][0] <= time.monotonic():
                self._fire_timers()
            for _ in range(len(self._calls)):
                self._guard(self._calls.popleft())
            if self._steps and not self._stepped:
                self._guard(self._steps.popleft())
            self._stepped = False
        self._woken.close()
        self._waker.close()

    def _guard(self, action: Callable[[], None]) -> None:
        """A defect in one session must not end the others."""
        try:
            action()
        except Exception:
            log.exception("internal error in the bridge")

    def _patience(self) -> float | None:
        """How long to wait for events: until the next timer, not at all with steps to take."""
        if self._steps:
            return 0
        while self._timers and self._timers[0][2].action is None:
            heapq.heappop(self._timers)
        return max(0.0, self._timers[0][0] - time.monotonic()) if self._timers else None

    def _fire_timers(self) -> None:
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            timer = heapq.heappop(self._timers)[2]
            if timer.action is not None:
                self._guard(timer.action)

    def _drain_wakeups(self, _events: int) -> None:
        self._woken.recv(4096)
