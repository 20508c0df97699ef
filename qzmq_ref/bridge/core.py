"""What everything on the bridge shares: the loop, its scratch buffers, the private directory, who is still at work."""

from __future__ import annotations

import atexit
import itertools
import os
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol
from weakref import WeakValueDictionary

from qzmq_ref.bridge.farewell import FLOOR
from qzmq_ref.bridge.gate import Gate
from qzmq_ref.bridge.loop import Loop
from qzmq_ref.bridge.observer import Observe
from qzmq_ref.handshake.configuration import KeyLog

SCRATCH = 2**20 + 2**17
"""Octets of a scratch buffer: one record of the largest size and what came before it. Untouched pages cost nothing."""

EXIT = 5.0
"""Most seconds that the end of the process waits for octets which libzmq has already handed over."""

PATIENCE = 0.1
"""Seconds between looks at the deadline while waiting for the end."""

PATH_MAX = 60


class Guest(Protocol):
    """Something at work in the loop."""

    def finish(self, deadline: float | None) -> None:
        """Come to an end: nothing new, what is under way by `deadline` (monotonic; None: as long as it takes)."""

    def abandon(self) -> None:
        """Time is up: close everything now."""


class Bridge:
    """One per Context. Started by the first bind or connect, ended by `Context.term` or with the process."""

    def __init__(self) -> None:
        self.loop = Loop()
        self._gates: WeakValueDictionary[str, Gate] = WeakValueDictionary()
        self.plain = memoryview(bytearray(SCRATCH))
        self.sealed = memoryview(bytearray(SCRATCH))
        self.resolver = ThreadPoolExecutor(2, thread_name_prefix="qzmq-resolver")
        self._directory = _private_directory()
        self._names = itertools.count()
        self._guests: set[Guest] = set()
        self._process = os.getpid()
        self._empty = threading.Event()
        self._finishing = False
        self._deadline: float | None = None
        atexit.register(self._at_exit)
        self.loop.start()

    @property
    def guests(self) -> int:
        """How many listeners, connectors, handshakes, sessions and farewells there are."""
        return len(self._guests)

    def private_path(self) -> str:
        """A fresh path for a unix socket that only this user can reach."""
        return str(self._directory / str(next(self._names)))

    def gate(self, server: str) -> Gate:
        """The gate of this server's clients; it lasts as long as somebody uses it."""
        return self._gates.setdefault(server, Gate(self.loop.later))

    def enter(self, guest: Guest) -> None:
        """Keep the bridge open for this guest. One that comes during the end is told so as soon as it has begun."""
        self._guests.add(guest)
        if self._finishing:
            self.loop.call(lambda: guest.finish(self._deadline))

    def leave(self, guest: Guest) -> None:
        """The guest has ended; nothing happens if it had left before."""
        self._guests.discard(guest)
        if self._finishing and not self._guests:
            self._empty.set()

    def close(self, linger: float | None) -> None:
        """End every session when it has nothing more to carry, within `linger` seconds (None: as long as it takes)."""
        atexit.unregister(self._at_exit)
        if os.getpid() != self._process:
            return
        if self.loop.alive():
            self._drain(None if linger is None else max(linger, FLOOR))
            self.loop.run(self._abandon)
            self.loop.stop()
        self.resolver.shutdown(wait=False, cancel_futures=True)
        shutil.rmtree(self._directory, ignore_errors=True)

    def _drain(self, seconds: float | None) -> None:
        self._deadline = None if seconds is None else time.monotonic() + seconds
        self.loop.call(self._finish)
        while not self._empty.wait(PATIENCE if seconds is None else min(PATIENCE, seconds)):
            if not self.loop.alive() or (self._deadline is not None and time.monotonic() >= self._deadline):
                return

    def _finish(self) -> None:
        self._finishing = True
        for guest in list(self._guests):
            guest.finish(self._deadline)
        if not self._guests:
            self._empty.set()

    def _abandon(self) -> None:
        while self._guests:
            self._guests.pop().abandon()

    def _at_exit(self) -> None:
        self.close(EXIT)


class Slot:
    """The place of a Context's bridge, filled on first use; Contexts that shadow one another share it."""

    observe: Observe | None = None
    """Watches the connections of every endpoint bound or connected from now on."""

    key_log: Callable[[], KeyLog] | None = None
    """Warns, and gives where the secrets of these connections go (SEC-7)."""

    clients: Counter[str]
    """Clients that servers of this Context have admitted, by mechanism."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bridge: Bridge | None = None
        self._linger: float | None = 0.0
        self.clients = Counter()

    def bridge(self) -> Bridge:
        """The bridge, started if there is none yet."""
        with self._lock:
            if self._bridge is None:
                self._bridge = Bridge()
            return self._bridge

    def linger_for(self, seconds: float | None) -> None:
        """A socket was closed with this linger time (None: for ever): `close` gives its messages as long."""
        longest = self._linger
        self._linger = None if seconds is None or longest is None else max(longest, seconds)

    def close(self) -> None:
        """End the bridge, if there is one, within the longest linger time."""
        with self._lock:
            bridge, self._bridge = self._bridge, None
        if bridge is not None:
            bridge.close(self._linger)


def _private_directory() -> Path:
    """A 0700 directory, near enough to the root for the names in it to fit in a sockaddr_un."""
    preferred = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="qzmq-", dir=preferred if len(preferred) < PATH_MAX else "/tmp"))  # noqa: S108
