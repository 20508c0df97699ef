"""The kernel without a device: the same text compiled as C, its threads run one after the other.

It shows that the kernel computes ChaCha20, not that it does so on a device, and nothing about speed.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory

from qzmq_interop.throughput.gpu.batch import Batch

SOURCE = files(__package__ or "").joinpath("chacha20.cu")

THREADS = 64
"""Of a thread block; a batch that is no multiple of it leaves threads without work, as on a device."""

BEFORE = """
#define __global__ static
static struct { unsigned x; } blockIdx, blockDim, threadIdx;
"""

AFTER = """
void launch(unsigned grid, unsigned threads, const word *keys, const word *nonces, word records, word blocks,
            const word *in, word *out)
{
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < threads; threadIdx.x++)
            chacha20(keys, nonces, records, blocks, in, out);
}
"""


def compiler() -> str | None:
    """A C compiler, if there is one."""
    return shutil.which("cc")


def encrypted(batch: Batch) -> bytes:
    """What the kernel makes of the batch. Needs `compiler()`; CalledProcessError if it refuses the kernel."""
    with TemporaryDirectory() as folder:
        library = Path(folder, "kernel.so")
        command = [compiler() or "cc", "-O2", "-shared", "-fPIC", "-x", "c", "-o", str(library), "-"]
        text = BEFORE + SOURCE.read_text() + AFTER
        subprocess.run(command, input=text, text=True, check=True, capture_output=True)
        out = ctypes.create_string_buffer(len(batch.plaintext))
        grid = -(-batch.records * batch.blocks // THREADS)
        ctypes.CDLL(str(library)).launch(
            grid, THREADS, batch.keys, batch.nonces, batch.records, batch.blocks, batch.plaintext, out
        )
        return out.raw
