"""Facts of the machine and of this process that a figure needs beside it."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import zmq
from cryptography.hazmat.backends.openssl.backend import backend

CRYPTO_FLAGS = ("aes", "vaes", "pclmulqdq", "vpclmulqdq", "avx2", "avx512f", "sha_ni")


def facts() -> dict[str, str]:
    """Processor, kernel, library versions and load, for the head of a report."""
    load = " ".join(f"{average:.2f}" for average in os.getloadavg())
    return {
        "processor": f"{_cpuinfo('model name')}, {os.cpu_count()} cores",
        "crypto flags": " ".join(flag for flag in CRYPTO_FLAGS if flag in _cpuinfo("flags").split()),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "zeromq": f"pyzmq {zmq.__version__}, libzmq {zmq.zmq_version()}",
        "crypto": f"cryptography {version('cryptography')}, {backend.openssl_version_text()}",
        "load before": load,
    }


def memory_of_this_process() -> dict[str, float]:
    """Proportional and resident set size in octets (Linux)."""
    rollup = dict(line.split(":", 1) for line in Path("/proc/self/smaps_rollup").read_text().splitlines()[1:])
    return {name: 1024.0 * int(rollup[name.capitalize()].split()[0]) for name in ("pss", "rss")}


def threads_of_this_process() -> int:
    """Number of threads, libzmq's included (Linux)."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())


def _cpuinfo(key: str) -> str:
    """The first value of `key` in /proc/cpuinfo, or "unknown" where there is no such file."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith(key)), "unknown")
