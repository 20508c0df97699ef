"""All kinds of vectors, in the order in which an implementer needs them."""

from __future__ import annotations

from collections.abc import Mapping

from qzmq_conformance.vectors import (
    certificates,
    handshake,
    kem,
    keyschedule,
    puzzle,
    records,
    rotation,
    signature,
    tickets,
    wire,
)
from qzmq_conformance.vectors.shape import Kind

_MODULES = (wire, kem, signature, keyschedule, records, handshake, rotation, tickets, puzzle, certificates)
KINDS: Mapping[str, Kind] = {module.KIND.name: module.KIND for module in _MODULES}
