"""What the Go implementation of the same name says of itself, beside what this one does here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from time import monotonic, process_time
from typing import Literal

from qzmq_interop.throughput.contestants import plain
from qzmq_interop.throughput.mechanisms import QZMQ
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import SCENARIOS
from qzmq_interop.throughput.sections.handshakes import PRESETS, alone
from qzmq_interop.throughput.sections.suites import policy
from qzmq_interop.throughput.sheets import Sheet
from qzmq_interop.throughput.timing import calls_per_s
from qzmq_interop.throughput.units import duration
from qzmq_ref.policy import Limits
from qzmq_ref.records import DATA, OVERHEAD, RecordWriter
from qzmq_ref.registries import AeadId

SECONDS = 1.0
"""Of each loop."""

SIZE = 1024
"""Octets of the message whose sealing is measured: the claim names no size."""

STEP_EVERY = 1000
"""Records between two steps, for the cost of a step per record; the default is 2^32."""

HANDSHAKES: Mapping[str, float] = {"classical": 235e-6, "hybrid": 892e-6, "post-quantum only": 1244e-6}
PQ = tuple(HANDSHAKES)[1:]

NEEDED = ("push_pull_65536", "first_echo", "memory")

NOTES = (
    "The claims are those of its README (Apple M2, Go). What they time is not said. Here a handshake is the processor",
    "time of both sides, each signing, its public-key part what OpenSSL needs of that, and a message is one record of",
    "1 KiB sealed. Another processor and another language: a time beside a time says little, a ratio of two times of",
    "one machine more, a target most.",
)


@dataclass(frozen=True)
class Claim:
    """A figure and what it is here, in seconds, octets, bits per second or as a ratio."""

    text: str
    claimed: float
    here: float
    unit: Literal["s", "B", "bit/s", "ratio"]
    bound: Literal["", "<"] = ""
    """With `<` it is a target, not a measurement."""

    def row(self) -> list[str]:
        """As the table has it."""
        shown = UNITS[self.unit]
        last = ("met" if self.here < self.claimed else "missed") if self.bound else f"{self.here / self.claimed:.2f}"
        return [self.text, f"{self.bound} {shown(self.claimed)}".strip(), shown(self.here), last]


UNITS: Mapping[str, Callable[[float], str]] = {
    "s": duration,
    "B": lambda value: f"{value / 1000:.1f} kB",
    "bit/s": lambda value: f"{value / 1e9:.2f} Gbit/s",
    "ratio": lambda value: f"{value:.2f}",
}


def measured(effort: Effort) -> Sequence[Sheet]:
    """One table."""
    claims = [*_handshakes(effort), *_records(effort), *_sockets(effort)]
    headings = ["claim", "there", "here", "here / there"]
    return [Sheet("of the Go implementation", headings, [each.row() for each in claims], NOTES, figures=_json(claims))]


def _json(claims: Sequence[Claim]) -> list[dict[str, object]]:
    return [asdict(claim) for claim in claims]


def _handshakes(effort: Effort) -> list[Claim]:
    kinds = dict(zip(PRESETS, alone(effort), strict=False))
    named = {"classical": kinds["performance"], "hybrid": kinds["default"], "post-quantum only": kinds["balanced"]}
    whole = {name: kind.typical.both for name, kind in named.items()}
    public_key = {name: kind.public_key for name, kind in named.items()}
    return [
        *(Claim(f"handshake, {name}", there, whole[name], "s") for name, there in HANDSHAKES.items()),
        *(Claim(f"{name}, public-key part", there, public_key[name], "s") for name, there in HANDSHAKES.items()),
        *(_beside_classical(f"{name} beside classical", name, whole) for name in PQ),
        *(_beside_classical(f"{name} beside classical, public-key part", name, public_key) for name in PQ),
        Claim("target: handshake", 5e-3, whole["hybrid"], "s", "<"),
    ]


def _beside_classical(text: str, name: str, here: Mapping[str, float]) -> Claim:
    return Claim(text, HANDSHAKES[name] / HANDSHAKES["classical"], here[name] / here["classical"], "ratio")


def _records(effort: Effort) -> list[Claim]:
    seconds = SECONDS * effort.part
    aes, chacha = (sealing(aead, seconds) for aead in (AeadId.AES_256_GCM, AeadId.CHACHA20_POLY1305))
    return [
        Claim("AES-256-GCM per message", 1.05e-6, aes, "s"),
        Claim("ChaCha20-Poly1305 per message", 2.34e-6, chacha, "s"),
        Claim("ChaCha20-Poly1305 beside AES-256-GCM", 2.34 / 1.05, chacha / aes, "ratio"),
        Claim(
            f"target: key update, per record at one in {STEP_EVERY:,}", 1e-6, stepping(seconds) / STEP_EVERY, "s", "<"
        ),
    ]


def _sockets(effort: Effort) -> list[Claim]:
    scenarios = [each for each in SCENARIOS if each.name in NEEDED]
    found = {each.scenario.name: each for each in measure(scenarios, plain([QZMQ]), effort).results}
    octets_per_s = max(sample.figures["octets_per_s"] for sample in found["push_pull_65536"].samples["QZMQ"])
    return [
        Claim("10, 8 or 6 Gbit/s; here PUSH/PULL of 64 KiB", 10e9, 8 * octets_per_s, "bit/s"),
        Claim("target: handshake; here connect to first echo", 5e-3, found["first_echo"].median("QZMQ"), "s", "<"),
        Claim("target: memory per connection; here PSS", 100e3, found["memory"].median("QZMQ"), "B", "<"),
    ]


def sealing(aead: AeadId, seconds: float) -> float:
    """Seconds to seal a record of SIZE octets."""
    writer = _writer(aead)
    plaintext, out = memoryview(bytes(SIZE)), memoryview(bytearray(SIZE + OVERHEAD))
    return 1 / calls_per_s(lambda: writer.seal_into(DATA, plaintext, out), seconds)


def stepping(seconds: float) -> float:
    """Processor seconds that one step of the key chain takes (ROT-2)."""
    count, spent = 0, 0.0
    while spent < seconds:
        writer, began = _writer(AeadId.AES_256_GCM), process_time()
        for _ in range(STEPS):
            writer.step()
        spent += process_time() - began
        count += STEPS
    return spent / count


STEPS = 250
"""Steps of one chain: it has no more than 255 (ROT-6)."""


def _writer(aead: AeadId) -> RecordWriter:
    [suite] = policy(aead).suites
    return RecordWriter(suite, Limits(), monotonic, os.urandom(32), 1)
