"""The seeded faults: each still fits the reference, names what it breaks, and is noticed."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from qzmq_conformance.case import Case, Failed
from qzmq_conformance.stage import Stage
from qzmq_conformance.strength import hunt
from qzmq_conformance.strength.coverage import cover, reasons
from qzmq_conformance.strength.main import main
from qzmq_conformance.strength.table import ROLES, Fault, faults
from qzmq_conformance.suite import cases
from qzmq_ref.spec.tables import requirements

CASES = {case.id: case for case in cases()}
NOTICED = "order-unchecked"


def changed(fault: Fault) -> str:
    """The source of the fault's module with the fault in it."""
    spec = find_spec(fault.module)
    assert spec is not None
    assert spec.origin is not None
    return fault.put_into(Path(spec.origin).read_text(encoding="utf-8"))


def test_there_are_many_in_both_roles() -> None:
    assert len(faults()) >= 150
    assert {role for fault in faults().values() for role in fault.roles} == set(ROLES)


def test_every_fault_fits_its_module_once_and_is_still_python() -> None:
    for fault in faults().values():
        assert fault.right != fault.wrong, fault.name
        compile(changed(fault), fault.module, "exec")


def test_a_fault_that_no_longer_fits_is_an_error() -> None:
    fault = Fault("gone", "REC-6", "qzmq_ref.records", "no such line", "pass")
    with pytest.raises(LookupError, match=r"gone: .* has 0 times"):
        changed(fault)


def test_every_fault_names_a_requirement_and_a_case_that_cites_it() -> None:
    for fault in faults().values():
        assert fault.requirement in requirements(), fault.name
        assert fault.role in ("", *ROLES), fault.name
        if fault.case:
            assert fault.requirement in CASES[fault.case].requirements, fault.name


def test_every_must_is_covered_or_has_a_reason() -> None:
    missing = [each for each in cover(CASES.values(), faults().values()) if not each.complete]
    assert not missing


def test_no_reason_is_left_over() -> None:
    found = {each.requirement: each for each in cover(CASES.values(), faults().values())}
    assert reasons().keys() <= found.keys()
    assert not [name for name in reasons() if found[name].positive and found[name].negative]


def test_a_kill_counts_only_if_the_sound_reference_passes_the_case() -> None:
    """One case fails against everybody, one passes, one notices; the last is the kill."""

    def fails(_: Stage) -> None:
        raise Failed("whatever")

    always, never = Case("records/hybrid/server/always", ("REC-6",), fails), CASES["handshake/hybrid/server/whole"]
    (verdict,) = hunt.hunt([faulty()], [always, never, CASES[faulty().case]])
    assert (verdict.own, verdict.elsewhere) == (faulty().case, "")


def test_a_fault_that_only_another_rules_case_notices_is_shown_apart() -> None:
    other = Fault(**{**vars(faulty()), "requirement": "REC-7"})
    (verdict,) = hunt.hunt([other], [CASES[faulty().case]])
    assert (verdict.own, verdict.elsewhere) == ("", faulty().case)


def faulty() -> Fault:
    """A fault of the server alone."""
    return Fault(**{**vars(faults()[NOTICED]), "role": "server"})


def test_the_command_prints_the_kill_rate_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    written = tmp_path / "strength.json"
    assert main(["--fault", "wrong-number-wrong-alert", "--json", str(written)]) == 0
    assert "2 killed by a case of their own requirement (100.0%)" in capsys.readouterr().out
    document = json.loads(written.read_text())
    assert (document["faults"], document["versions"], document["killed_by_own_case"]) == (1, 2, 2)
    assert {verdict["role"] for verdict in document["verdicts"]} == set(ROLES)


def test_listing_puts_nothing_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--fault", "REC-6"]) == 0
    assert f"{NOTICED} REC-6 both" in capsys.readouterr().out
    assert main(["--list", "--fault", "no-such-fault"]) == 2
