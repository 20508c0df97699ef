"""How much of it, and what came of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from qzmq_ref.policy import Limits

NUMBER = 8
"""Octets of a message's number, which its body repeats."""


@dataclass(frozen=True)
class Plan:
    """`messages` of `size` octets, `rate` of them a second (0: as fast as they go), a cut each `cut_every` seconds."""

    messages: int = 1_000_000
    size: int = 64
    rate: int = 25_000
    cut_every: float = 2.0
    record_cut: int = 1024
    """Octets of a record, so that one holds few messages."""
    step_records: int = 1000
    generation_seconds: float = 1.0

    def payload(self, number: int) -> bytes:
        """The message of that number; one octet changed, or one message's end in another, and it is no such message."""
        return number.to_bytes(NUMBER) * -(-self.size // NUMBER)

    @property
    def policy(self) -> dict[str, Any]:
        """What is changed in QZMQ's policy."""
        limits = Limits(step_records=self.step_records, generation_seconds=self.generation_seconds)
        return {"record_cut": self.record_cut, "limits": limits}


@dataclass(frozen=True)
class Received:
    """What the receiver saw. All but `messages` and `rotations` must be 0."""

    messages: int = 0
    repeated: int = 0
    damaged: int = 0
    disordered: int = 0
    steps: int = 0
    generations: int = 0


@dataclass(frozen=True)
class Outcome:
    """A run under one mechanism."""

    mechanism: str
    sent: int
    cuts: int
    seconds: float
    received: Received

    @property
    def lost(self) -> int:
        """Messages sent and not received: what was on its way when the network was cut."""
        return self.sent - self.received.messages

    @property
    def lost_per_cut(self) -> float:
        """The same, for each cut."""
        return self.lost / max(1, self.cuts)

    @property
    def faultless(self) -> bool:
        """Every message at most once, whole, and in order within a connection."""
        return not (self.received.repeated or self.received.damaged or self.received.disordered)

    def as_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {**asdict(self), "lost": self.lost, "lost_per_cut": self.lost_per_cut, "faultless": self.faultless}
