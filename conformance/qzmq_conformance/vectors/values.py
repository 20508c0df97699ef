"""Random values of any structure, derived from the notation: as JSON, and as octets."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from qzmq_conformance.forms import Definitions
from qzmq_ref.spec.notation import (
    Element,
    Enum,
    Fixed,
    Opaque,
    Reference,
    Rest,
    Select,
    Struct,
    Type,
    Uint,
    Vector,
    enum_of,
)

Value = tuple[Any, bytes]
"""JSON and octets: an integer for a number or a code point, hexadecimal for `opaque`, else an array or an object."""


@dataclass(frozen=True)
class Sampler:
    """Draws values; `size` is how far above its floor a vector may reach, None for as few octets as are legal."""

    definitions: Definitions
    hash_length: int
    random: Random
    size: int | None

    def structure(self, name: str) -> Value:
        """A value of a structure."""
        struct = self.definitions[name]
        if not isinstance(struct, Struct):
            raise TypeError(f"{name} is no structure")
        found: dict[str, Any] = {}
        octets = b""
        chosen: dict[str, str] = {}
        selects = {field.type.field: field.type for field in struct.fields if isinstance(field.type, Select)}
        for field in struct.fields:
            kind = field.type
            if select := selects.get(field.name):
                chosen[field.name] = self.random.choice(sorted(select.cases))
                code = enum_of(select, struct, self.definitions)
                value: Value = _number(code.members[chosen[field.name]], code.size)
            else:
                value = self.value(kind.cases[chosen[kind.field]] if isinstance(kind, Select) else kind)
            found[field.name] = value[0]
            octets += value[1]
        return found, octets

    def value(self, kind: Type) -> Value:
        """A value of any type that is not a select."""
        match kind:
            case Uint(size):
                return _number(self.random.choice((0, 1, 256**size - 1, self.random.randrange(256**size))), size)
            case Reference(name):
                definition = self.definitions[name]
                return self._code(definition) if isinstance(definition, Enum) else self.structure(name)
            case Fixed(element, length):
                size = length if isinstance(length, int) else self.hash_length
                return self._sequence(element, size, size)
            case Rest(element):
                return self._sequence(element, 0, self.size or 0)
            case Vector(element, floor, ceiling):
                value, octets = self._sequence(element, floor, min(ceiling, floor + (self.size or 0)))
                return value, len(octets).to_bytes(kind.length_size) + octets
        raise TypeError(f"{kind} stands where no value can")

    def _code(self, enum: Enum) -> Value:
        """A listed code point; of an open enum sometimes another."""
        listed = self.random.choice(sorted(enum.members.values()))
        other = self.random.randrange(256**enum.size)
        return _number(other if enum.open and self.random.random() < 0.3 else listed, enum.size)

    def _sequence(self, element: Element, floor: int, ceiling: int) -> Value:
        """Octets or elements that fill `floor` to `ceiling` octets, as long as whole elements do."""
        if isinstance(element, Opaque):
            octets = self.random.randbytes(self.random.choice((floor, ceiling, self.random.randint(floor, ceiling))))
            return octets.hex(), octets
        found, octets = [], b""
        while len(octets) < floor or (len(octets) < ceiling and self.random.random() < 0.7):
            value, more = self.value(element)
            if len(octets) + len(more) > max(ceiling, floor) and len(octets) >= floor:
                break
            found.append(value)
            octets += more
        return found, octets


def _number(value: int, size: int) -> Value:
    return value, value.to_bytes(size)
