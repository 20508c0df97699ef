"""Faults of the test target, each one patch of the reference: what the suite must notice."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def none() -> None:
    """The reference as it is."""


FAULTS: Mapping[str, Callable[[], None]] = {"none": none}
