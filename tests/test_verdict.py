"""What a run comes to: known failures must go on failing just so, and nothing that was claimed may get lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_conformance.capabilities import Capability, claimed, names, to_json
from qzmq_conformance.case import Case, Outcome
from qzmq_conformance.verdict import Known, judge, read_known
from qzmq_ref.alerts import LocalError

NAME = "area/hybrid/one"
KNOWN = Known(NAME, "a bug of ours", "alert * at port *")


def outcome(seen: str = "", unsupported: str = "") -> Outcome:
    return Outcome(Case(NAME, ("HS-1",), lambda _: None), 0.0, b"", seen, unsupported=unsupported)


def test_a_new_failure_is_red() -> None:
    verdict = judge([outcome("this")], [])
    assert not verdict.passed
    assert verdict.failed == (outcome("this"),)


def test_a_known_failure_that_fails_just_so_is_not() -> None:
    verdict = judge([outcome("alert decode_error at port 4711")], [KNOWN])
    assert verdict.passed
    assert verdict.known == {NAME: "a bug of ours"}
    assert list(verdict.lines()) == [f"known failure {NAME}: a bug of ours"]


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (outcome(), "passes: take it off the list"),
        (outcome("alert at port 4711"), "fails differently: alert at port 4711"),
        (outcome("an alert decode_error at port 4711"), "fails differently"),
        (outcome(unsupported="feature retry"), "not run: unsupported feature retry"),
    ],
)
def test_a_known_failure_that_does_anything_else_is_red(found: Outcome, told: str) -> None:
    verdict = judge([found], [KNOWN])
    assert not verdict.passed
    (complaint,) = verdict.complaints
    assert told in complaint


def test_what_was_not_run_is_neither_passed_nor_failed() -> None:
    verdict = judge([outcome(unsupported="role client")], [])
    assert verdict.passed
    assert verdict.played == verdict.failed == ()
    assert verdict.not_run == {NAME: "role client"}


@given(st.text(), st.text())
def test_only_a_star_stands_for_anything(left: str, right: str) -> None:
    exact = Known(NAME, "", left)
    assert exact.covers(outcome(left.replace("*", right)))
    assert exact.covers(outcome(right)) == (left == right) or "*" in left


@pytest.mark.parametrize(
    "text", ["", "{}x", '[{"case": "area/hybrid/one"}]', '[{"case": "x/y/z", "reason": "", "seen": ""}]']
)
def test_a_file_that_lists_no_known_failures_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(LocalError):
        read_known(str(path), {NAME})


def test_a_file_of_known_failures_is_read(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(json.dumps([{"case": NAME, "reason": "a bug of ours", "seen": "alert * at port *"}]))
    assert read_known(str(path), {NAME}) == (KNOWN,)


@given(st.sets(st.sampled_from([Capability(place[:-1], name) for place in names() for name in sorted(names()[place])])))
def test_capabilities_survive_json(capabilities: set[Capability]) -> None:
    assert claimed(to_json(frozenset(capabilities))) == capabilities
