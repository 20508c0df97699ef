"""Medians and ratios of throughput runs."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_interop.throughput.processes import Sample
from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.scenarios import SCENARIOS, Goal

LATENCY = next(scenario for scenario in SCENARIOS if scenario.name == "req_rep_64")
positive = st.floats(1e-6, 1e6)


def sample(value: float) -> Sample:
    """A sample of as much time as processor time."""
    return Sample({"seconds": value}, cpu=value)


def result(**values: list[float]) -> Result:
    """A result whose figure has these values, round by round."""
    return Result(LATENCY, {name: [sample(value) for value in rounds] for name, rounds in values.items()})


@given(st.lists(positive, min_size=1), st.floats(0.1, 10))
def test_ratio_is_taken_within_a_round(curve: list[float], factor: float) -> None:
    """A machine that is slow in one round, for all, does not move the ratio."""
    measured = result(CURVE=curve, QZMQ=[factor * value for value in curve])
    assert measured.ratio("QZMQ") == pytest.approx(factor)
    assert measured.ratio("CURVE") == 1


@given(st.lists(st.tuples(positive, positive), min_size=1))
def test_ratio_lies_within_its_range(rounds: list[tuple[float, float]]) -> None:
    measured = result(CURVE=[curve for curve, _ in rounds], QZMQ=[qzmq for _, qzmq in rounds])
    ratio = measured.ratio("QZMQ")
    assert ratio is not None
    assert min(measured.ratios("QZMQ")) <= ratio <= max(measured.ratios("QZMQ"))


def test_one_outlier_does_not_decide() -> None:
    assert result(CURVE=[1, 1, 1], QZMQ=[2, 2, 90]).verdict("QZMQ") is True


def test_goal_is_judged_for_qzmq_only() -> None:
    slow = result(CURVE=[1], QZMQ=[3], NULL=[3])
    assert [slow.verdict(name) for name in ("QZMQ", "NULL", "CURVE")] == [False, None, None]


def test_without_curve_there_is_no_ratio() -> None:
    alone = result(QZMQ=[1])
    assert (alone.ratio("QZMQ"), alone.cpu_ratio("QZMQ"), alone.verdict("QZMQ")) == (None, None, None)


@pytest.mark.parametrize(("goal", "text"), [(Goal(at_least=0.95), "≥ 0.95"), (Goal(at_most=2.2), "≤ 2.20")])
def test_goal_holds_up_to_its_bound(goal: Goal, text: str) -> None:
    bound = float(text.split()[1])
    assert str(goal) == text
    assert goal.met(bound)
    assert not goal.met(bound - 0.01 if goal.at_least else bound + 0.01)


def test_report_keeps_every_sample() -> None:
    report = Report({"processor": "any"}, 2, [result(CURVE=[1, 2], QZMQ=[1, 4])])
    [scenario] = json.loads(json.dumps(report.as_json()))["scenarios"]
    qzmq = scenario["mechanisms"]["QZMQ"]
    assert qzmq["samples"] == [{"seconds": 1, "cpu_s": 1}, {"seconds": 4, "cpu_s": 4}]
    assert qzmq["goal_met"] is True


def test_push_pull_grows_in_size() -> None:
    sizes = [scenario.plan.size for scenario in SCENARIOS if scenario.name.startswith("push_pull")]
    assert sizes == [64, 1024, 16 << 10, 64 << 10, 1 << 20]
    assert all(smaller < larger for smaller, larger in pairwise(sizes))
