"""The codec derived from the notation is strict: exactly the octets of the notation, in both directions (REG-2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, make_dataclass, replace
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref import registries
from qzmq_ref.spec import notation, schema
from qzmq_ref.spec.notation import Struct
from qzmq_ref.spec.schema import Schema, SchemaError
from tests.strategies import HASH_LENGTH, definition_values

TEXT = """
enum { raw(0), chain(1), none(2), (255) } Kind;
open enum { raw(0x0001), second(0x0A0A), (65535) } Number;    /* `raw` has another value here */
struct { uint24 items; opaque name<1..5>; } Link;             /* a dict has methods named items and update */
struct {
    uint64 update;
    opaque random[3];
    Number numbers<2..8>;
    uint16 pair[4];
    Kind kind;
    select (kind) { case raw: opaque key<0..300>; case chain: Link links<5..40>; } body;
    opaque keys[Hash.length];
} Example;
struct { uint8 version; Link links[rest]; } Tail;
"""


def example() -> Schema:
    """A fresh schema of TEXT, with no class bound."""
    definitions = {definition.name: definition for definition in notation.parse(TEXT)}
    notation.check(definitions)
    return Schema(definitions)


CODEC = example()
SPEC = schema.load()
STRUCTURES = sorted(name for name, definition in SPEC.ast.items() if isinstance(definition, Struct))


def spec_values() -> st.SearchStrategy[object]:
    return st.sampled_from(STRUCTURES).flatmap(lambda name: definition_values(SPEC, name))


def leaves(value: object) -> list[object]:
    if is_dataclass(value):
        return [leaf for field in fields(value) for leaf in leaves(getattr(value, field.name))]
    return [leaf for item in value for leaf in leaves(item)] if isinstance(value, tuple) else [value]


def parsed(codec: Schema, name: str, octets: bytes) -> object:
    return codec.parse(name, octets, hash_length=HASH_LENGTH)


def refused(octets: bytes, path: str, name: str = "Example") -> SchemaError:
    """The error that `octets` are answered with, which blames `path`."""
    with pytest.raises(SchemaError) as caught:
        parsed(CODEC, name, octets)
    assert (caught.value.structure, caught.value.path) == (name, path)
    return caught.value


@given(definition_values(CODEC, "Example") | definition_values(CODEC, "Tail"))
def test_a_value_comes_back_from_its_octets(value: Any) -> None:
    octets = CODEC.build(value, hash_length=HASH_LENGTH)
    assert parsed(CODEC, type(value).__name__, octets) == value


@given(spec_values())
def test_every_structure_of_the_specification_comes_back(value: Any) -> None:
    octets = SPEC.build(value, hash_length=HASH_LENGTH)
    again = SPEC.parse(type(value), octets, hash_length=HASH_LENGTH)
    assert again == value
    assert all(isinstance(leaf, bytes | int) for leaf in leaves(again))


@given(definition_values(CODEC, "Example"), st.data())
def test_every_truncation_and_every_trailing_octet_is_refused(value: Any, data: st.DataObject) -> None:
    """NOT-1, NOT-9."""
    octets = CODEC.build(value, hash_length=HASH_LENGTH)
    for cut in range(len(octets)):
        with pytest.raises(SchemaError) as caught:
            parsed(CODEC, "Example", octets[:cut])
        assert caught.value.offset is not None
        assert caught.value.offset <= cut
    error = refused(octets + data.draw(st.binary(min_size=1, max_size=9)), "")
    assert error.offset == len(octets)


@given(spec_values(), st.data())
def test_no_value_has_two_encodings(value: Any, data: st.DataObject) -> None:
    """Whatever octets become, they are refused or are the very octets that their value is built to."""
    octets = bytearray(SPEC.build(value, hash_length=HASH_LENGTH))
    for _ in range(data.draw(st.integers(0, 3))):
        place = data.draw(st.integers(0, max(0, len(octets) - 1)))
        octets[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=2))
    try:
        again = SPEC.parse(type(value), bytes(octets), hash_length=HASH_LENGTH)
    except SchemaError:
        return
    assert SPEC.build(again, hash_length=HASH_LENGTH) == bytes(octets)


VALUE: Any = CODEC.dataclass_for("Example")(7, b"abc", (1, 5), (8, 9), 0, b"key", b"hash")
LINK: Any = CODEC.dataclass_for("Link")
HEAD = bytes.fromhex("0000000000000007") + b"abc"


@pytest.mark.parametrize(
    ("octets", "path", "offset", "name"),
    [
        (HEAD + b"\x00", "numbers", 11, "Example"),
        (HEAD + b"\x0a" + bytes(10), "numbers", 11, "Example"),
        (HEAD + b"\x04\x00", "numbers", 11, "Example"),
        (HEAD + b"\x03" + bytes(10), "numbers[1]", 14, "Example"),
        (HEAD + b"\x02\x00\x01" + bytes(4) + b"\x03", "kind", 18, "Example"),
        (HEAD + b"\x02\x00\x01" + bytes(4) + b"\x02" + bytes(9), "body", 18, "Example"),
        (HEAD + b"\x02\x00\x01" + bytes(4) + b"\x00\x01\x2d" + bytes(400), "body", 19, "Example"),
        (HEAD + b"\x02\x00\x01" + bytes(4) + b"\x01\x05\x00\x00\x00\x00\x00", "body[0].name", 23, "Example"),
        (HEAD + b"\x02\x00\x01" + bytes(4) + b"\x01\x05\x00\x00\x00\x02aa", "body[0].name", 23, "Example"),
        (b"\x00\x00\x00\x07\x01a\x00\x00", "links[1].items", 6, "Tail"),
    ],
)
def test_an_error_names_field_and_offset(octets: bytes, path: str, offset: int, name: str) -> None:
    """NOT-3: floor, ceiling, end; NOT-5, NOT-9: an element cut off; NOT-6: closed enum; NOT-8: no case."""
    assert refused(octets, path, name).offset == offset


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"update": 2**64}, "update"),
        ({"update": -1}, "update"),
        ({"update": "7"}, "update"),
        ({"random": b"ab"}, "random"),
        ({"random": "abc"}, "random"),
        ({"random": 3}, "random"),
        ({"numbers": ()}, "numbers"),
        ({"numbers": (1, 2, 3, 4, 5)}, "numbers"),
        ({"numbers": [1]}, "numbers"),
        ({"numbers": (65536,)}, "numbers[0]"),
        ({"pair": (1, 2, 3)}, "pair"),
        ({"kind": 3}, "kind"),
        ({"kind": 2}, "body"),
        ({"kind": 1}, "body"),
        ({"body": bytes(301)}, "body"),
        ({"kind": 1, "body": (LINK(2**24, b"a"),)}, "body[0].items"),
        ({"kind": 1, "body": (LINK(1, b""),)}, "body[0].name"),
        ({"kind": 1, "body": (7,)}, "body[0]"),
        ({"keys": b"hashes"}, "keys"),
    ],
)
def test_a_value_outside_the_notation_is_not_built(change: dict[str, Any], path: str) -> None:
    """NOT-4 among others."""
    with pytest.raises(SchemaError) as caught:
        CODEC.build(replace(VALUE, **change), hash_length=HASH_LENGTH)
    assert (caught.value.path, caught.value.offset) == (path, None)


def test_a_missing_parameter_is_named() -> None:
    with pytest.raises(TypeError, match="pass hash_length="):
        CODEC.build(VALUE)


def test_an_open_enum_keeps_what_it_does_not_know() -> None:
    """NOT-7: known codes become members, others stay numbers."""
    suite = SPEC.parse(registries.CipherSuite, b"\x01\x02\x00\xee")
    assert suite == registries.CipherSuite(
        registries.KemId.ML_KEM_768, registries.SigId.ML_DSA_65, registries.AeadId.AES_256_GCM, 0xEE
    )
    assert isinstance(suite.kem, registries.KemId)
    assert type(suite.hash) is int


class Kind(IntEnum):
    RAW = 0
    CHAIN = 1
    NONE = 2


class Number(IntEnum):
    RAW = 1
    SECOND = 0x0A0A


@dataclass(frozen=True)
class Link:
    items: int
    name: bytes


@dataclass(frozen=True)
class Example:
    update: int
    random: bytes
    numbers: tuple[Number | int, ...]
    pair: tuple[int, ...]
    kind: Kind
    body: bytes | tuple[Link, ...]
    keys: bytes


def bound() -> Schema:
    codec = example()
    codec.enumeration("Kind")(Kind)
    codec.enumeration("Number")(Number)
    codec.structure("Link")(Link)
    return codec


def test_bound_classes_come_back_as_such() -> None:
    codec = bound()
    codec.structure("Example")(Example)
    value = Example(7, b"abc", (Number.RAW, 5), (8, 9), Kind.CHAIN, (Link(1, b"x"),), b"hash")
    again = codec.parse(Example, codec.build(value, hash_length=4), hash_length=4)
    assert again == value
    assert isinstance(again.kind, Kind)
    assert isinstance(again.numbers[0], Number)


def _without_last(cls: type) -> type:
    return make_dataclass(cls.__name__, [(field.name, field.type) for field in fields(cls)[:-1]], frozen=True)


def _with_type(cls: type, name: str, kind: object) -> type:
    shape = [(field.name, kind if field.name == name else field.type) for field in fields(cls)]
    return make_dataclass(cls.__name__, shape, frozen=True, namespace={"__module__": __name__})


@pytest.mark.parametrize(
    "change",
    [
        _without_last,
        lambda cls: _with_type(cls, "numbers", "tuple[Number, ...]"),
        lambda cls: _with_type(cls, "kind", "Kind | int"),
        lambda cls: _with_type(cls, "body", "bytes"),
        lambda cls: _with_type(cls, "random", "str"),
        lambda cls: make_dataclass("E", [(field.name, field.type) for field in reversed(fields(cls))]),
        lambda cls: make_dataclass("E", [(field.name + "s", field.type) for field in fields(cls)]),
    ],
)
def test_a_class_that_is_not_the_structure_is_refused(change: Callable[[type], type]) -> None:
    cls = change(Example)
    cls.__module__ = __name__
    with pytest.raises(TypeError, match="not the Example of the specification"):
        bound().structure("Example")(cls)


def test_an_enum_with_another_member_value_or_order_is_refused() -> None:
    codec = example()
    for members in ({"RAW": 0, "CHAIN": 1}, {"RAW": 0, "CHAIN": 2, "NONE": 1}, {"CHAIN": 1, "RAW": 0, "NONE": 2}):
        with pytest.raises(TypeError, match="not the Kind of the specification"):
            codec.enumeration("Kind")(IntEnum("Kind", members))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="must be bound"):
        codec.structure("Example")(Example)
    with pytest.raises(TypeError, match="not a structure"):
        codec.structure("Kind")(Link)
