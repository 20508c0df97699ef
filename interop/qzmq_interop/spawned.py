"""A process that does one piece of work, with a pipe to it."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

_spawn = multiprocessing.get_context("spawn")


@contextmanager
def spawned(work: Callable[..., None], *arguments: object) -> Iterator[Connection]:
    """Runs `work(*arguments, pipe)` in a process of its own; yields the other end. It has ended when the block has."""
    ours, theirs = _spawn.Pipe()
    process = _spawn.Process(target=work, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(5)
    finally:
        ours.close()
        if process.is_alive():
            process.terminate()
        process.join()
