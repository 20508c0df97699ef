"""Does the suite notice? Each fault of `tests.faulty_reference` must fail the case that is about it."""

from __future__ import annotations

import sys

import pytest

from qzmq_conformance.case import Case, Outcome
from qzmq_conformance.runner import LEAKED, play
from qzmq_conformance.stage import Bench
from qzmq_conformance.suite import cases
from qzmq_conformance.target import REFERENCE
from tests.faulty_reference import FAULTS

CASES = {case.id: case for case in cases()}
NOTICED = [name for name, fault in FAULTS.items() if fault.case and name != "none"]
QUICK = sorted(NOTICED)[::4]
"""Enough to see that faults are put in and noticed; `qzmq conform --strength` plays them all."""


def faulty(name: str) -> tuple[str, ...]:
    """The command of the reference with that fault."""
    return sys.executable, "-m", "tests.faulty_reference", name


def outcome(case: Case, target: tuple[str, ...], other: tuple[str, ...] = REFERENCE) -> Outcome:
    with Bench(target, other, patience=1.0) as bench:
        return play(bench, case)


@pytest.mark.parametrize("name", QUICK)
def test_a_fault_fails_its_case(name: str) -> None:
    found = outcome(CASES[FAULTS[name].case], faulty(name), faulty(name))
    assert not found.passed
    assert found.expected


def test_those_cases_pass_without_a_fault() -> None:
    with Bench(faulty("none")) as bench:
        wanted = {FAULTS[name].case for name in ("none", *NOTICED)}
        outcomes = [play(bench, CASES[identifier]) for identifier in sorted(wanted)]
    assert [(found.case.id, found.seen) for found in outcomes if not found.passed] == []


def test_plaintext_between_two_liars_is_seen_by_the_relay() -> None:
    """Both ends work, both transcripts are right, and nothing is encrypted: only the relay can tell."""
    name = "in-the-clear"
    found = outcome(CASES[FAULTS[name].case], faulty(name), faulty(name))
    assert found.seen == "known application octets crossed the wire in the clear"


def test_octets_that_nobody_authenticated_are_seen_in_the_application() -> None:
    name = "tag-unchecked"
    found = outcome(CASES[FAULTS[name].case], faulty(name))
    assert found.seen.startswith(LEAKED)


def test_an_unopened_alert_is_not_taken_for_the_right_one() -> None:
    found = outcome(CASES["records/hybrid/server/protection/flip-1"], faulty("bad-tag-wrong-alert"))
    assert found.seen == "sealed_alert decrypt_error"
    assert "bad_record_mac" in found.expected
