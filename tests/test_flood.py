"""The flood run: its strangers are answered as the puzzle's policy says, and established sessions keep their rate."""

import pytest

from qzmq_interop import flood


@pytest.mark.parametrize("retry", ["never", "always"])
def test_a_short_flood(retry: str) -> None:
    """PUZ-1: an established session loses nothing meanwhile."""
    seen = flood.measure(retry, attackers=2, seconds=1.0)
    assert seen.hellos > 5
    assert seen.delivered == 1.0


def test_without_strangers() -> None:
    seen = flood.measure("never", attackers=0, seconds=0.3)
    assert (seen.hellos, seen.delivered) == (0, 1.0)
