"""The notation itself: what the grammar reads, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.spec import notation
from qzmq_ref.spec.notation import (
    Definition,
    Enum,
    Field,
    Fixed,
    NotationError,
    Opaque,
    Reference,
    Rest,
    Select,
    Struct,
    Uint,
    Vector,
)

EXAMPLE = """
enum { raw(0), chain(1), (255) } Kind;              /* closed */
open enum { first(0x0001), (65535) } Number;
struct { uint8 octet; } Link;
struct {
    uint24 version;   /* a comment
                         over two lines; */
    opaque random[32];
    Number numbers<2..2^16-2>;
    Kind kind;
    select (kind) { case raw: opaque key<1..2^16-1>; case chain: Link; } body;
    opaque verify_data[Hash.length];
    opaque tail[rest];
} Example;
"""


def checked(text: str) -> Mapping[str, Definition]:
    """The definitions of `text` by name, after the checks that the specification's own pages pass."""
    definitions = {definition.name: definition for definition in notation.parse(text)}
    notation.check(definitions)
    return definitions


def test_every_construct_of_the_language_is_read() -> None:
    definitions = checked(EXAMPLE)
    assert definitions["Kind"] == Enum("Kind", 1, False, {"raw": 0, "chain": 1})
    assert definitions["Number"] == Enum("Number", 2, True, {"first": 1})
    cases: dict[str, notation.Type] = {"raw": Vector(Opaque(), 1, 65535), "chain": Reference("Link")}
    assert definitions["Example"] == Struct(
        "Example",
        (
            Field("version", Uint(3)),
            Field("random", Fixed(Opaque(), 32)),
            Field("numbers", Vector(Reference("Number"), 2, 65534)),
            Field("kind", Reference("Kind")),
            Field("body", Select("kind", cases)),
            Field("verify_data", Fixed(Opaque(), "hash_length")),
            Field("tail", Rest(Opaque())),
        ),
    )


@given(st.integers(0, 2**64 - 1))
def test_a_length_field_has_the_fewest_octets_that_hold_the_ceiling(ceiling: int) -> None:
    """NOT-2, NOT-6."""
    vector = Vector(Opaque(), 0, ceiling)
    assert ceiling < 256**vector.length_size
    assert vector.length_size == 1 or ceiling >= 256 ** (vector.length_size - 1)


@given(st.integers(0, 2**16 - 1), st.integers(0, 16), st.integers(0, 4))
def test_constants_are_sums_of_powers(number: int, exponent: int, less: int) -> None:
    text = f"struct {{ opaque x<0..{number}+2^{exponent}-{less}+0x0A>; }} S;"
    (struct,) = notation.parse(text)
    assert isinstance(struct, Struct)
    assert struct.fields[0].type == Vector(Opaque(), 0, number + 2**exponent - less + 10)


@pytest.mark.parametrize(
    "text",
    [
        "struct { uint8 a }; S;",
        "struct { uint9 a; } S;",
        "struct { opaque a<1>; } S;",
        "struct { uint8 a; }",
        "enum { a(0) } E;",
        "enum { a(0), a(1), (255) } E;",
        "enum { a(0), b(0), (255) } E;",
        "enum { a(256), (255) } E;",
        "struct { uint8 a; uint8 a; } S;",
        "struct { Missing a; } S;",
        "struct { T a<0..9>; } S; struct { Missing a; } T;",
        "struct { uint8 a; S b; } S;",
        "struct { T a<0..9>; } S; struct { uint8 x; S a<0..9>; } T;",
        "struct { opaque a; } S;",
        "struct { opaque a<2..1>; } S;",
        "struct { opaque a[rest]; uint8 b; } S;",
        "struct { T a; uint8 b; } S; struct { opaque a[rest]; } T;",
        "struct { T a<0..9>; } S; struct { uint8 x; opaque a[rest]; } T;",
        "struct { T a<0..9>; } S; struct { opaque a[0]; } T;",
        "struct { uint8 a; select (a) { case b: uint8; } c; } S;",
        "enum { b(0), (255) } E; struct { select (a) { case b: uint8; } c; E a; } S;",
        "enum { b(0), (255) } E; struct { E a; select (a) { case c: uint8; } c; } S;",
        "enum { b(0), (255) } E; struct { E a; select (a) { case b: uint8; case b: uint16; } c; } S;",
    ],
)
def test_what_has_no_meaning_is_refused(text: str) -> None:
    with pytest.raises(NotationError):
        checked(text)


def test_an_error_says_where() -> None:
    with pytest.raises(NotationError, match="line 2, column 13"):
        notation.parse("struct {\n    uint8 a b;\n} S;")
