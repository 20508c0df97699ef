"""Readiness of file descriptors: epoll where there is one, poll elsewhere, behind one interface."""

from __future__ import annotations

import select
from typing import Protocol

IN, OUT, HANG_UP = select.POLLIN, select.POLLOUT, select.POLLHUP  # epoll has the same numbers


class Poller(Protocol):
    """What the loop needs of either; level-triggered, HANG_UP and errors are always reported."""

    def register(self, fd: int, mask: int, /) -> object:
        """Report `mask` of this descriptor."""

    def modify(self, fd: int, mask: int, /) -> object:
        """Replace the mask."""

    def unregister(self, fd: int, /) -> object:
        """Report nothing more."""

    def poll(self, timeout: float | None, most: int, /) -> list[tuple[int, int]]:
        """Wait up to `timeout` seconds, for ever if None; at most `most` pairs of descriptor and events."""


class _Poll:
    """`select.poll`, which counts in milliseconds."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self.register = self._poll.register
        self.modify = self._poll.modify
        self.unregister = self._poll.unregister

    def poll(self, timeout: float | None, most: int, /) -> list[tuple[int, int]]:
        return self._poll.poll(None if timeout is None else timeout * 1000)[:most]


def poller() -> Poller:
    """The best the platform has. (Not `selectors`: it cannot watch a descriptor for HANG_UP alone.)"""
    return select.epoll() if hasattr(select, "epoll") else _Poll()
