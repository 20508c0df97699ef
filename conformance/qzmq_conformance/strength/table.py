"""The seeded faults as data: what a careless implementer would write instead of a line of the reference.

`faults/*.toml` has one table a fault, named for what is wrong. Nothing of the reference is imported here, so that a
fault can be put in before anything else is loaded.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROLES = ("server", "client")


@dataclass(frozen=True)
class Fault:
    """`right` in the source of `module` becomes `wrong`, and so the reference breaks `requirement`.

    `role` is the side that is careless, "" if either may be: then the suite must notice each. `case` is one that
    notices, for a quick look; `survives` says why none does, where none can.
    """

    name: str
    requirement: str
    module: str
    right: str
    wrong: str
    role: str = ""
    case: str = ""
    survives: str = ""

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles in which the fault shows."""
        return (self.role,) if self.role else ROLES

    def put_into(self, source: str) -> str:
        """The source of the module with the fault in it; `LookupError` unless the text is there exactly once."""
        if (times := source.count(self.right)) != 1:
            raise LookupError(f"{self.name}: {self.module} has {times} times {self.right!r}: renew the fault")
        return source.replace(self.right, self.wrong)


@cache
def faults() -> Mapping[str, Fault]:
    """Every fault by its name, page after page; `ValueError` if a name stands twice."""
    found: dict[str, Fault] = {}
    for path in sorted((Path(__file__).parent / "faults").glob("*.toml")):
        for name, row in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if name in found:
                raise ValueError(f"{path.name}: fault {name} stands twice")
            found[name] = Fault(name, **row)
    return found
