"""The Go peer as sides of a measurement: builds its `qzmq-side`, once per backend, where there is a Go toolchain."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from qzmq_interop.throughput.contestants import Program
from qzmq_interop.throughput.outside import NotRun

MODULE = Path(__file__).parents[2] / "go"
"""The peer's module, in a checkout of this project."""

SIDE = "./cmd/qzmq-side"

BACKENDS: Mapping[str, str] = {"pure": "0", "libzmq": "1"}
"""What its sockets stand on, and the CGO_ENABLED that builds it."""

PATIENCE = 300.0
"""Seconds that a build may take."""


def build(backend: str, folder: Path) -> Program:
    """The program with this backend, built into `folder`. Raises `NotRun` where that is not possible."""
    if not (MODULE / SIDE).is_dir():
        raise NotRun(f"{MODULE / SIDE} is not there: run from a checkout that has the Go peer")
    if shutil.which("go") is None:
        raise NotRun("there is no Go toolchain (`go`)")
    built = folder / f"qzmq-side-{backend}"
    command = ["go", "build", "-o", str(built), SIDE]
    environment = {**os.environ, "CGO_ENABLED": BACKENDS[backend]}
    try:
        subprocess.run(
            command, cwd=MODULE, env=environment, check=True, capture_output=True, text=True, timeout=PATIENCE
        )
    except subprocess.CalledProcessError as error:
        last = " / ".join(error.stderr.strip().splitlines()[-4:])
        raise NotRun(f"`{' '.join(command)}` failed: {last}") from None
    except subprocess.TimeoutExpired:
        raise NotRun(f"`{' '.join(command)}` took longer than {PATIENCE:.0f} s") from None
    return Program(f"go/{backend}", (str(built),))
