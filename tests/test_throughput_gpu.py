"""The CUDA kernel, without a device: emulated in C, and behind a stand-in for cupy."""

from __future__ import annotations

import importlib
from types import SimpleNamespace
from typing import Any

import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_interop.throughput.gpu import emulated
from qzmq_interop.throughput.gpu.batch import Batch
from qzmq_interop.throughput.gpu.device import Device, NoDevice
from qzmq_interop.throughput.rounds import Effort
from qzmq_interop.throughput.sections import gpu

needs_compiler = pytest.mark.skipif(emulated.compiler() is None, reason="no C compiler")


class Array:
    """What stands in for an array on a device."""

    def __init__(self, octets: bytes) -> None:
        self.octets = octets

    def tobytes(self) -> bytes:
        return self.octets


class Stand:
    """As much of cupy as is used, its kernel emulated."""

    uint32 = int

    def __init__(self, size: int) -> None:
        self._size = size
        stream = SimpleNamespace(synchronize=lambda: None)
        properties = SimpleNamespace(getDeviceProperties=lambda _: {"name": b"stand-in"}, CUDARuntimeError=OSError)
        self.cuda = SimpleNamespace(get_current_stream=lambda: stream, runtime=properties)

    def asarray(self, words: Any) -> Array:
        return Array(words.tobytes())

    def asnumpy(self, array: Array) -> Array:
        return array

    def RawKernel(self, text: str, name: str) -> Any:  # noqa: N802
        assert f"void {name}(" in text

        def launch(grid: tuple[int], threads: tuple[int], words: tuple[Any, ...]) -> None:
            keys, nonces, records, blocks, source, out = words
            assert grid[0] * threads[0] >= records * blocks > (grid[0] - 1) * threads[0]
            batch = Batch(records, blocks * 64, keys.octets, nonces.octets, source.octets)
            out.octets = emulated.encrypted(batch)

        return launch


@needs_compiler
@settings(max_examples=6, deadline=None)
@given(st.integers(1, 70), st.integers(1, 9))
def test_the_kernel_is_chacha20(records: int, blocks: int) -> None:
    """Of every record with its own key and nonce, also where threads are left over."""
    batch = Batch.random(records, 64 * blocks)
    assert emulated.encrypted(batch) == batch.encrypted()


@needs_compiler
def test_a_wrong_kernel_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = emulated.SOURCE.read_text().replace("ROTATE(d ^ a, 8)", "ROTATE(d ^ a, 9)")
    monkeypatch.setattr(emulated, "SOURCE", SimpleNamespace(read_text=lambda: wrong))
    [sheet] = gpu.measured(Effort(rounds=1, part=0.001))
    assert {row[1] for row in sheet.rows} == {"WRONG"}


@needs_compiler
def test_a_device_is_given_the_batch_and_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib, "import_module", {"cupy": Stand(0), "numpy": numpy}.__getitem__)
    [sheet] = gpu.measured(Effort(rounds=1, part=0.001))
    assert sheet.notes[0] == "device: stand-in"
    assert all(row[1] == "right" and "not run" not in row for row in sheet.rows)


def test_without_cupy_there_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> Any:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(NoDevice, match="cupy"):
        Device.first()


def test_without_a_device_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    stand = Stand(0)

    def none(_number: int) -> Any:
        raise OSError("no CUDA-capable device is detected")

    stand.cuda.runtime.getDeviceProperties = none
    monkeypatch.setattr(importlib, "import_module", lambda _: stand)
    [sheet] = gpu.measured(Effort(rounds=1, part=0.001))
    assert sheet.notes[0].startswith("NOT RUN: no device: cupy finds no device")
    assert any("has not run the kernel on a device" in note for note in sheet.notes)
