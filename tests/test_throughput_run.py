"""Tiny throughput runs: every measurement works under every mechanism, and what it says is written."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from qzmq_interop.throughput import main, plot, table
from qzmq_interop.throughput.contestants import EVERY, Contestant
from qzmq_interop.throughput.measures import Figures, Plan
from qzmq_interop.throughput.mechanisms import MECHANISMS
from qzmq_interop.throughput.processes import MeasurementError, pair
from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.rounds import Effort, interleaved, measure
from qzmq_interop.throughput.scenarios import SCENARIOS, Scenario
from qzmq_interop.throughput.side import Side

QUIET = Effort(rounds=1, console=Console(quiet=True))


def tiny(scenario: Scenario) -> Scenario:
    """Very little of the same work."""
    plan = Plan(scenario.plan.size, messages=6, sessions=min(scenario.plan.sessions, 3), warm_up=2)
    return replace(scenario, plan=plan, fresh=False)


def fail(_side: Side, _plan: Plan) -> Figures:
    """A measurement that goes wrong."""
    raise ZeroDivisionError("on purpose")


def nothing(_side: Side, _plan: Plan) -> Figures:
    """A measurement of nothing."""
    return {}


@pytest.fixture(scope="module")
def report() -> Report:
    """One round of everything."""
    scenarios = [tiny(scenario) for scenario in SCENARIOS]
    return Report({"processor": "any"}, 1, measure(scenarios, EVERY, QUIET).results)


def test_every_figure_is_measured(report: Report) -> None:
    assert len(report.results) == len(SCENARIOS)
    for result, mechanism in report.rows():
        [value] = result.values(mechanism)
        assert value > 0 or result.scenario.figure == "pss_per_session"  # other processes share pages, and come and go


def test_table_has_a_row_per_scenario(report: Report) -> None:
    console = Console(width=200, file=StringIO())
    with console.capture() as text:
        table.show(report, console)
    assert all(f"| {scenario.title} " in text.get() for scenario in SCENARIOS)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_picture_has_the_form_of_its_name(report: Report, tmp_path: Path, suffix: str, magic: bytes) -> None:
    path = tmp_path / f"run{suffix}"
    plot.save(report, path)
    assert path.read_bytes().startswith(magic)


def test_command_writes_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "SCENARIOS", tuple(tiny(scenario) for scenario in SCENARIOS))
    path = tmp_path / "run.json"
    chosen = ["--scenario", "req_rep_64", "--mechanism", "NULL", "--mechanism", "CURVE"]
    assert main.main([*chosen, "--rounds", "2", "--json", str(path)]) == 0
    [scenario] = json.loads(path.read_text())["scenarios"]
    assert [len(scenario["mechanisms"][name]["samples"]) for name in ("NULL", "CURVE")] == [2, 2]
    assert "REQ/REP round trip" in capsys.readouterr().out


def test_picture_of_no_form_is_refused_before_measuring(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--plot", "run.gif"])
    assert ".png, .svg, .pdf" in capsys.readouterr().err


def test_failed_measurement_is_told_with_its_cause() -> None:
    broken = replace(SCENARIOS[0], server=nothing, client=fail)
    with pair(Contestant("NULL", MECHANISMS["NULL"])) as processes, pytest.raises(MeasurementError, match="on purpose"):
        processes.measure(broken)


def test_rounds_begin_with_another_contestant_each() -> None:
    order = [contestant.name for contestant in interleaved(EVERY, len(EVERY))]
    firsts = order[:: len(EVERY)]
    assert sorted(firsts) == sorted(MECHANISMS)
