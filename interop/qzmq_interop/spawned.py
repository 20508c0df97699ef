"""A process that does one piece of work, with a pipe to it."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection

_spawn = multiprocessing.get_context("spawn")


def piped() -> tuple[Connection, Connection]:
    """Two ends of a pipe, to be given to one process each."""
    return _spawn.Pipe()


@contextmanager
def spawned(
    work: Callable[..., None], *arguments: object, environment: Mapping[str, str] | None = None
) -> Iterator[Connection]:
    """Runs `work(*arguments, pipe)` in a process of its own; yields the other end. It has ended when the block has.

    `environment` is added to this process's own; some variables count only from a process's beginning. The pipe's end
    asks the process to end; one that does not, or whose block failed, is terminated.
    """
    ours, theirs = piped()
    process = _spawn.Process(target=work, args=(*arguments, theirs), daemon=True)
    with _environment(environment or {}):
        process.start()
    theirs.close()
    try:
        yield ours
        ours.close()
        process.join(5)
    finally:
        ours.close()
        if process.is_alive():
            process.terminate()
        process.join()


@contextmanager
def _environment(added: Mapping[str, str]) -> Iterator[None]:
    """The variables, as long as the block lasts: `multiprocessing` hands on what is set when a process starts."""
    before = {name: os.environ.get(name) for name in added}
    os.environ.update(added)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
