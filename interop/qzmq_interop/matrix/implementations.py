"""Which implementations there are: the reference, those that are built in this tree, and those named by hand."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from qzmq_conformance.target import REFERENCE
from qzmq_ref.alerts import LocalError

TREE = Path(__file__).parents[2]
"""Where the adapters of this repository are built."""
ORACLE = "reference"
"""Its sockets are libzmq's: what they say over NULL is what every ZeroMQ library should say."""


@dataclass(frozen=True)
class Implementation:
    """`command` starts its adapter. `missing` says why there is none to start, and what to do about it."""

    name: str
    command: tuple[str, ...]
    missing: str = ""


def implementations(named: Iterable[str], tree: Path | None = None) -> Mapping[str, Implementation]:
    """All by name, the reference first; `named` are `NAME=COMMAND`, and may stand for one that is known."""
    found = {ORACLE: Implementation(ORACLE, REFERENCE)}
    found |= {each.name: each for each in _built(tree or TREE)}
    for text in named:
        name, equals, command = text.partition("=")
        if not equals or not name.isascii() or not name.replace("-", "").replace(".", "").isalnum() or not command:
            raise LocalError(f"--implementation {text!r} is no NAME=COMMAND, with letters, digits, - and . in NAME")
        found[name] = Implementation(name, tuple(shlex.split(command)))
    return found


def _built(tree: Path) -> Iterable[Implementation]:
    for name, folder, program, target in (
        ("go-libzmq", "go", "qzmq-adapter-libzmq", "go"),
        ("go-pure", "go", "qzmq-adapter-pure", "go"),
        ("luxfi", "go-luxfi", "qzmq-adapter-luxfi", "go-luxfi"),
    ):
        path = tree / folder / "build" / program
        yield Implementation(name, (str(path),), "" if path.exists() else _why_not(path, target))


def _why_not(path: Path, target: str) -> str:
    """Why the program is not there."""
    reason = path.parent / "why-not.txt"
    if reason.exists():
        return reason.read_text(encoding="utf-8").strip()
    if shutil.which("go") is None:
        return f"there is no Go toolchain to build it with; install one, then `make {target}`"
    return f"it is not built; `make {target}` does that"
