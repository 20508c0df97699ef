"""An adapter that lies is found out, and told what it did; an honest one that lacks something is not blamed for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from qzmq_conformance.main import FAILED, PASSED, UNDRIVEN, main

QUICK = "handshake/classical/server/whole"
ORDER = "records/classical/server/order/gap"
PUZZLE = "puzzle/classical/server/SecondClientHello/random"
PATTERN = "patterns/classical/PULL-PUSH/binds-as-server"
ALERT = "events/hybrid/server/sends/REC-6"
STEPS = "rotation/hybrid/server/on-demand/steps"
GENERATION = "rotation/classical/server/on-demand/generation"
TICKETS = "resumption/hybrid/client/on-demand"
EXPORT = "exporter/classical/server/equal"
WITHHELD = "exporter/hybrid/server/withheld"
SECRETS = "vectors/hybrid/kem/decapsulate"
CIPHERTEXTS = "vectors/hybrid/kem/encapsulate"
KEYS = "vectors/hybrid/certificates/raw_key"
HANDSHAKES = "vectors/hybrid/handshake/follow"
REFUSALS = "vectors/hybrid/records/open"
Shown = pytest.CaptureFixture[str]


def conform(name: str, *arguments: str) -> int:
    adapter = f"{sys.executable} -m tests.lying_adapter {name}"
    return main(["--adapter", adapter, "--patience", "2", *arguments])


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("eager", "asked for the verb nonsense_"),
        ("compliant", "asked for the feature nonsense_"),
        ("versatile", "asked for vectors of the kind nonsense_"),
        ("boastful", "it claims suites that QZMQ does not have: rot13/none/none/none"),
        ("empty", "it claims nothing that any of these cases could use"),
        ("hangs", "no answer to open within 4 s"),
        ("hangs-later", "no answer to recv within 4 s"),
        ("dies", "this is the end"),
        ("rambles", "some debugging output"),
        ("ignores", "open: the answer lacks endpoint, socket"),
        ("garbled", "the answer to recv is none of the protocol"),
    ],
)
def test_no_verdict_without_a_protocol(name: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    monkeypatch.setattr("qzmq_conformance.channel.ANSWER_WITHIN", 4.0)
    monkeypatch.setattr("qzmq_conformance.channel.END_WITHIN", 1.0)
    assert conform(name, "--case", ORDER) == UNDRIVEN
    out = capsys.readouterr().out
    assert "the adapter could not be driven" in out
    assert told in out


@pytest.mark.parametrize(
    ("name", "case", "told"),
    [
        ("plaintext", PATTERN, "no message reached the application"),
        ("careless", PUZZLE, "server_hello"),
        ("repentant", QUICK, "the adapter answers open with unsupported pattern ROUTER"),
        ("deaf-recv", PATTERN, "no message reached the application"),
    ],
)
def test_a_claim_that_is_not_true_fails_its_case(name: str, case: str, told: str, capsys: Shown) -> None:
    assert conform(name, "--case", case) == FAILED
    assert told in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "meddling",
            {
                ALERT: "'requirement': 'REC-1'",
                STEPS: "epoch 0x0100",
                GENERATION: "did nothing for 2.0 s",
                TICKETS: "a ClientHello with a ticket",
                EXPORT: "for 'EXPERIMENTAL qzmq conform'",
                WITHHELD: "'octets':",
                SECRETS: "secret is",
                CIPHERTEXTS: "ciphertext and secret do not hold",
            },
        ),
        (
            "forgets-itself",
            {
                EXPORT: "the adapter answers control with unsupported action export",
                SECRETS: "the adapter answers vector with unsupported vectors of kind kem",
                ALERT: "the adapter answers events with unsupported verb events",
            },
        ),
        ("deaf-events", {ALERT: "[] among the events within 2.0 s"}),
        ("echo", {SECRETS: "answered"}),
        ("yes-man", {KEYS: 'answered {"id"', SECRETS: "secret is null"}),
        ("another-alert", {REFUSALS: "refused with internal_error", KEYS: "refused with internal_error"}),
        ("another-place", {HANDSHAKES: "refused at 0 instead of "}),
    ],
)
def test_the_verbs_beyond_sockets_are_not_believed_either(
    name: str, told: Mapping[str, str], tmp_path: Path, capsys: Shown
) -> None:
    written = tmp_path / "out.json"
    chosen = [word for case in told for word in ("--case", case)]
    assert conform(name, *chosen, "--json", str(written)) == FAILED
    found = {result["id"]: result.get("seen", "") for result in json.loads(written.read_text())["results"]}
    assert {case: text for case, text in told.items() if text not in found[case]} == {}
    assert capsys.readouterr().out.count("FAILED") == len(told)


def test_what_is_not_claimed_is_not_run_and_counted(tmp_path: Path, capsys: Shown) -> None:
    written = tmp_path / "out.json"
    chosen = ("--case", QUICK, "--case", PUZZLE, "--case", "handshake/classical/client/whole")
    assert conform("modest", *chosen, "--json", str(written)) == PASSED
    document = json.loads(written.read_text())
    assert [result["id"] for result in document["results"]] == [QUICK]
    assert document["not_run"] == {PUZZLE: "feature retry", "handshake/classical/client/whole": "role client"}
    assert "not run: unsupported feature retry: 1 cases" in capsys.readouterr().out


def test_a_capability_that_got_lost_is_a_failure(tmp_path: Path, capsys: Shown) -> None:
    recorded = tmp_path / "capabilities.json"
    assert conform("modest", "--case", QUICK, "--ratchet", str(recorded)) == PASSED
    assert "retry" not in recorded.read_text()
    assert main(["--case", QUICK, "--ratchet", str(recorded)]) == PASSED
    assert "retry" in recorded.read_text()
    assert conform("modest", "--case", QUICK, "--ratchet", str(recorded)) == FAILED
    assert "feature retry got lost" in capsys.readouterr().out
    assert "retry" in recorded.read_text()
