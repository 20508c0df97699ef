"""Options of every command that drives an implementation."""

from __future__ import annotations

import argparse
import shlex

from qzmq_conformance.stage import PATIENCE
from qzmq_conformance.target import REFERENCE


def add_target(parser: argparse.ArgumentParser, purpose: str) -> None:
    """`--adapter` and `--patience`; `purpose` is what the implementation is driven for, as a verb."""
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help=f"seconds the target has to answer ({PATIENCE})"
    )
    parser.add_argument(
        "--adapter",
        metavar="COMMAND",
        type=shlex.split,
        default=list(REFERENCE),
        help=f"the program that drives the implementation to {purpose}; the reference's if left out",
    )
