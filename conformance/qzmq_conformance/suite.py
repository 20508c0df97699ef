"""All cases, in the order of the report."""

from __future__ import annotations

from collections.abc import Iterator

from qzmq_conformance import (
    agreement,
    bindings,
    certificates,
    closing,
    crowds,
    demands,
    early,
    exacting,
    faults,
    handshake,
    happenings,
    isolation,
    legal,
    metadata,
    migration,
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
from qzmq_conformance.learning import cases as machine
from qzmq_conformance.vectors import cases as vectors

FAMILIES = (
    closing.cases,
    bindings.cases,
    strangers.cases,
    migration.cases,
    handshake.cases,
    machine.cases,
    faults.cases,
    certificates.cases,
    wire.cases,
    vectors.cases,
    records.cases,
    legal.cases,
    rotation.cases,
    puzzles.cases,
    resumption.cases,
    early.cases,
    demands.cases,
    happenings.cases,
    zap.cases,
    metadata.cases,
    suites.cases,
    agreement.cases,
    isolation.cases,
    crowds.cases,
    exacting.cases,
    patterns.cases,
)


def cases() -> Iterator[Case]:
    """Every case of every family; ids are unique."""
    for family in FAMILIES:
        yield from family()
