"""The kernel on a CUDA device, through cupy where that is installed. This project has had no device to run it on."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any

from qzmq_interop.throughput.gpu.batch import Batch
from qzmq_interop.throughput.gpu.emulated import SOURCE

THREADS = 256
"""Of a thread block."""


class NoDevice(Exception):
    """Why there is none: no cupy, no driver, no device."""


@dataclass(frozen=True)
class Timed:
    """A batch's ciphertext, and seconds for the kernel and for it with the copies to and from the device."""

    ciphertext: bytes
    kernel: float
    with_copies: float


@dataclass(frozen=True)
class Device:
    """A device that cupy speaks to."""

    cupy: Any
    name: str

    @classmethod
    def first(cls) -> Device:
        """The first one; NoDevice if there is none."""
        try:
            cupy = importlib.import_module("cupy")
        except ImportError as error:
            raise NoDevice(f"cupy cannot be imported ({error})") from None
        try:
            name = cupy.cuda.runtime.getDeviceProperties(0)["name"]
        except cupy.cuda.runtime.CUDARuntimeError as error:
            raise NoDevice(f"cupy finds no device ({error})") from None
        return cls(cupy, name.decode() if isinstance(name, bytes) else str(name))

    @cached_property
    def kernel(self) -> Any:
        """The kernel, compiled when it is first launched."""
        return self.cupy.RawKernel(SOURCE.read_text(), "chacha20")

    def encrypt(self, batch: Batch) -> Timed:
        """Copy to the device, encrypt, copy back."""
        began = perf_counter()
        keys, nonces, words = (self._words(octets) for octets in (batch.keys, batch.nonces, batch.plaintext))
        self._wait()
        copied = perf_counter()
        grid = -(-batch.records * batch.blocks // THREADS)
        counts = (self.cupy.uint32(batch.records), self.cupy.uint32(batch.blocks))
        self.kernel((grid,), (THREADS,), (keys, nonces, *counts, words, words))
        self._wait()
        computed = perf_counter()
        ciphertext = self.cupy.asnumpy(words).tobytes()
        return Timed(ciphertext, computed - copied, perf_counter() - began)

    def _words(self, octets: bytes) -> Any:
        numpy = importlib.import_module("numpy")
        return self.cupy.asarray(numpy.frombuffer(octets, dtype=numpy.uint32))

    def _wait(self) -> None:
        self.cupy.cuda.get_current_stream().synchronize()
