"""The presentation language of spec/notation.md: text -> abstract syntax (RFC 8446, 3).

The only importer of lark. `parse` reads definitions, `check` refuses what the language cannot mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from lark import Lark, Token, Transformer, v_args
from lark.exceptions import UnexpectedInput

GRAMMAR = r"""
start: (enum | struct)*

enum: [OPEN] "enum" "{" (member ",")+ "(" constant ")" "}" NAME ";"
member: NAME "(" constant ")"
OPEN: "open"

struct: "struct" "{" (field | select)* "}" NAME ";"
field: type NAME shape? ";"
select: "select" "(" NAME ")" "{" case+ "}" NAME ";"
case: "case" NAME ":" type [NAME] [shape] ";"

?type: "opaque" -> opaque
    | UINT      -> uint
    | NAME      -> reference
?shape: "<" constant ".." constant ">" -> vector
    | "[" constant "]"                 -> fixed
    | "[" NAME "." NAME "]"            -> parameter
    | "[" "rest" "]"                   -> rest

?constant: power
    | constant "+" power -> add
    | constant "-" power -> subtract
?power: number
    | number "^" number -> power
number: HEXADECIMAL | DECIMAL

UINT.2: /uint(8|16|24|32|64)\b/
NAME: /[A-Za-z][A-Za-z0-9_]*/
HEXADECIMAL.2: /0x[0-9A-Fa-f]+/
DECIMAL: /[0-9]+/
COMMENT: /\/\*(.|\n)*?\*\//
%ignore COMMENT
%ignore /\s+/
"""


class NotationError(ValueError):
    """Text of the specification that is not in the notation, or means nothing in it: its author's mistake."""


@dataclass(frozen=True)
class Uint:
    """Unsigned big-endian integer of `size` octets (NOT-1)."""

    size: int


@dataclass(frozen=True)
class Opaque:
    """One octet without meaning; only inside a `Fixed`, `Rest` or `Vector`."""


@dataclass(frozen=True)
class Reference:
    """A type defined elsewhere, by name."""

    name: str


Element = Uint | Opaque | Reference


@dataclass(frozen=True)
class Fixed:
    """Elements that fill exactly `length` octets: a number, or the name of a parameter of the parse (NOT-4)."""

    element: Element
    length: int | str


@dataclass(frozen=True)
class Rest:
    """Elements that fill what is left of the enclosing vector or message (NOT-5)."""

    element: Element


@dataclass(frozen=True)
class Vector:
    """A length field, then elements that fill that many octets, `floor` to `ceiling` (NOT-2, NOT-3)."""

    element: Element
    floor: int
    ceiling: int

    @property
    def length_size(self) -> int:
        """Octets of the length field: the fewest that hold the ceiling."""
        return octets_for(self.ceiling)


@dataclass(frozen=True)
class Select:
    """A variant: the type is that of the case whose label is the value of the earlier field `field` (NOT-8)."""

    field: str
    cases: Mapping[str, Type]


Type = Element | Fixed | Rest | Vector | Select


@dataclass(frozen=True)
class Field:
    """One named component of a structure."""

    name: str
    type: Type


@dataclass(frozen=True)
class Enum:
    """Named code points in `size` octets (NOT-6); an open one admits every other value too (NOT-7)."""

    name: str
    size: int
    open: bool
    members: Mapping[str, int]


@dataclass(frozen=True)
class Struct:
    """Fields, one after the other, without padding (NOT-1)."""

    name: str
    fields: tuple[Field, ...]


Definition = Enum | Struct
Shape = tuple[Any, ...]
T = TypeVar("T")


