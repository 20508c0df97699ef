"""Who is measured: a mechanism, the program that implements either end, and the environment of both."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qzmq_interop.throughput.mechanisms import CURVE, MECHANISMS, NULL, Mechanism
from qzmq_interop.throughput.side import Role


@dataclass(frozen=True)
class Program:
    """Another implementation: a command that speaks the side protocol (interop/README.md) on its standard streams."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Contestant:
    """One column of a table. An end without a program is the reference, in Python."""

    name: str
    mechanism: Mechanism
    server: Program | None = None
    client: Program | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def program(self, role: Role) -> Program | None:
        """What implements this end, None for the reference."""
        return self.server if role == "server" else self.client


def plain(mechanisms: Sequence[Mechanism]) -> list[Contestant]:
    """The reference at both ends, one contestant per mechanism."""
    return [Contestant(mechanism.name, mechanism) for mechanism in mechanisms]


COMPARED = plain([NULL, CURVE])
"""What QZMQ is held against, in every section."""

EVERY = plain(list(MECHANISMS.values()))
