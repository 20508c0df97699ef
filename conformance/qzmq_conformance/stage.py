"""What a case plays on: the target's listening endpoints, a second implementation, octets to look for, a transcript."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Self

from qzmq_conformance.capabilities import Capability
from qzmq_conformance.failure import Failed
from qzmq_conformance.security import Security
from qzmq_conformance.target import REFERENCE, Application, Target, token
from qzmq_conformance.trace import Entry

if sys.platform != "win32":
    import resource

PATIENCE = 5.0
DESCRIPTORS = 4096


class Bench:
    """The processes and endpoints that all cases share. Context manager; leaving it ends the processes.

    `target` is under test; `other`, the reference, is the libzmq peer of the pattern cases.
    `patience` is how many seconds the target may take to answer.
    """

    def __init__(
        self, target: Sequence[str] = REFERENCE, other: Sequence[str] = REFERENCE, patience: float = PATIENCE
    ) -> None:
        _allow_connections()
        self._stack = ExitStack()
        self._listening: dict[tuple[str, Security], Application] = {}
        self._lock = threading.Lock()
        self._other = other
        self.patience = patience
        self._started: Target | None = None
        self.target = self._stack.enter_context(Target(target))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    @property
    def other(self) -> Target:
        """The libzmq peer, started at first use."""
        with self._lock:
            if self._started is None:
                self._started = self._stack.enter_context(Target(self._other))
            return self._started

    def listening(self, pattern: str, security: Security) -> Application:
        """The target's one socket of this pattern and security; bound at first use. It returns what it receives."""
        with self._lock:
            key = (pattern, security)
            if key not in self._listening:
                self._listening[key] = self.target.open(pattern, bind=True, security=security, echo=True)
                return self._listening[key]
            application = self._listening[key]
        application.begin()
        return application


def _allow_connections() -> None:
    """Enough descriptors for a crowd (SEC-3), here and in the targets, which inherit the limit."""
    if sys.platform != "win32":
        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if now < DESCRIPTORS:
            allowed = DESCRIPTORS if most == resource.RLIM_INFINITY else min(most, DESCRIPTORS)
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


@dataclass(frozen=True)
class Stage:
    """One case's view of the bench.

    `token` is in all application octets that must not reach the target's application, and nowhere else.
    """

    bench: Bench
    token: bytes = field(default_factory=token)
    entries: list[Entry] = field(default_factory=list)

    @property
    def target(self) -> Target:
        """The implementation under test."""
        return self.bench.target

    def note(self, entry: Entry) -> None:
        """Adds a message to the transcript."""
        self.entries.append(entry)

    def await_reached(self, octets: bytes, within: float = 2.0) -> None:
        """`Failed` unless a message with this token reaches the target's application in time."""
        deadline = time.monotonic() + within
        while not self.target.reached(octets):
            if time.monotonic() > deadline:
                raise Failed(f"{octets.decode()} did not reach the application within {within} s", "delivery")
            time.sleep(0.005)

    def need(self, feature: str) -> None:
        """`Unsupported` unless the adapter claims that feature."""
        self.target.need(Capability("feature", feature))

    def check_unreached(self) -> None:
        """`Failed` if octets that nobody authenticated reached the target's application (REC-9)."""
        self.target.collect()
        if self.target.reached(self.token):
            raise Failed("all was as it should be", "not one octet reaches the application (REC-9)")
