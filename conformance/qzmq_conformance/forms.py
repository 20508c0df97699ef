"""Octets seen through the notation: which octets are which field, and what breaks when one field does.

Works on the abstract syntax alone, without the reference's codec, so that the two can be held against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from qzmq_ref.spec.notation import Definition, Enum, Fixed, Opaque, Reference, Rest, Select, Struct, Type, Uint, Vector

Definitions = Mapping[str, Definition]


class Malformed(ValueError):
    """The octets are not exactly one value of the structure."""


@dataclass(frozen=True)
class Span:
    """The octets [start, end) that hold the value of the field `path`. A vector's length field lies before `start`."""

    path: str
    start: int
    end: int
    type: Type
    enclosing: tuple[Span, ...] = ()

    @property
    def first(self) -> int:
        """Where the field begins, a vector's length field included."""
        return self.start - (self.type.length_size if isinstance(self.type, Vector) else 0)


@dataclass(frozen=True)
class Form:
    """A variant of a well-formed value that breaks one thing; `label` names field and fault."""

    label: str
    octets: bytes


@dataclass(frozen=True)
class Layout:
    """How the definitions read octets; `parameters` are lengths that the octets do not say, such as hash_length."""

    definitions: Definitions
    parameters: Mapping[str, int]

    def spans(self, name: str, octets: bytes) -> tuple[Span, ...]:
        """Every field of the structure in order, outer before inner; `Malformed` if `octets` is not one value of it."""
        reader = _Reader(self, octets)
        end = reader.value(Reference(name), "", 0, len(octets), ())
        if end != len(octets):
            raise Malformed(f"{len(octets) - end} octets after the end")
        return tuple(reader.found)

    def well_formed(self, name: str, octets: bytes) -> bool:
        """Whether `octets` is exactly one value of the structure."""
        try:
            self.spans(name, octets)
        except Malformed:
            return False
        return True


class _Reader:
    """One pass over octets. Every method reads a value at `start`, notes its spans and returns its end."""

    def __init__(self, layout: Layout, octets: bytes) -> None:
        self.layout = layout
        self.octets = octets
        self.found: list[Span] = []

    def value(self, kind: Type, path: str, start: int, limit: int, above: tuple[Span, ...]) -> int:
        """A value of any type, which ends before `limit`, inside the vectors `above`."""
        if isinstance(kind, Reference):
            definition = self.layout.definitions[kind.name]
            if isinstance(definition, Struct):
                return self.struct(definition, path, start, limit, above)
        end = self.end(kind, path, start, limit)
        start += kind.length_size if isinstance(kind, Vector) else 0
        span = Span(path, start, end, kind, above)
        self.found.append(span)
        if isinstance(kind, Fixed | Rest | Vector) and not isinstance(kind.element, Opaque):
            self.elements(kind.element, span)
        return end

    def end(self, kind: Type, path: str, start: int, limit: int) -> int:
        """Where a value that is no structure ends."""
        match kind:
            case Uint(size):
                end = start + size
            case Fixed(_, length):
                end = start + (length if isinstance(length, int) else self.layout.parameters[length])
            case Rest():
                end = limit
            case Vector():
                end = self.vector_end(kind, path, start, limit)
            case Reference(name):
                end = self.code_end(name, path, start)
            case _:
                raise Malformed(f"{path}: {kind} stands where no value can")
        if end > limit:
            raise Malformed(f"{path}: {end - limit} octets are missing")
        return end

    def vector_end(self, kind: Vector, path: str, start: int, limit: int) -> int:
        """After the octets that the length field announces."""
        begin = start + kind.length_size
        if begin > limit:
            raise Malformed(f"{path}: {begin - limit} octets of the length are missing")
        length = int.from_bytes(self.octets[start:begin])
        if not kind.floor <= length <= kind.ceiling:
            raise Malformed(f"{path}: length {length} is not within {kind.floor}..{kind.ceiling}")
        return begin + length

    def code_end(self, name: str, path: str, start: int) -> int:
        """After a code point, which a closed enum must list."""
        enum = self.layout.definitions[name]
        if not isinstance(enum, Enum):
            raise TypeError(f"{name} is neither structure nor enum")
        end = start + enum.size
        if (
            end <= len(self.octets)
            and not enum.open
            and int.from_bytes(self.octets[start:end]) not in enum.members.values()
        ):
            raise Malformed(f"{path}: unknown {name}")
        return end

    def elements(self, element: Type, span: Span) -> None:
        """What fills a span, one after the other."""
        start, position = span.start, 0
        while start < span.end:
            start = self.value(element, f"{span.path}[{position}]", start, span.end, (*span.enclosing, span))
            position += 1

    def struct(self, struct: Struct, path: str, start: int, limit: int, above: tuple[Span, ...]) -> int:
        """The fields of a structure; an earlier one may select the type of a later one."""
        values: dict[str, int] = {}
        for field in struct.fields:
            kind, begin = field.type, start
            if isinstance(kind, Select):
                kind = self.chosen(kind, values[kind.field])
            start = self.value(kind, f"{path}.{field.name}".lstrip("."), begin, limit, above)
            values[field.name] = int.from_bytes(self.octets[begin:start])
        return start

    def chosen(self, select: Select, value: int) -> Type:
        """The variant for a code point."""
        enums = [each for each in self.layout.definitions.values() if isinstance(each, Enum)]
        for enum in (each for each in enums if select.cases.keys() <= each.members.keys()):
            for label, case in select.cases.items():
                if enum.members[label] == value:
                    return case
        raise Malformed(f"no case for {value}")


