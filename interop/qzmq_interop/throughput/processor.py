"""The instructions that OpenSSL may use: hidden from it by OPENSSL_ia32cap, read back from it (x86-64 only).

Each word of that variable is 64 bits of CPUID; a process reads it once, when OpenSSL is loaded. What is not named
turns to zero, so every mask here names all words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.bindings.openssl.binding import Binding

VARIABLE = "OPENSSL_ia32cap"
CPU_INFO = 9
"""OPENSSL_CPU_INFO of OpenSSL_version(3)."""

BITS: Mapping[str, tuple[int, int]] = {
    "PCLMULQDQ": (0, 33),
    "AES-NI": (0, 57),
    "AVX": (0, 60),
    "AVX2": (1, 5),
    "AVX-512F": (1, 16),
    "AVX-512DQ": (1, 17),
    "AVX-512IFMA": (1, 21),
    "SHA-NI": (1, 29),
    "AVX-512BW": (1, 30),
    "AVX-512VL": (1, 31),
    "VAES": (1, 41),
    "VPCLMULQDQ": (1, 42),
}
"""Feature -> word and bit: leaf 1's EDX and ECX, leaf 7's EBX and ECX."""

WORDS = 5
"""That OpenSSL 3.5 and later has; earlier ones ignore those they do not know."""


@dataclass(frozen=True)
class Mask:
    """What is hidden from OpenSSL."""

    name: str
    hidden: Sequence[str] = ()
    godebug: Sequence[str] = ()
    """The same in Go's GODEBUG, as far as Go has names for it."""

    @property
    def environment(self) -> dict[str, str]:
        """The variables that hide it, from OpenSSL and from Go."""
        if not self.hidden:
            return {}
        words = [sum(1 << BITS[name][1] for name in self.hidden if BITS[name][0] == word) for word in range(WORDS)]
        godebug = ",".join(f"cpu.{name}=off" for name in self.godebug)
        return {VARIABLE: ":".join(f"~{word:#x}" for word in words)} | ({"GODEBUG": godebug} if godebug else {})


VECTOR_AES = ("VAES", "VPCLMULQDQ")
WIDE = ("AVX2", *(name for name in BITS if name.startswith("AVX-512")))
AES = ("AES-NI", "PCLMULQDQ")

MASKS = (
    Mask("everything"),
    Mask("without VAES", VECTOR_AES),
    Mask("without AVX2, AVX-512", (*WIDE, *VECTOR_AES), ("avx2",)),
    Mask("without AES-NI, PCLMULQDQ", (*AES, *VECTOR_AES), ("aes", "pclmulqdq")),
    Mask("without any of them", tuple(BITS), ("aes", "pclmulqdq", "avx", "avx2", "sha")),
)


def in_use() -> list[str] | None:
    """Names of what OpenSSL has found and may use in this process; None where it does not say (not x86-64)."""
    binding = Binding()
    info = binding.ffi.string(binding.lib.OpenSSL_version(CPU_INFO)).decode()
    found = re.search(rf"{VARIABLE}=([0-9a-fx:]+)", info)
    if found is None:
        return None
    words = [int(word, 16) for word in found.group(1).split(":")]
    return [name for name, (word, bit) in BITS.items() if word < len(words) and words[word] >> bit & 1]
