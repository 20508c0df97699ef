"""The sections of `qzmq throughput` beside the comparison of the mechanisms: one question each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from qzmq_interop.throughput.rounds import Effort
from qzmq_interop.throughput.sections import acceleration, claims, gpu, growth, handshakes, implementations, suites
from qzmq_interop.throughput.sheets import Sheet


@dataclass(frozen=True)
class Section:
    """A question, and how its answer is measured."""

    question: str
    measure: Callable[[Effort], Sequence[Sheet]]


SECTIONS: Mapping[str, Section] = {
    "implementations": Section("each implementation with itself and with the reference", implementations.measured),
    "suites": Section("AES-256-GCM beside ChaCha20-Poly1305", suites.measured),
    "acceleration": Section("what AES, carry-less multiplication and wide vectors bring", acceleration.measured),
    "handshakes": Section("how many a second, by mode and preset, and resumed", handshakes.measured),
    "growth": Section("by size of messages, number of connections, number of subscribers", growth.measured),
    "gpu": Section("a batch of records on a CUDA device, where there is one", gpu.measured),
    "claims": Section("what the Go implementation of the same name claims, beside this", claims.measured),
}
