"""The sections of a throughput run, with very little work each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from qzmq_interop.throughput import exchange, go, main, plot
from qzmq_interop.throughput.contestants import EVERY, Contestant, Program
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.outside import NotRun
from qzmq_interop.throughput.processes import Sample
from qzmq_interop.throughput.processor import BITS, MASKS, VARIABLE, Mask, in_use
from qzmq_interop.throughput.report import Report
from qzmq_interop.throughput.results import Result
from qzmq_interop.throughput.rounds import Effort, Run, measure
from qzmq_interop.throughput.scenarios import Scenario
from qzmq_interop.throughput.sections import SECTIONS, acceleration, claims, growth, handshakes, suites
from qzmq_interop.throughput.sections.claims import Claim
from qzmq_interop.throughput.sheets import Ratio, by_contestant, compared, told
from qzmq_interop.throughput.units import FORMATS
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AeadId

LITTLE = Effort(rounds=1, part=0.0005, console=Console(quiet=True))

needs_masks = pytest.mark.skipif(in_use() is None, reason="OpenSSL's mask is that of x86-64")


def tiny(axis: growth.Axis) -> growth.Axis:
    """Two values, few messages."""
    return replace(axis, values=(1, 3), plan=lambda value: replace(axis.plan(value), messages=6, warm_up=2))


def figures(scenarios: Sequence[Scenario], contestants: Sequence[Contestant], _effort: Effort) -> Run:
    """In place of measuring: every figure is 1,000."""
    sample = Sample(dict.fromkeys(FORMATS, 1000.0), 1.0)
    return Run([Result(each, {one.name: [sample] for one in contestants}) for each in scenarios], {})


@pytest.mark.parametrize("mask", MASKS, ids=lambda mask: mask.name)
def test_a_mask_clears_its_bits_in_every_word_and_no_others(mask: Mask) -> None:
    words = [int(word.removeprefix("~"), 16) for word in mask.environment.get(VARIABLE, "").split(":") if word]
    hidden = {name for name, (word, bit) in BITS.items() if word < len(words) and words[word] >> bit & 1}
    assert hidden == set(mask.hidden)
    assert sum(word.bit_count() for word in words) == len(hidden)


@needs_masks
def test_openssl_says_that_the_mask_is_taken() -> None:
    """And this process, which has started without one, keeps what it has."""
    before = in_use()
    raw = acceleration.raw_speeds(MASKS[-1], 0.0)
    assert list(raw.in_use) == []
    assert raw.speeds.keys() == {AeadId.AES_256_GCM, AeadId.CHACHA20_POLY1305}
    assert (in_use(), VARIABLE in os.environ) == (before, False)


@pytest.fixture
def environments(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Mapping[str, str]]:
    """The environment of each contestant by name, in place of measuring them: that is the same as everywhere."""
    found: dict[str, Mapping[str, str]] = {}

    def measured(_scenarios: object, contestants: Sequence[Contestant], _effort: Effort) -> Run:
        found.update({each.name: each.environment for each in contestants})
        return Run([], {"CURVE": "not built in"})

    monkeypatch.setattr(acceleration, "MASKS", (MASKS[0], MASKS[-1]))
    monkeypatch.setattr(acceleration, "measure", measured)
    return found


MASKED = [f"{aead}, {mask.name}" for aead in suites.NAMES.values() for mask in (MASKS[0], MASKS[-1])]


@needs_masks
def test_acceleration_shows_alone_and_flowing(
    monkeypatch: pytest.MonkeyPatch, environments: Mapping[str, Mapping[str, str]]
) -> None:
    """Messages flow behind the same masks."""

    def not_built(_backend: str, _folder: object) -> Program:
        raise NotRun("no toolchain")

    monkeypatch.setattr(go, "build", not_built)
    ours, peers = acceleration.measured(LITTLE)
    assert [row[0] for row in ours.rows] == MASKED
    hidden = {name: MASKS[-1].environment if "without" in name else {} for name in (*MASKED, "NULL", "CURVE")}
    assert environments == hidden
    assert ours.notes[0].startswith("everything: OpenSSL uses ")
    assert ours.notes[1:] == [
        "without any of them: OpenSSL uses none of these instructions",
        "NOT RUN: CURVE: not built in",
    ]
    assert (peers.rows, peers.notes) == ([], ["NOT RUN: Go peer: no toolchain"])


@needs_masks
def test_acceleration_hides_from_go_too(
    monkeypatch: pytest.MonkeyPatch, environments: Mapping[str, Mapping[str, str]]
) -> None:
    monkeypatch.setattr(go, "build", lambda _backend, _folder: Program("go", ("go",)))
    raw = acceleration.Raw((), {aead: dict.fromkeys(acceleration.SIZES, 1e9) for aead in suites.NAMES})
    monkeypatch.setattr(acceleration, "raw_speeds", lambda _mask, _seconds: raw)
    acceleration.measured(LITTLE)
    assert environments[MASKED[1]]["GODEBUG"] == "cpu.aes=off,cpu.pclmulqdq=off,cpu.avx=off,cpu.avx2=off,cpu.sha=off"


def test_a_side_seals_alone() -> None:
    sealing = replace(acceleration.SEALING[0], plan=Plan(1024, messages=10, warm_up=1))
    results = measure([sealing], EVERY[-1:], replace(LITTLE, part=1.0)).results
    [row] = by_contestant("", results, "CURVE").rows
    assert row[0] == "QZMQ"
    assert row[1].endswith("B/s")


def test_suites_differ_in_their_aead_only() -> None:
    aes, chacha = (suites.policy(aead) for aead in suites.NAMES)
    assert chacha == replace(aes, suites=(replace(aes.suites[0], aead=AeadId.CHACHA20_POLY1305),))
    assert aes == Policy.preset("default")


def test_handshakes_cost_less_where_less_is_done() -> None:
    """Judged by octets, which no load of the machine changes: signatures are most of them."""
    default = Policy.preset("default")
    whole, anonymous, resumed = (
        exchange.full(default)().octets,
        exchange.full(default, client_key=False)().octets,
        exchange.resumed(default)().octets,
    )
    assert resumed < anonymous < whole


def test_every_kind_of_handshake_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshakes, "SECONDS", 0.0)
    kinds = handshakes.alone(LITTLE)
    assert [kind.name.split()[0] for kind in kinds[: len(handshakes.PRESETS)]] == list(handshakes.PRESETS)
    assert all(kind.typical.client > 0 and kind.typical.server > 0 for kind in kinds)
    assert all(kind.public_key > 0 for kind in kinds)


def test_growth_draws_a_curve_per_mechanism(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(growth, "measure", figures)
    sheets = growth.measured(LITTLE)
    charts = [chart for sheet in sheets for chart in sheet.charts]
    assert [chart.title for chart in charts] == [axis.title for axis in growth.AXES]
    for axis, chart in zip(growth.AXES, charts, strict=True):
        assert [curve.name for curve in chart.curves] == ["NULL", "CURVE", "QZMQ"]
        assert all(curve.points == [(value, 1000.0) for value in axis.values] for curve in chart.curves)
    plot.save(Report({}, 1, sheets={"growth": sheets}), tmp_path / "run.svg")
    assert (tmp_path / "run.svg").read_text().count('id="axes_') == len(charts)


def test_every_subscriber_gets_everything() -> None:
    """Under every mechanism: the measurement ends when the last one has the last message."""
    axis = tiny(growth.AXES[-1])
    [result] = measure(axis.scenarios()[1:], EVERY, replace(LITTLE, part=1.0)).results
    assert all(result.median(name) > 0 for name in ("NULL", "CURVE", "QZMQ"))


def test_a_sample_of_growth_is_bounded() -> None:
    plans = [axis.plan(value) for axis in growth.AXES for value in axis.values]
    assert all(plan.messages * plan.size <= max(growth.MOST_OCTETS, 8 * plan.size) for plan in plans)
    assert all(plan.warm_up >= 1 for plan in plans)


@pytest.mark.parametrize(
    ("claim", "row"),
    [
        (Claim("a", 2e-6, 3e-6, "s"), ["a", "2 µs", "3 µs", "1.50", "", ""]),
        (Claim("b", 5e-3, 3e-3, "s", 6e-3, "<"), ["b", "< 5.00 ms", "3.00 ms", "met", "6.00 ms", "missed"]),
        (Claim("c", 5e-3, 5e-3, "s", bound="<"), ["c", "< 5.00 ms", "5.00 ms", "missed", "", ""]),
        (Claim("d", 4.0, 2.0, "ratio", 8.0), ["d", "4.00", "2.00", "0.50", "8.00", "2.00"]),
    ],
)
def test_a_claim_is_a_ratio_or_a_target(claim: Claim, row: list[str]) -> None:
    assert claim.row() == row


@pytest.fixture
def go_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go peer that is built and never run."""
    monkeypatch.setattr(go, "build", lambda _backend, _folder: Program("go/pure", ("go",)))
    monkeypatch.setattr(handshakes, "SECONDS", 0.0)
    for section in (claims, handshakes):
        monkeypatch.setattr(section, "measure", figures)


