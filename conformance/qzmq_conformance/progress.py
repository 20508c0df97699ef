"""The progress line of a run, whatever it consists of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

T = TypeVar("T")


def watch(
    ended: Iterable[T], total: int, console: Console, *, things: str, wrong: str, is_wrong: Callable[[T], bool]
) -> Iterator[T]:
    """Passes on what has ended, and shows how many of these `things` that is and how many of them went `wrong`."""
    columns = (TextColumn(things), BarColumn(), MofNCompleteColumn(), TextColumn(f"{{task.fields[bad]}} {wrong}"))
    bad = 0
    with Progress(*columns, TimeElapsedColumn(), console=console, refresh_per_second=4) as progress:
        task = progress.add_task("", total=total, bad=bad)
        for each in ended:
            bad += is_wrong(each)
            progress.update(task, advance=1, bad=bad)
            yield each
