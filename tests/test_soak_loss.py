"""A cut every moment under PUSH/PULL: nothing twice, damaged or out of order, and no more lost than over plain TCP.

`qzmq soak` is the same run with a million messages.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qzmq_interop.soak import main
from qzmq_interop.soak.plan import Plan
from tests.soak import scaled, timeout

pytestmark = pytest.mark.timeout(timeout(60))

NOISE = 0.1
"""Seconds of traffic per cut that threads which wait for a busy machine may hold. A queue that is lost is 0.4."""


def test_no_more_is_lost_at_cuts_than_over_plain_tcp() -> None:
    """CLS-2, REC-6 under fire, with keys that step and generations that change."""
    plan = Plan(messages=scaled(10_000), rate=2_500, cut_every=0.6, record_cut=64, step_records=200)
    plain, secured = (main.run(mechanism, plan) for mechanism in ("NULL", "QZMQ"))
    print(f"lost at {plain.cuts} cuts over TCP: {plain.lost}, at {secured.cuts} over QZMQ: {secured.lost}")
    assert plain.faultless
    assert secured.faultless
    assert secured.cuts >= 2
    assert secured.received.steps >= 1
    assert secured.lost_per_cut <= plain.lost_per_cut + NOISE * plan.rate


def test_the_command_shows_and_writes_its_figures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "soak.json"
    assert main.main(["--messages", "2000", "--rate", "0", "--json", str(path)]) == 0
    assert "QZMQ | 2,000" in capsys.readouterr().out
    found = {outcome["mechanism"]: outcome for outcome in json.loads(path.read_text())["outcomes"]}
    assert found["QZMQ"]["lost"] == found["NULL"]["lost"] == 0
    assert found["QZMQ"]["faultless"]
