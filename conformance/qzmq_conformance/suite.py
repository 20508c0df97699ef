"""All cases, in the order of the report."""

from __future__ import annotations

from collections.abc import Iterator

from qzmq_conformance import (
    agreement,
    bindings,
    certificates,
    closing,
    early,
    faults,
    handshake,
    isolation,
    legal,
    metadata,
    patterns,
    puzzles,
    records,
    resumption,
    rotation,
    strangers,
    suites,
    wire,
    zap,
)
from qzmq_conformance.case import Case

FAMILIES = (
    closing.cases,
    bindings.cases,
    strangers.cases,
    handshake.cases,
    faults.cases,
    certificates.cases,
    wire.cases,
    records.cases,
    legal.cases,
    rotation.cases,
    puzzles.cases,
    resumption.cases,
    early.cases,
    zap.cases,
    metadata.cases,
    suites.cases,
    agreement.cases,
    isolation.cases,
    patterns.cases,
)


def cases() -> Iterator[Case]:
    """Every case of every family; ids are unique."""
    for family in FAMILIES:
        yield from family()
