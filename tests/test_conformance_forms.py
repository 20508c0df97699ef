"""Malformed forms: the notation alone decides, and the reference's codec agrees with it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_conformance.forms import Layout, malformed
from qzmq_conformance.wire import forms, sample
from qzmq_ref.spec import notation
from qzmq_ref.spec.notation import Vector
from qzmq_ref.spec.schema import SchemaError, load
from tests.strategies import HASH_LENGTH, definition_values

LAYOUT = Layout(load().ast, {"hash_length": HASH_LENGTH})
STRUCTURES = sorted(name for name, definition in load().ast.items() if isinstance(definition, notation.Struct))
MESSAGES = ("ClientHello", "ServerHello", "ClientKey", "ClientAuth", "Finished", "AlertBody")


def parses(name: str, octets: bytes) -> bool:
    try:
        load().parse(name, octets, hash_length=HASH_LENGTH)
    except SchemaError:
        return False
    return True


@pytest.mark.parametrize("name", STRUCTURES)
@settings(max_examples=30)
@given(data=st.data())
def test_layout_and_codec_agree_on_what_is_well_formed(name: str, data: st.DataObject) -> None:
    octets = bytearray(load().build(data.draw(definition_values(load(), name)), hash_length=HASH_LENGTH))
    assert LAYOUT.well_formed(name, bytes(octets))
    for _ in range(data.draw(st.integers(1, 3))):
        position = data.draw(st.integers(0, len(octets)))
        octets[position : position + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    assert LAYOUT.well_formed(name, bytes(octets)) == parses(name, bytes(octets))


@pytest.mark.parametrize("name", STRUCTURES)
@settings(max_examples=30)
@given(data=st.data())
def test_no_malformed_form_parses(name: str, data: st.DataObject) -> None:
    octets = load().build(data.draw(definition_values(load(), name)), hash_length=HASH_LENGTH)
    labels = []
    for form in malformed(LAYOUT, name, octets):
        assert not parses(name, form.octets), form.label
        labels.append(form.label)
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize("name", STRUCTURES)
@settings(max_examples=30)
@given(data=st.data())
def test_spans_cover_every_octet_once(name: str, data: st.DataObject) -> None:
    """The innermost spans and the length fields, laid side by side, are the whole value."""
    octets = load().build(data.draw(definition_values(load(), name)), hash_length=HASH_LENGTH)
    spans = LAYOUT.spans(name, octets)
    around = {outer.path for span in spans for outer in span.enclosing}
    covered: list[int] = []
    for span in spans:
        if isinstance(span.type, Vector):
            covered += range(span.first, span.start)
        if span.path not in around:
            covered += range(span.start, span.end)
    assert sorted(covered) == list(range(len(octets)))


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_of_a_message_is_broken_somewhere(name: str) -> None:
    octets = sample(name, "hybrid")
    cut_at = {len(broken) for broken in forms(name, octets, "hybrid").values() if octets.startswith(broken)}
    for span in Layout(load().ast, {"hash_length": 32}).spans(name, octets):
        assert span.first in cut_at
        assert span.end - 1 in cut_at


def test_floor_and_ceiling_are_broken_where_there_are_some() -> None:
    assert {"suites/empty", "suites/floor", "suites/ceiling", "suites/half-element"} <= set(
        forms("ClientHello", sample("ClientHello", "hybrid"), "hybrid")
    )
    assert "sealed_auth/floor" in forms("ClientKey", sample("ClientKey", "hybrid"), "hybrid")
