"""How long the soak tests last: seconds in every run, longer where the environment variable QZMQ_SOAK says how much."""

from __future__ import annotations

import os

FACTOR = float(os.environ.get("QZMQ_SOAK", "1"))
"""How many times the work of an ordinary run; QZMQ_SOAK=20 takes some ten minutes."""


def scaled(ordinary: int, most: int | None = None) -> int:
    """That much work, times FACTOR, at least 1; says so where `most` holds it back."""
    wanted = max(1, round(ordinary * FACTOR))
    if most is not None and wanted > most:
        print(f"QZMQ_SOAK={FACTOR:g} asks for {wanted}, this test does {most} at most: {wanted - most} skipped")
    return wanted if most is None else min(wanted, most)


def timeout(ordinary: float) -> float:
    """Seconds that a test may take at this factor."""
    return ordinary * max(1.0, FACTOR)
