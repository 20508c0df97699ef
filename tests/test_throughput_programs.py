"""Sides that another program plays: the reference itself, as such a program, and programs that fail."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from qzmq_interop.throughput import go, main
from qzmq_interop.throughput.contestants import Contestant, Program
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import MECHANISMS
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.processes import MeasurementError, Sample, pair
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.rounds import Effort, Run, measure
from qzmq_interop.throughput.scenarios import SCENARIOS, Scenario
from qzmq_interop.throughput.sections import implementations

OUTSIDE = Program("outside", (sys.executable, "-m", "qzmq_interop.throughput.program"))
LITTLE = Effort(rounds=1, console=Console(quiet=True))


def saying(*lines: str) -> Program:
    """A program that answers each line it reads with the next of these."""
    text = f"import sys\nfor line in {lines!r}:\n sys.stdin.readline()\n print(line, flush=True)"
    return Program("liar", (sys.executable, "-c", text))


def named(name: str) -> Scenario:
    """Very little of a scenario."""
    scenario = next(each for each in SCENARIOS if each.name == name)
    return replace(scenario, plan=Plan(64, messages=5, warm_up=2))


def both(program: Program, mechanism: str = "NULL") -> Contestant:
    return Contestant(mechanism, MECHANISMS[mechanism], program, program)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("server", "client"), [(OUTSIDE, None), (None, OUTSIDE)], ids=["server", "client"])
def test_a_program_measures_with_the_reference(mechanism: str, server: Program | None, client: Program | None) -> None:
    with pair(Contestant(mechanism, MECHANISMS[mechanism], server, client)) as sides:
        assert sides.measure(named("push_pull_64")).figures["messages_per_s"] > 0
        assert sides.measure(named("first_echo")).figures["seconds"] > 0


def test_who_is_missing_is_told_and_the_others_run() -> None:
    missing = both(Program("absent", ("./no-such-program",)))
    present = Contestant("here", MECHANISMS["NULL"])
    run = measure([named("req_rep_64")], [missing, present], LITTLE)
    assert list(run.results[0].samples) == ["here"]
    assert run.not_run == {"NULL": "absent: ./no-such-program: No such file or directory"}


@pytest.mark.parametrize(
    ("program", "words"),
    [
        (saying('{"error": "no CURVE here"}'), "no CURVE here"),
        (saying("hello"), "liar: "),
        (Program("liar", (sys.executable, "-c", "raise SystemExit('no backend')")), "no backend"),
    ],
    ids=["refuses", "talks", "ends"],
)
def test_a_program_that_cannot_open_its_side_is_not_run(program: Program, words: str) -> None:
    with pytest.raises(NotRun, match=words), pair(both(program)):
        pass


@pytest.mark.parametrize("answer", ['{"error": "out of sockets"}', '{"figure": 1}', "{}"])
def test_a_program_that_fails_fails_the_measurement(answer: str) -> None:
    with pair(both(saying('{"opened": "liar"}', answer))) as sides, pytest.raises(MeasurementError):
        sides.measure(named("req_rep_64"))


def test_every_program_meets_itself_and_the_reference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who would be measured: the measuring is the same as everywhere."""

    def nothing(_backend: str, _folder: object) -> Program:
        raise NotRun("no toolchain")

    def measured(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], _effort: Effort) -> Run:
        able = [each for each in contestants if each.client is None]
        samples = {each.name: [Sample({scenarios[0].figure: 1.0}, 1.0)] for each in able}
        return Run([Result(scenarios[0], samples)], {"outside": "why not"})

    monkeypatch.setattr(go, "build", nothing)
    monkeypatch.setattr(implementations, "measure", measured)
    [sheet] = implementations.measured(replace(LITTLE, peers=(OUTSIDE,)))
    assert [(row[0], row[-1]) for row in sheet.rows] == [
        ("reference ← reference", "1.00"),
        ("outside ← outside", ""),
        ("outside ← reference", "1.00"),
        ("reference ← outside", ""),
    ]
    assert sheet.notes == [
        "NOT RUN: Go peer, backend pure: no toolchain",
        "NOT RUN: Go peer, backend libzmq: no toolchain",
        "NOT RUN: outside: why not",
    ]


def test_a_build_that_fails_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Here by a `go` that fails, by none at all, and without the peer's source."""
    (tmp_path / "cmd" / "qzmq-side").mkdir(parents=True)
    failing = tmp_path / "go"
    failing.write_text("#!/bin/sh\necho 'no such package: zmq' >&2\nexit 1\n")
    failing.chmod(0o755)
    monkeypatch.setattr(go, "MODULE", tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(NotRun, match="failed: no such package: zmq"):
        go.build("libzmq", tmp_path)
    failing.unlink()
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotRun, match="no Go toolchain"):
        go.build("pure", tmp_path)
    monkeypatch.setattr(go, "MODULE", tmp_path / "elsewhere")
    with pytest.raises(NotRun, match="is not there"):
        go.build("pure", tmp_path)


def test_a_peer_is_a_name_and_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--peer", "mine"])
    assert "NAME=COMMAND" in capsys.readouterr().err
