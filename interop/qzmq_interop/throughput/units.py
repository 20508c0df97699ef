"""Figures in the units people read."""

from __future__ import annotations

from collections.abc import Callable, Mapping


def duration(seconds: float) -> str:
    """Seconds, in µs, ms or s."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.3g} µs" if seconds < 1e-5 else f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.2f} ms" if seconds < 1 else f"{seconds:.2f} s"


def octets(count: float) -> str:
    """A size in octets, by powers of 1,024."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024 or unit == "MiB":
            return f"{count:g} {unit}"
        count /= 1024
    raise AssertionError


def rate(octets_per_s: float) -> str:
    """Octets per second, by powers of 1,000."""
    return f"{octets_per_s / 1e9:.2f} GB/s" if octets_per_s >= 1e9 else f"{octets_per_s / 1e6:.0f} MB/s"


FORMATS: Mapping[str, Callable[[float], str]] = {
    "messages_per_s": lambda value: f"{value:,.0f} /s",
    "deliveries_per_s": lambda value: f"{value:,.0f} /s",
    "octets_per_s": rate,
    "seconds": duration,
    "seconds_per_session": duration,
    "pss_per_session": lambda value: f"{value / 1024:.1f} KiB",
    "server_threads": lambda value: f"{value:.0f}",
}
"""How each figure that a scenario may report is written."""
