"""What the processor's instructions bring: an AEAD by itself, and PUSH/PULL, with some of them hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from qzmq_interop.spawned import spawned
from qzmq_interop.throughput import go, measures
from qzmq_interop.throughput.contestants import COMPARED, Contestant, Program
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import qzmq
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.processor import MASKS, Mask, in_use
from qzmq_interop.throughput.rounds import Effort, Run, measure
from qzmq_interop.throughput.scenarios import SCENARIOS, Scenario
from qzmq_interop.throughput.sections.suites import NAMES, policy
from qzmq_interop.throughput.sheets import Sheet, by_contestant, told
from qzmq_interop.throughput.timing import calls_per_s
from qzmq_interop.throughput.units import octets, rate
from qzmq_ref.crypto.aead import KEY, NONCE, TAG, Aead
from qzmq_ref.records import HEADER
from qzmq_ref.registries import AeadId

SIZES = (64, 1024, 16 << 10, 64 << 10, 1 << 20)
FLOWS = ("push_pull_1024", "push_pull_65536")
SEALING = tuple(
    Scenario(
        f"sealing_{size}",
        f"sealed alone, {octets(size)}",
        "octets_per_s",
        measures.sealing_server,
        measures.idle_client,
        Plan(size, (64 << 20) // (size + 1024), warm_up=16),
    )
    for size in (1024, 16 << 10, 1 << 20)
)
"""For implementations that measure themselves."""

SECONDS = 0.1
"""Of one AEAD at one size, in each round."""


@dataclass(frozen=True)
class Raw:
    """One process's OpenSSL: what it uses, and octets sealed per second by AEAD and size."""

    in_use: Sequence[str]
    speeds: Mapping[AeadId, Mapping[int, float]]

    @classmethod
    def fastest(cls, turns: Sequence[Raw]) -> Raw:
        """The highest speed of each kind: what disturbs a loop like this only makes it slower."""
        speeds = {
            aead: {size: max(turn.speeds[aead][size] for turn in turns) for size in sizes}
            for aead, sizes in turns[0].speeds.items()
        }
        return cls(turns[0].in_use, speeds)


def measured(effort: Effort) -> Sequence[Sheet]:
    """The reference, whose ciphers are OpenSSL's, then the Go peer with Go's own."""
    return [_of_openssl(effort), _of_go(effort)]


def _of_openssl(effort: Effort) -> Sheet:
    """Both AEADs under every mask: alone in a process, then under PUSH/PULL beside CURVE."""
    available = in_use()
    if available is None:
        note = "NOT RUN: OpenSSL here has no mask that this section knows (it knows those of x86-64)"
        return Sheet("the reference, by instruction", ["hidden"], [], [note])
    masks = [mask for mask in MASKS if not mask.hidden or set(mask.hidden) & set(available)]
    turns = [{mask: raw_speeds(mask, SECONDS * effort.part) for mask in masks} for _ in range(effort.rounds)]
    raw = {mask: Raw.fastest([turn[mask] for turn in turns]) for mask in masks}
    contestants = [_contestant(mask, aead) for mask in masks for aead in NAMES]
    flows = [each for each in SCENARIOS if each.name in FLOWS]
    return _sheet(raw, measure(flows, [*COMPARED, *contestants], effort))


def _of_go(effort: Effort) -> Sheet:
    """The same of the Go peer, through GODEBUG, which has no read-back: the speeds themselves show what it hid."""
    title = "the Go peer, by instruction"
    with TemporaryDirectory() as folder:
        try:
            program = go.build("pure", Path(folder))
        except NotRun as reason:
            return Sheet(title, ["hidden"], [], told({"Go peer": str(reason)}))
        masks = [mask for mask in MASKS if mask.godebug or not mask.hidden]
        contestants = [_contestant(mask, aead, program) for mask in masks for aead in NAMES]
        alone = measure(SEALING, contestants, effort)
        flows = [each for each in SCENARIOS if each.name in FLOWS]
        flowing = measure(flows, [*COMPARED, *contestants], effort)
    notes = told({**alone.not_run, **flowing.not_run})
    return by_contestant(title, [*alone.results, *flowing.results], "CURVE", notes)


def _contestant(mask: Mask, aead: AeadId, program: Program | None = None) -> Contestant:
    return Contestant(_name(mask, aead), qzmq(NAMES[aead], policy(aead)), program, program, mask.environment)


def _name(mask: Mask, aead: AeadId) -> str:
    return f"{NAMES[aead]}, {mask.name}"


def _sheet(raw: Mapping[Mask, Raw], run: Run) -> Sheet:
    flows = [result.scenario.title for result in run.results]
    headings = ["sealed alone; then ratio to CURVE", *map(octets, SIZES), *flows]
    rows = [
        [
            _name(mask, aead),
            *(rate(raw[mask].speeds[aead][size]) for size in SIZES),
            *(f"{ratio:.2f}" if (ratio := each.against(_name(mask, aead), "CURVE")) else "" for each in run.results),
        ]
        for aead in NAMES
        for mask in raw
    ]
    return Sheet(
        "the reference, by instruction",
        headings,
        rows,
        [*map(_note, raw, raw.values()), *told(run.not_run)],
        figures=_figures(raw, run),
    )


def _note(mask: Mask, raw: Raw) -> str:
    """What OpenSSL said of itself behind the mask."""
    kept = sorted(set(mask.hidden) & set(raw.in_use))
    fault = f"; THE MASK DID NOT HIDE {', '.join(kept)}" if kept else ""
    return f"{mask.name}: OpenSSL uses {', '.join(raw.in_use) or 'none of these instructions'}{fault}"


def _figures(raw: Mapping[Mask, Raw], run: Run) -> dict[str, Any]:
    alone = [
        {
            "hidden": list(mask.hidden),
            "in_use": list(each.in_use),
            "octets_per_s": {NAMES[aead]: dict(speeds) for aead, speeds in each.speeds.items()},
        }
        for mask, each in raw.items()
    ]
    return {"alone": alone, "flows": [result.as_json() for result in run.results]}


def raw_speeds(mask: Mask, seconds: float) -> Raw:
    """The AEADs in a new process behind a mask, with what its OpenSSL says of itself."""
    with spawned(_raw, seconds, environment=mask.environment) as pipe:
        raw: Raw = pipe.recv()
    return raw


def _raw(seconds: float, pipe: Connection) -> None:
    speeds = {aead: {size: sealing(aead, size, seconds) for size in SIZES} for aead in NAMES}
    pipe.send(Raw(in_use() or (), speeds))


def sealing(aead: AeadId, size: int, seconds: float) -> float:
    """Octets per second of records of `size`, sealed as `RecordWriter` does it."""
    cipher = Aead(aead, bytes(KEY))
    plaintext, header, out = memoryview(bytes(size)), bytes(HEADER.size), memoryview(bytearray(size + TAG))
    return size * calls_per_s(lambda: cipher.seal_into(bytes(NONCE), plaintext, header, out), seconds)
