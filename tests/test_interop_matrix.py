"""The matrix: green for the reference, red for whoever lies, and a library's own defects are not QZMQ's."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from xml.etree import ElementTree

import pytest

from qzmq_interop.matrix.cells import Cell, cells
from qzmq_interop.matrix.implementations import implementations
from qzmq_interop.matrix.main import main
from qzmq_interop.matrix.play import CLEAR
from qzmq_interop.matrix.runner import plan, run
from qzmq_interop.matrix.scenarios import SCENARIOS
from qzmq_interop.matrix.seats import Seats
from qzmq_interop.matrix.summary import Summary
from qzmq_interop.matrix.verdicts import Outcome, Verdict
from qzmq_ref.alerts import LocalError

Shown = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def nothing_built(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is built in this tree."""
    monkeypatch.setattr("qzmq_interop.matrix.implementations.TREE", tmp_path_factory.mktemp("tree"))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for what will not come."""
    for name in ("encounter.PATIENCE", "encounter.RECEIVE_WITHIN", "trust.PATIENCE", "sessions.PATIENCE"):
        monkeypatch.setattr(f"qzmq_interop.matrix.{name}", 3.0)


def adapter(name: str, module: str = "tests.interop_adapters") -> str:
    return f"{name}={sys.executable} -m {module} {name}"


def played(named: str, *patterns: str) -> dict[str, Outcome]:
    """The outcomes of the cells that these patterns choose, by id."""
    known = implementations([named])
    who = ("reference", named.partition("=")[0])
    chosen = [cell for cell in cells(who, "full") if any(fnmatchcase(cell.id, each) for each in patterns)]
    assert chosen
    with Seats(known) as seats:
        planned = plan(chosen, known, seats)
        outcomes = (*planned.settled, *run(planned.cells, seats, 8))
    return {outcome.cell.id: outcome for outcome in outcomes}


def test_the_reference_understands_itself_and_the_report_says_so(tmp_path: Path, capsys: Shown) -> None:
    files = {name: tmp_path / name for name in ("out.json", "out.xml", "html")}
    arguments = ["--json", str(files["out.json"]), "--junit", str(files["out.xml"]), "--html", str(files["html"])]
    for pattern in ("null/*", "patterns/hybrid/*", "suites/*", "features/classical/*"):
        arguments += ["--only", pattern.replace("/*", "/*reference+reference/*")]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    document = json.loads(files["out.json"].read_text())
    assert document["sums"] == {**dict.fromkeys(document["sums"], 0), "passed": len(document["cells"])}
    assert len(document["cells"]) > 70
    assert f"{len(document['cells'])} cells: {len(document['cells'])} passed" in shown
    suites = ElementTree.parse(files["out.xml"]).getroot().findall("testsuite")  # noqa: S314  (written above)
    assert [suite.get("tests") for suite in suites] == [str(len(document["cells"]))]
    index = (files["html"] / "index.html").read_text()
    for place in files["html"].glob("place-*.html"):
        assert f'href="{place.name}"' in index


@pytest.mark.usefixtures("impatient")
def test_plaintext_is_red_whoever_listens(capsys: Shown) -> None:
    liar = adapter("plaintext", "tests.lying_adapter")
    only = "patterns/hybrid/plaintext+plaintext/PUSH-PULL/server-binds"
    assert main(["--implementation", liar, "--depth", "full", "--only", only]) == 1
    shown = capsys.readouterr().out
    assert CLEAR in shown
    outcomes = played(liar, "patterns/hybrid/plaintext+*/PUSH-PULL/server-binds", "null/NULL/plaintext+*/PUSH-PULL")
    verdicts = {identifier: outcome.verdict for identifier, outcome in outcomes.items()}
    assert verdicts["null/NULL/plaintext+reference/PUSH-PULL"] is Verdict.PASSED
    assert verdicts[only] is Verdict.FAILED
    assert verdicts["patterns/hybrid/plaintext+reference/PUSH-PULL/server-binds"] is Verdict.FAILED


def test_what_fails_over_null_too_is_the_librarys() -> None:
    outcomes = played(adapter("defective"), "*/*/reference+defective/PUSH-PULL*")
    assert len(outcomes) == 7
    for outcome in outcomes.values():
        assert outcome.verdict is Verdict.LIBRARY
        assert "libzmq's sockets hear" in outcome.null
        assert outcome.seen


def test_what_works_over_null_is_not() -> None:
    outcomes = played(adapter("clumsy"), "*/hybrid/reference+clumsy/PUSH-PULL*", "null/*/reference+clumsy/PUSH-PULL")
    assert outcomes.pop("null/NULL/reference+clumsy/PUSH-PULL").verdict is Verdict.PASSED
    assert len(outcomes) == 2
    for outcome in outcomes.values():
        assert outcome.verdict is Verdict.FAILED
        assert outcome.null == "all is well"


@pytest.mark.usefixtures("impatient")
def test_what_goes_wrong_sooner_than_over_null_is_not_either() -> None:
    outcomes = played(adapter("worse"), "*/*/reference+worse/PUSH-PULL*")
    assert outcomes.pop("null/NULL/reference+worse/PUSH-PULL").verdict is Verdict.LIBRARY
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.FAILED}
    assert all("libzmq's sockets hear" in outcome.null for outcome in outcomes.values())


@pytest.mark.usefixtures("impatient")
def test_every_scenario_finds_out_who_has_only_claimed_its_feature() -> None:
    """But for those that ask for nothing beyond a handshake."""
    outcomes = played(adapter("forgetful"), "features/classical/forgetful+forgetful/*/server-binds")
    passed = {outcome.cell.scenario.name for outcome in outcomes.values() if outcome.verdict is Verdict.PASSED}
    failed = {outcome.cell.scenario.name for outcome in outcomes.values() if outcome.verdict is Verdict.FAILED}
    assert passed == {"anonymous", "reconnect", "impostor", "no-ticket", "x509", "zap-admits"}
    assert failed == {scenario.name for scenario in SCENARIOS} - passed


def test_a_ticket_that_may_not_be_offered_is_not() -> None:
    (outcome,) = played(adapter("stubborn"), "features/hybrid/reference+stubborn/no-ticket/*").values()
    assert outcome.verdict is Verdict.FAILED
    assert outcome.seen == "a ticket in ClientHello"


def test_an_adapter_that_answers_with_errors_is_red_and_one_that_dies_has_no_verdict() -> None:
    outcomes = played(adapter("unkind"), "patterns/hybrid/reference+unkind/PUSH-PULL/*")
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.FAILED}
    assert all("ValueError: not today, PULL" in outcome.seen for outcome in outcomes.values())
    outcomes = played(adapter("mortal"), "patterns/hybrid/reference+mortal/P[UA]*-P*/server-binds")
    verdicts = {outcome.cell.patterns: outcome.verdict for outcome in outcomes.values()}
    assert verdicts.pop(("PAIR", "PAIR")) is Verdict.UNDRIVEN
    assert set(verdicts.values()) == {Verdict.PASSED}
    assert summary(outcomes).status == 2


def test_what_is_not_claimed_is_said_to_be_lacking() -> None:
    outcomes = played(adapter("modest", "tests.lying_adapter"), "features/hybrid/*modest*/puzzle/server-binds")
    assert {outcome.verdict for outcome in outcomes.values()} == {Verdict.UNCLAIMED}
    told = {outcome.cell.id.split("/")[2]: outcome.seen for outcome in outcomes.values()}
    assert told["modest+reference"] == "modest: feature retry"
    assert "modest: role client" in told["reference+modest"]


def test_who_is_not_there_is_missed_aloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    build = tmp_path / "go-luxfi" / "build"
    build.mkdir(parents=True)
    (build / "why-not.txt").write_text("module not available\n")
    found = implementations([], tmp_path)
    assert found["luxfi"].missing == "module not available"
    assert "make go" in found["go-pure"].missing
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no Go toolchain" in implementations([], tmp_path)["go-libzmq"].missing
    named = ["--implementation", "nobody=/does/not/exist", "--only", "null/*+nobody/PAIR-PAIR"]
    assert main([*named, "--only", "null/*/reference+reference/PAIR-PAIR"]) == 2
    assert "NOT RUN: nobody: its adapter cannot be driven: /does/not/exist does not start" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", ["name", "=command", "two words=command", "name="])
def test_an_implementation_is_a_name_and_a_command(wrong: str) -> None:
    with pytest.raises(LocalError, match="NAME=COMMAND"):
        implementations([wrong])


def summary(outcomes: Mapping[str, Outcome]) -> Summary:
    chosen: list[Cell] = []
    with Seats({}) as seats:
        return Summary(plan(chosen, {}, seats), tuple(outcomes.values()), 1.0)
