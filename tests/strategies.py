"""Hypothesis strategies derived from the specification's abstract syntax."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from qzmq_ref.spec import notation
from qzmq_ref.spec.notation import Enum, Fixed, Opaque, Reference, Rest, Select, Uint, Vector
from qzmq_ref.spec.schema import Schema

HASH_LENGTH = 4
"""What `Hash.length` is in random values."""
MORE = 12
"""How far above its floor a random vector may reach, in octets."""


@st.composite
def definition_values(draw: st.DrawFn, codec: Schema, name: str) -> Any:
    """A random value of an enum or a structure, in the form in which `codec` parses it."""
    definition = codec.ast[name]
    if isinstance(definition, Enum):
        known = st.sampled_from(sorted(definition.members.values()))
        code = draw(known | st.integers(0, 256**definition.size - 1) if definition.open else known)
        return codec.parse(name, code.to_bytes(definition.size, "big"))
    found: dict[str, Any] = {}
    selects = {f.type.field: f.type for f in definition.fields if isinstance(f.type, Select)}
    labels = {field: draw(st.sampled_from(sorted(select.cases))) for field, select in selects.items()}
    for field in definition.fields:
        if select := selects.get(field.name):
            found[field.name] = notation.enum_of(select, definition, codec.ast).members[labels[field.name]]
        else:
            found[field.name] = draw(values(codec, field.type, labels))
    return codec.dataclass_for(name)(**found)


@st.composite
def values(draw: st.DrawFn, codec: Schema, kind: notation.Type, labels: Mapping[str, str]) -> object:
    """A random value of a field's type; `labels` says which case each select of the structure takes."""
    match kind:
        case Uint(size):
            return draw(st.integers(0, 256**size - 1))
        case Reference(name):
            return draw(definition_values(codec, name))
        case Select(field, cases):
            return draw(values(codec, cases[labels[field]], {}))
        case Fixed(element, length):
            size = length if isinstance(length, int) else HASH_LENGTH
            return draw(sequences(codec, element, size, size))
        case Rest(element):
            return draw(sequences(codec, element, 0, MORE))
        case Vector(element, floor, ceiling):
            return draw(sequences(codec, element, floor, min(ceiling, floor + MORE)))
    raise AssertionError(kind)


@st.composite
def sequences(draw: st.DrawFn, codec: Schema, element: notation.Element, floor: int, ceiling: int) -> object:
    """Octets, or a tuple of elements, filling `floor` to `ceiling` octets."""
    if isinstance(element, Opaque):
        return draw(st.binary(min_size=floor, max_size=ceiling))
    items: list[object] = []
    total = 0
    while total < floor or (total < ceiling and draw(st.booleans())):
        item = draw(values(codec, element, {}))
        total += size_of(codec, item, element)
        if total > ceiling:
            break
        items.append(item)
    return tuple(items)


def size_of(codec: Schema, value: object, element: notation.Element) -> int:
    if isinstance(element, Uint):
        return element.size
    definition = codec.ast[element.name] if isinstance(element, Reference) else None
    return definition.size if isinstance(definition, Enum) else len(codec.build(value))
