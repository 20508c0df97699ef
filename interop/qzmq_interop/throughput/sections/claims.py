"""What the Go implementation of the same name says of itself, beside what this one does here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, process_time
from types import MappingProxyType
from typing import Literal

from qzmq_interop.throughput import go
from qzmq_interop.throughput.contestants import Contestant, plain
from qzmq_interop.throughput.mechanisms import QZMQ, qzmq
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.rounds import Effort, measure
from qzmq_interop.throughput.scenarios import SCENARIOS
from qzmq_interop.throughput.sections.acceleration import SEALING
from qzmq_interop.throughput.sections.handshakes import IN_MEMORY, PRESETS, alone
from qzmq_interop.throughput.sections.suites import policy
from qzmq_interop.throughput.sheets import Sheet, told
from qzmq_interop.throughput.timing import calls_per_s
from qzmq_interop.throughput.units import duration
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.records import DATA, OVERHEAD, RecordWriter
from qzmq_ref.registries import AeadId

SECONDS = 0.3
"""Of each loop; the fastest of the rounds counts, since what disturbs one only makes it slower."""

SIZE = 1024
"""Octets of the message whose sealing is measured: the claim names no size."""

STEP_EVERY = 1000
"""Records between two steps, for the cost of a step per record; the default is 2^32."""

HANDSHAKES: Mapping[str, float] = {"classical": 235e-6, "hybrid": 892e-6, "post-quantum only": 1244e-6}
PQ = tuple(HANDSHAKES)[1:]
MODES: Mapping[str, str] = {"classical": "performance", "hybrid": "default", "post-quantum only": "balanced"}
"""The preset that stands for each."""

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
    peer: float | None = None
    """What it is of the Go peer, where that was measured."""
    bound: Literal["", "<"] = ""
    """With `<` it is a target, not a measurement."""

    def row(self) -> list[str]:
        """As the table has it."""
        claimed = f"{self.bound} {UNITS[self.unit](self.claimed)}".strip()
        return [self.text, claimed, *self._beside(self.here), *self._beside(self.peer)]

    def _beside(self, figure: float | None) -> tuple[str, str]:
        if figure is None:
            return "", ""
        verdict = ("met" if figure < self.claimed else "missed") if self.bound else f"{figure / self.claimed:.2f}"
        return UNITS[self.unit](figure), verdict


UNITS: Mapping[str, Callable[[float], str]] = {
    "s": duration,
    "B": lambda value: f"{value / 1000:.1f} kB",
    "bit/s": lambda value: f"{value / 1e9:.2f} Gbit/s",
    "ratio": lambda value: f"{value:.2f}",
}


def measured(effort: Effort) -> Sequence[Sheet]:
    """One table."""
    peer, missing = _peer(effort)
    claims = [*_handshakes(effort, peer), *_records(effort, peer), *_sockets(effort)]
    headings = ["claim", "there", "reference", "/ there", "Go peer", "/ there"]
    rows, figures = [each.row() for each in claims], [asdict(each) for each in claims]
    return [Sheet("of the Go implementation", headings, rows, [*NOTES, *missing], figures=figures)]


@dataclass(frozen=True)
class Peer:
    """The Go peer's seconds for a handshake of each mode, and for a record under each AEAD; empty if it is not run."""

    handshakes: Mapping[str, float]
    records: Mapping[AeadId, float]


def _peer(effort: Effort) -> tuple[Peer, list[str]]:
    """Its figures, or why there are none."""
    with TemporaryDirectory() as folder:
        try:
            program = go.build("pure", Path(folder))
        except NotRun as reason:
            return Peer({}, {}), told({"Go peer": str(reason)})
        policies = {name: Policy.preset(preset) for name, preset in MODES.items()}
        contestants = [Contestant(name, qzmq(name, policies[name]), program, program) for name in policies]
        run = measure([IN_MEMORY, SEALING[0]], contestants, effort)
    handshakes, sealed = run.results
    aeads = {AeadId(policies[name].suites[0].aead): SIZE / sealed.median(name) for name in sealed.samples}
    return Peer({name: handshakes.median(name) for name in handshakes.samples}, aeads), told(run.not_run)


def _handshakes(effort: Effort, peer: Peer) -> list[Claim]:
    kinds = dict(zip(PRESETS, alone(effort), strict=False))
    whole = {name: kinds[preset].typical.both for name, preset in MODES.items()}
    public_key = {name: kinds[preset].public_key for name, preset in MODES.items()}
    return [
        *(Claim(f"handshake, {name}", there, whole[name], "s", _of(peer, name)) for name, there in HANDSHAKES.items()),
        *(Claim(f"{name}, public-key part", there, public_key[name], "s") for name, there in HANDSHAKES.items()),
        *(_beside_classical(f"{name} beside classical", name, whole, peer.handshakes) for name in PQ),
        *(_beside_classical(f"{name} beside classical, public-key part", name, public_key) for name in PQ),
        Claim("target: handshake", 5e-3, whole["hybrid"], "s", _of(peer, "hybrid"), "<"),
    ]


def _of(peer: Peer, name: str) -> float | None:
    return peer.handshakes.get(name)


def _beside_classical(
    text: str, name: str, here: Mapping[str, float], peer: Mapping[str, float] = MappingProxyType({})
) -> Claim:
    there = HANDSHAKES[name] / HANDSHAKES["classical"]
    return Claim(text, there, here[name] / here["classical"], "ratio", peer[name] / peer["classical"] if peer else None)


def _records(effort: Effort, peer: Peer) -> list[Claim]:
    seconds = SECONDS * effort.part
    aeads = (AeadId.AES_256_GCM, AeadId.CHACHA20_POLY1305)
    aes, chacha = (min(sealing(aead, seconds) for _ in range(effort.rounds)) for aead in aeads)
    its_aes, its_chacha = (peer.records.get(aead) for aead in aeads)
    its_ratio = its_chacha / its_aes if its_aes and its_chacha else None
    step = stepping(seconds) / STEP_EVERY
    return [
        Claim("AES-256-GCM per message", 1.05e-6, aes, "s", its_aes),
        Claim("ChaCha20-Poly1305 per message", 2.34e-6, chacha, "s", its_chacha),
        Claim("ChaCha20-Poly1305 beside AES-256-GCM", 2.34 / 1.05, chacha / aes, "ratio", its_ratio),
        Claim(f"target: key update, per record at one in {STEP_EVERY:,}", 1e-6, step, "s", bound="<"),
    ]


def _sockets(effort: Effort) -> list[Claim]:
    scenarios = [each for each in SCENARIOS if each.name in NEEDED]
    found = {each.scenario.name: each for each in measure(scenarios, plain([QZMQ]), effort).results}
    octets_per_s = max(sample.figures["octets_per_s"] for sample in found["push_pull_65536"].samples["QZMQ"])
    return [
        Claim("10, 8 or 6 Gbit/s; here PUSH/PULL of 64 KiB", 10e9, 8 * octets_per_s, "bit/s"),
        Claim(
            "target: handshake; here connect to first echo", 5e-3, found["first_echo"].median("QZMQ"), "s", bound="<"
        ),
        Claim("target: memory per connection; here PSS", 100e3, found["memory"].median("QZMQ"), "B", bound="<"),
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
