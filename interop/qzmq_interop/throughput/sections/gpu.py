"""A batch of records on a CUDA device beside one core of the processor; without a device, the kernel's correctness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

from qzmq_interop.throughput.gpu import emulated
from qzmq_interop.throughput.gpu.batch import Batch
from qzmq_interop.throughput.gpu.device import Device, NoDevice
from qzmq_interop.throughput.rounds import Effort
from qzmq_interop.throughput.sheets import Sheet
from qzmq_interop.throughput.units import octets, rate

BATCHES = ((1 << 10, 1 << 16), (16 << 10, 1 << 12), (64 << 10, 1 << 10))
"""Octets per record, records: 64 MiB each."""

WORDS = {True: "right", False: "WRONG", None: "not run"}

UNTRIED = (
    "The project has not run the kernel on a device. It is ChaCha20 without Poly1305, for many records at once; a",
    "connection has its next record when the application has it, so nothing of QZMQ uses this.",
)


@dataclass(frozen=True)
class Compared:
    """One batch: octets per second by the kernel, with the copies, and on one core; whether the kernel was right."""

    records: int
    size: int
    right: bool | None
    core: float
    kernel: float | None = None
    with_copies: float | None = None


def measured(effort: Effort) -> Sequence[Sheet]:
    """Each batch on the device, or a small one in the emulation."""
    try:
        device = Device.first()
    except NoDevice as reason:
        return [_sheet(_emulated(effort), [f"NOT RUN: no device: {reason}", _how_checked()])]
    batches = [Batch.random(max(1, int(records * effort.part)), size) for size, records in BATCHES]
    return [_sheet([_on(device, batch, effort.rounds) for batch in batches], [f"device: {device.name}"])]


def _on(device: Device, batch: Batch, rounds: int) -> Compared:
    """Medians over the rounds; a launch before them compiles the kernel."""
    expected, core = _on_one_core(batch)
    right = device.encrypt(batch).ciphertext == expected
    timed = [device.encrypt(batch) for _ in range(rounds)]
    kernel, with_copies = (median(times) for times in zip(*((t.kernel, t.with_copies) for t in timed), strict=True))
    amount = len(batch.plaintext)
    return Compared(batch.records, batch.size, right, core, amount / kernel, amount / with_copies)


def _emulated(effort: Effort) -> list[Compared]:
    """What can be said without a device: the kernel's result on small batches, and the speed of one core."""
    found = []
    for size, records in BATCHES:
        batch = Batch.random(max(1, int(records * effort.part / 16)), size)
        expected, core = _on_one_core(batch)
        right = emulated.encrypted(batch) == expected if emulated.compiler() else None
        found.append(Compared(batch.records, size, right, core))
    return found


def _on_one_core(batch: Batch) -> tuple[bytes, float]:
    """The right ciphertext, and octets per second of making it."""
    began = perf_counter()
    expected = batch.encrypted()
    return expected, len(batch.plaintext) / (perf_counter() - began)


def _how_checked() -> str:
    if emulated.compiler() is None:
        return "NOT RUN: emulation: no C compiler (cc)"
    return "the kernel's text was compiled as C and its threads run in turn: that is what `result` says of it here"


def _sheet(found: Sequence[Compared], notes: Sequence[str]) -> Sheet:
    headings = ["ChaCha20", "result", "one core", "kernel", "kernel and copies", "beside one core"]
    rows = []
    for each in found:
        speeds = [rate(speed) if speed else "not run" for speed in (each.core, each.kernel, each.with_copies)]
        gain = f"{each.with_copies / each.core:.1f}" if each.with_copies else ""
        title = f"{each.records:,} records of {octets(each.size)}"
        rows.append([title, WORDS[each.right], *speeds, gain])
    return Sheet("batched records", headings, rows, [*notes, *UNTRIED], figures=[asdict(each) for each in found])