def octets_for(largest: int) -> int:
    """The fewest octets (at least one) that hold `largest`."""
    return max(1, (largest.bit_length() + 7) // 8)


def parse(text: str) -> tuple[Definition, ...]:
    """The definitions in `text`, in order; `NotationError` with line and column if it breaks the grammar."""
    try:
        # The transformer inside the parser replaces each subtree once complete: there is no tree to walk.
        definitions: tuple[Definition, ...] = _PARSER.parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        where = f"line {error.line}, column {error.column}"
        raise NotationError(f"{where}: unexpected text\n{error.get_context(text)}") from error
    return definitions


def check(definitions: Mapping[str, Definition]) -> None:
    """Refuse, with `NotationError`, what fits the grammar but has no meaning."""
    structs = [definition for definition in definitions.values() if isinstance(definition, Struct)]
    for struct in structs:
        _check_names(struct, definitions, ())
    for struct in structs:
        _check_struct(struct, definitions)


def element_of(kind: Type) -> Element | None:
    """What a `Fixed`, `Rest` or `Vector` is made of; None for any other type."""
    return kind.element if isinstance(kind, Fixed | Rest | Vector) else None


def enum_of(select: Select, owner: Struct, definitions: Mapping[str, Definition]) -> Enum:
    """The enum whose members label the cases of `select`: the type of an earlier field of `owner`."""
    for field in owner.fields:
        if field.type is select:
            break
        if field.name == select.field and isinstance(field.type, Reference):
            enum = definitions[field.type.name]
            if isinstance(enum, Enum):
                return enum
    raise NotationError(f"{owner.name}: select needs an earlier enum field, not {select.field}")


@v_args(inline=True)
class _Build(Transformer[Token, tuple[Definition, ...]]):
    """Parse tree -> abstract syntax; one method per rule of the grammar."""

    def start(self, *definitions: Definition) -> tuple[Definition, ...]:
        return definitions

    def enum(self, is_open: Token | None, *rest: Any) -> Enum:
        *members, ceiling, name = rest
        size = octets_for(ceiling)
        values = _unique(str(name), members)
        codes = set(values.values())
        if len(codes) != len(values) or any(octets_for(code) > size for code in codes):
            raise NotationError(f"{name}: a value stands twice or does not fit {size} octets")
        return Enum(str(name), size, is_open is not None, values)

    def member(self, name: Token, value: int) -> tuple[str, int]:
        return str(name), value

    def struct(self, *rest: Any) -> Struct:
        *fields, name = rest
        _unique(str(name), [(field.name, field) for field in fields])
        return Struct(str(name), tuple(fields))

    def field(self, element: Element, name: Token, shape: Shape = ()) -> Field:
        return Field(str(name), _shaped(element, shape))

    def select(self, field: Token, *rest: Any) -> Field:
        *cases, name = rest
        return Field(str(name), Select(str(field), _unique(str(name), cases)))

    def case(self, label: Token, element: Element, _name: Token | None, shape: Shape | None) -> tuple[str, Type]:
        return str(label), _shaped(element, shape or ())

    def opaque(self) -> Opaque:
        return Opaque()

    def uint(self, name: Token) -> Uint:
        return Uint(int(name.removeprefix("uint")) // 8)

    def reference(self, name: Token) -> Reference:
        return Reference(str(name))

    def vector(self, floor: int, ceiling: int) -> Shape:
        return Vector, floor, ceiling

    def fixed(self, length: int) -> Shape:
        return Fixed, length

    def parameter(self, owner: Token, attribute: Token) -> Shape:
        return Fixed, f"{owner}_{attribute}".lower()

    def rest(self) -> Shape:
        return (Rest,)

    def add(self, left: int, right: int) -> int:
        return left + right

    def subtract(self, left: int, right: int) -> int:
        return left - right

    def power(self, base: int, exponent: int) -> int:
        return int(base**exponent)

    def number(self, digits: Token) -> int:
        return int(digits, 0)


_PARSER = Lark(GRAMMAR, parser="lalr", transformer=_Build())


def _shaped(element: Element, shape: Shape) -> Type:
    if not shape:
        return element
    kind, *bounds = shape
    result: Type = kind(element, *bounds)
    return result


def _unique(owner: str, pairs: list[tuple[str, T]]) -> dict[str, T]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise NotationError(f"{owner}: a name stands twice")
    return result


def _alternatives(kind: Type) -> Iterator[Type]:
    yield from kind.cases.values() if isinstance(kind, Select) else (kind,)


def _check_names(struct: Struct, definitions: Mapping[str, Definition], above: tuple[str, ...]) -> None:
    """Every name is defined, and no structure contains itself, not even inside a vector."""
    if struct.name in above:
        raise NotationError(f"{struct.name}: contains itself")
    for field in struct.fields:
        for kind in _alternatives(field.type):
            element = element_of(kind) or kind
            if not isinstance(element, Reference):
                continue
            inner = definitions.get(element.name)
            if inner is None:
                raise NotationError(f"{struct.name}.{field.name}: {element.name} is not defined")
            if isinstance(inner, Struct):
                _check_names(inner, definitions, (*above, struct.name))


def _check_struct(struct: Struct, definitions: Mapping[str, Definition]) -> None:
    for position, field in enumerate(struct.fields):
        where = f"{struct.name}.{field.name}"
        if isinstance(field.type, Select):
            enum = enum_of(field.type, struct, definitions)
            if unknown := field.type.cases.keys() - enum.members.keys():
                raise NotationError(f"{where}: {', '.join(sorted(unknown))} not in {enum.name}")
        for kind in _alternatives(field.type):
            _check_type(where, kind, definitions)
        if position < len(struct.fields) - 1 and _takes_rest(field.type, definitions):
            raise NotationError(f"{where}: [rest] must be last")


def _check_type(where: str, kind: Type, definitions: Mapping[str, Definition]) -> None:
    if isinstance(kind, Opaque):
        raise NotationError(f"{where}: opaque needs a length")
    if isinstance(kind, Vector) and kind.floor > kind.ceiling:
        raise NotationError(f"{where}: floor above ceiling")
    element = element_of(kind)
    if element and _takes_rest(element, definitions):
        raise NotationError(f"{where}: an element cannot take the rest")
    if element and _least_size(element, definitions) == 0:
        raise NotationError(f"{where}: an element can be empty")


def _takes_rest(kind: Type, definitions: Mapping[str, Definition]) -> bool:
    match kind:
        case Rest():
            return True
        case Select(_, cases):
            return any(_takes_rest(case, definitions) for case in cases.values())
        case Reference(name) if isinstance(struct := definitions[name], Struct):
            return any(_takes_rest(field.type, definitions) for field in struct.fields)
    return False


def _least_size(kind: Type, definitions: Mapping[str, Definition]) -> int:
    """The fewest octets of a value of `kind`."""
    match kind:
        case Uint(size):
            return size
        case Opaque():
            return 1
        case Vector(_, floor):
            return kind.length_size + floor
        case Fixed(_, length):
            return length if isinstance(length, int) else 0
        case Rest():
            return 0
        case Select(_, cases):
            return min(_least_size(case, definitions) for case in cases.values())
        case Reference(name):
            definition = definitions[name]
    if isinstance(definition, Enum):
        return definition.size
    return sum(_least_size(field.type, definitions) for field in definition.fields)
