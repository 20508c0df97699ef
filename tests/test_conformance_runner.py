"""The runner and its command: verdicts, exit statuses, what is written down."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import pytest

from qzmq_conformance import runner
from qzmq_conformance.case import MODES, Case, Failed, Outcome, Undriven
from qzmq_conformance.main import main
from qzmq_conformance.report import matrix
from qzmq_conformance.stage import Bench, Stage
from qzmq_conformance.suite import cases
from qzmq_conformance.target import token
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.tables import requirements, tables

QUICK = "handshake/classical/server/whole"
FAULTY = f"{sys.executable} -m tests.faulty_reference"


def test_ids_are_unique_and_begin_with_area_and_mode() -> None:
    found = [case.id for case in cases()]
    assert [identifier for identifier, times in Counter(found).items() if times > 1] == []
    assert {identifier.split("/")[1] for identifier in found} == set(MODES)
    assert len(found) > 3000


def test_cases_are_generated_the_same_way_each_time() -> None:
    assert [case.id for case in cases()] == [case.id for case in cases()]


def test_every_case_names_requirements_and_alerts_that_exist() -> None:
    for case in cases():
        assert case.requirements, case.id
        assert requirements().keys() >= set(case.requirements), case.id
        assert not case.alert or AlertDescription[case.alert.upper()], case.id


def test_every_row_of_the_handshake_table_has_a_case_in_every_mode() -> None:
    rows = {row["ID"] for row in tables()["handshake"]}
    for mode in MODES:
        assert rows <= {rule for case in cases() if case.mode == mode for rule in case.requirements}


def test_every_message_type_meets_every_state() -> None:
    """A legal pair or an illegal one, but never none. Rows of other areas are found by their ID (the test above)."""
    played = {case.id for case in cases()}
    elsewhere = {(row["State"], row["Receives"]) for row in tables()["handshake"]}
    for role, states in (
        ("server", ("start", "wait_second_client_hello", "wait_client_key", "established")),
        ("client", ("wait_server_hello", "wait_second_server_hello", "wait_finished", "established")),
    ):
        for state in states:
            for row in tables()["messages"]:
                prefix = f"handshake/hybrid/{role}/{state}/{row['Type']}"
                found = any(identifier.startswith(prefix) for identifier in played)
                assert found or (state, row["Type"]) in elsewhere, prefix


def scripted(seen: str = "") -> Case:
    """A case that touches no target."""

    def play(stage: Stage) -> None:
        assert stage.token
        if seen:
            raise Failed(seen, "nothing")

    return Case("area/hybrid/scripted", ("HS-1",), play)


def test_whatever_a_script_raises_is_a_failure_with_its_reason() -> None:
    def broken(_: Stage) -> None:
        raise ZeroDivisionError("of all things")

    with Bench() as bench:
        assert runner.play(bench, scripted()).passed
        assert runner.play(bench, scripted("this")).seen == "this"
        assert (
            runner.play(bench, Case("area/hybrid/broken", ("HS-1",), broken)).seen == "ZeroDivisionError: of all things"
        )
        assert "success" in runner.play(bench, scripted()).expected


def test_octets_that_reach_the_application_late_fail_their_case(monkeypatch: pytest.MonkeyPatch) -> None:
    late = Outcome(scripted(), 0.0, token())
    with Bench() as bench:
        assert runner.recheck(bench, [late]) == [late]
        monkeypatch.setattr(bench.target, "reached", lambda octets: octets == late.token)
        (found,) = runner.recheck(bench, [late])
    assert found.seen == runner.LEAKED


def test_the_matrix_counts_by_area_and_mode() -> None:
    passed, failed = Outcome(scripted(), 0.0, b""), Outcome(scripted("x"), 0.0, b"", "x")
    assert matrix([passed, passed, failed]) == {("area", "hybrid"): (2, 3)}


def test_a_passing_run_exits_0_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "out.json"
    assert main(["--case", QUICK, "--json", str(written)]) == 0
    document = json.loads(written.read_text())
    assert (document["cases"], document["failed"]) == (1, 0)
    assert document["target"]["name"] == "qzmq_ref"
    assert document["matrix"] == [{"area": "handshake", "mode": "classical", "passed": 1, "cases": 1}]
    assert document["results"][0]["id"] == QUICK
    assert "1 cases, 0 failed" in capsys.readouterr().out


def test_a_failing_run_exits_1_and_says_how_to_replay(capsys: pytest.CaptureFixture[str]) -> None:
    case = "handshake/classical/server/established/client_hello"
    assert main(["--case", case, "--adapter", f"{FAULTY} alert-in-the-clear", "--json", "-"]) == 1
    out, shown = capsys.readouterr()
    (result,) = json.loads(out)["results"]
    assert result["seen"] == "alert unexpected_message"
    assert any("peer > client_hello" in message["decoded"][0] for message in result["transcript"])
    assert f"--case {case} --trace" in shown
    assert "alert-in-the-clear" in shown
    assert "HS-18" in shown


@pytest.mark.parametrize("fault", ["dead", "deaf"])
def test_a_target_that_cannot_be_driven_exits_2(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qzmq_conformance.channel.ANSWER_WITHIN", 1.0)
    assert main(["--case", QUICK, "--adapter", f"{FAULTY} {fault}"]) == 2


@pytest.mark.parametrize("command", ["/no/such/program", "true", "cat", "echo hello"])
def test_a_program_that_is_no_target_exits_2(command: str) -> None:
    assert main(["--case", QUICK, "--adapter", command]) == 2


def test_no_such_case_exits_2() -> None:
    assert main(["--case", "no/such/case"]) == 2


def test_undriven_is_not_a_verdict() -> None:
    def play(_: Stage) -> None:
        raise Undriven("gone")

    with Bench() as bench, pytest.raises(Undriven, match="gone"):
        list(runner.run(bench, [Case("area/hybrid/gone", ("HS-1",), play)], 1))


def test_a_trace_decodes_every_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--case", "handshake/hybrid/server/whole-mutual", "--trace"]) == 0
    lines = capsys.readouterr().out
    for expected in (
        "peer > client_hello",
        "ClientHello.suites[0].kem = 03 (x25519_ml_kem_768)",
        "target > server_hello",
        "ServerHello.extensions[0].extension_type = ff02 (client_auth_request)",
        "ClientAuth.certificate = 00",
        "Finished.verify_data = ",
        "RecordHeader.epoch = 0100",
        "target > data",
    ):
        assert expected in lines


def test_listing_plays_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--case", "records/*/order/replay"]) == 0
    assert "records/hybrid/server/order/replay REC-6 unexpected_message" in capsys.readouterr().out
