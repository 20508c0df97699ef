"""Policies (spec/policies.md): what is accepted, what is refused, and with which next step."""

import logging
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.policy import MAX_RECORD, Limits, Policy, mode_of, modes, preset_names
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, SigId
from qzmq_ref.spec.tables import tables

suites = st.builds(
    CipherSuite, st.sampled_from(KemId), st.sampled_from(SigId), st.sampled_from(AeadId), st.sampled_from(HashId)
)


@given(suites)
def test_a_suite_is_accepted_by_its_own_mode_only(suite: CipherSuite) -> None:
    """POL-7, POL-8, POL-10."""
    own = mode_of(suite)
    for mode in modes():
        if mode == own and suite.hash is not HashId.BLAKE3:
            assert Policy((suite,), mode=mode).suites == (suite,)
        else:
            with pytest.raises(LocalError, match=r"POL-[78]"):
                Policy((suite,), mode=mode)


def test_the_mode_is_hybrid_unless_another_is_named() -> None:
    """POL-10, POL-11."""
    classical = Policy.preset("performance").suites
    with pytest.raises(LocalError, match="POL-8"):
        Policy(classical)
    assert Policy(Policy.preset("default").suites).mode == "hybrid"


def test_a_mixed_policy_warns_of_its_classical_suites(caplog: pytest.LogCaptureFixture) -> None:
    """POL-8, POL-9."""
    both = Policy.preset("default").suites + Policy.preset("performance").suites
    with caplog.at_level(logging.WARNING, "qzmq"):
        assert Policy(both, mixed=True).client_signatures == tuple(SigId)
    assert "X25519/ED25519" in caplog.text


@pytest.mark.parametrize("name", [row["Preset"] for row in tables()["presets"]])
def test_every_preset_has_the_suites_of_its_rows(name: str) -> None:
    """POL-12."""
    rows = [row for row in tables()["presets"] if row["Preset"] == name]
    expected = [tuple(row[column].upper() for column in ("KEM", "Signature", "AEAD", "Hash")) for row in rows]
    policy = Policy.preset(name)
    assert [tuple(str(suite).split("/")) for suite in policy.suites] == expected
    assert policy.mode == rows[0]["Mode"]


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    """POL-13."""
    with pytest.raises(LocalError, match="conservative"):
        Policy.preset("strong")
    assert "default" in preset_names()


@pytest.mark.parametrize("suites", [(), Policy.preset("default").suites * 2])
def test_no_suite_and_a_repeated_suite_are_refused(suites: tuple[CipherSuite, ...]) -> None:
    """POL-1."""
    with pytest.raises(LocalError, match="POL-1"):
        Policy(suites)


@pytest.mark.parametrize("field", ["step_records", "step_octets", "step_seconds", "step_blocks", "generation_seconds"])
def test_a_limit_can_only_be_lowered(field: str) -> None:
    """POL-16, ROT-1."""
    ceiling = getattr(Limits(), field)
    assert getattr(replace(Limits(), **{field: ceiling / 2}), field) == ceiling / 2
    for value in (0, -1, ceiling + 1):
        with pytest.raises(LocalError, match=field):
            replace(Limits(), **{field: value})


def test_the_ceilings_are_those_of_the_table() -> None:
    """ROT-1."""
    for row in tables()["limits"]:
        base, _, exponent = row["Ceiling"].partition("^")
        assert getattr(Limits(), row["Limit"]) == (int(base) ** int(exponent) if exponent else int(base))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("record_cut", 0),
        ("record_cut", MAX_RECORD + 1),
        ("padding", -1),
        ("padding", 2**15 + 1),
        ("handshake_timeout", 9),
    ],
)
def test_other_bounds(field: str, value: Any) -> None:
    """REC-3, REC-13, POL-16."""
    with pytest.raises(LocalError, match=field):
        replace(Policy.preset("default"), **{field: value})