def malformed(layout: Layout, name: str, octets: bytes) -> Iterator[Form]:
    """Every form that breaks one field of a well-formed value; none is a value of the structure by accident."""
    seen = {octets}
    for form in _broken(layout, layout.spans(name, octets), octets):
        if form.octets not in seen and not layout.well_formed(name, form.octets):
            seen.add(form.octets)
            yield form


def _broken(layout: Layout, spans: tuple[Span, ...], octets: bytes) -> Iterator[Form]:
    yield Form("trailing", octets + b"\0")
    for span in spans:
        cuts = {
            "before": span.first,
            "after-1": span.first + 1,
            "after-length": span.start,
            "before-last": span.end - 1,
        }
        for where, cut in cuts.items():
            if cut < span.end:
                yield Form(f"{span.path}/cut-{where}", octets[:cut])
        if isinstance(span.type, Vector):
            yield from _broken_vector(span, span.type, octets)
        elif isinstance(span.type, Reference):
            yield from _unknown_code(layout, span, span.type, octets)


def _broken_vector(span: Span, kind: Vector, octets: bytes) -> Iterator[Form]:
    """Contents below the floor, above the ceiling and of half an element; lengths that lie about them."""
    content, largest = octets[span.start : span.end], 256**kind.length_size - 1
    contents = {
        "floor": content[: kind.floor - 1] if kind.floor else content,
        "empty": b"",
        "ceiling": content.ljust(kind.ceiling + 1, b"\0") if kind.ceiling < min(largest, 2**17) else content,
        "half-element": content + b"\0",
    }
    for label, replacement in contents.items():
        yield Form(f"{span.path}/{label}", replace(octets, span, replacement))
    for label, length in (
        ("length-plus-1", len(content) + 1),
        ("length-minus-1", len(content) - 1),
        ("length-max", largest),
    ):
        if 0 <= length <= largest:
            field = length.to_bytes(kind.length_size)
            yield Form(f"{span.path}/{label}", octets[: span.first] + field + octets[span.start :])


def _unknown_code(layout: Layout, span: Span, kind: Reference, octets: bytes) -> Iterator[Form]:
    enum = layout.definitions[kind.name]
    if isinstance(enum, Enum) and not enum.open:
        unknown = next(value for value in range(256**enum.size) if value not in enum.members.values())
        yield Form(f"{span.path}/unknown", octets[: span.start] + unknown.to_bytes(enum.size) + octets[span.end :])


def replace(octets: bytes, span: Span, content: bytes) -> bytes:
    """`octets` with other content in `span`; its own length field and those of all vectors around it follow."""
    grown = len(content) - (span.end - span.start)
    result = octets[: span.start] + content + octets[span.end :]
    for vector in (*span.enclosing, span):
        if isinstance(vector.type, Vector):
            length = min(vector.end - vector.start + grown, 256**vector.type.length_size - 1)
            result = result[: vector.first] + length.to_bytes(vector.type.length_size) + result[vector.start :]
    return result
