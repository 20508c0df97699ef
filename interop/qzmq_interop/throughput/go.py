"""The Go peer as sides of a measurement: builds its `qzmq-bench` where there is a Go toolchain."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from qzmq_interop.throughput.contestants import Program
from qzmq_interop.throughput.outside import NotRun

MODULE = Path(__file__).parents[2] / "go"
"""The peer's module, in a checkout of this project."""

BENCH = "./cmd/qzmq-bench"
BACKENDS = ("zmq4", "libzmq")
"""What its sockets can stand on."""

PATIENCE = 300.0
"""Seconds that a build may take."""


def programs(folder: Path) -> list[Program]:
    """A program per backend, built into `folder`. Raises `NotRun` where that is not possible."""
    if not (MODULE / BENCH).is_dir():
        raise NotRun(f"{MODULE / BENCH} is not there: run from a checkout that has the Go peer")
    if shutil.which("go") is None:
        raise NotRun("there is no Go toolchain (`go`)")
    built = folder / "qzmq-bench"
    command = ["go", "build", "-o", str(built), BENCH]
    try:
        subprocess.run(command, cwd=MODULE, check=True, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.CalledProcessError as error:
        raise NotRun(f"`{' '.join(command)}` failed: {error.stderr.strip()[-400:]}") from None
    except subprocess.TimeoutExpired:
        raise NotRun(f"`{' '.join(command)}` took longer than {PATIENCE:.0f} s") from None
    return [Program(f"go/{backend}", (str(built), "side", "--backend", backend)) for backend in BACKENDS]