@pytest.mark.usefixtures("go_peer")
def test_claims_are_set_beside_both_implementations() -> None:
    [sheet] = claims.measured(LITTLE)
    rows = {row[0]: row[1:] for row in sheet.rows}
    assert rows["handshake, hybrid"][3] == "1000.00 s"
    assert rows["hybrid beside classical"][3:] == ["1.00", "0.26"]
    assert rows["AES-256-GCM per message"][3] == "1.02 s"
    assert rows["10, 8 or 6 Gbit/s; here PUSH/PULL of 64 KiB"] == ["10.00 Gbit/s", "0.00 Gbit/s", "0.00", "", ""]


@pytest.mark.usefixtures("go_peer")
def test_handshakes_are_set_beside_the_go_peer() -> None:
    beside = handshakes.measured(LITTLE)[1]
    assert beside.headings == ["handshake", "reference", "go/pure"]
    assert beside.rows == [[preset, "1000.00 s", "1000.00 s"] for preset in handshakes.PRESETS]


def test_a_side_shakes_hands_alone() -> None:
    little = replace(handshakes.IN_MEMORY, plan=Plan(messages=1))
    [result] = measure([little], EVERY[-1:], replace(LITTLE, part=1.0)).results
    assert 0 < result.median("QZMQ") < 10


def test_records_of_the_claims_are_sealed_and_stepped() -> None:
    assert claims.sealing(AeadId.AES_256_GCM, 0.001) > 0
    assert 0 < claims.stepping(0.001) < 1


def test_what_was_not_run_is_told_and_leaves_no_ratio() -> None:
    run = Run([], {"go": "no toolchain"})
    assert told(run.not_run) == ["NOT RUN: go: no toolchain"]
    assert compared("", run.results, [Ratio("QZMQ", "CURVE")]).headings == ["scenario"]


def test_a_section_goes_to_the_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "run.json"
    assert main.main(["--section", "gpu", "--quick", "--json", str(path)]) == 0
    found = json.loads(path.read_text())
    assert (list(found["sections"]), found["scenarios"]) == (["gpu"], [])
    assert "gpu: batched records" in capsys.readouterr().out


def test_help_asks_every_question(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    assert all(f"{name}: {section.question}" in text for name, section in SECTIONS.items())
