"""Octets of a structure, run by run, each labelled with the field it is: worked examples and traces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from qzmq_ref.spec import notation
from qzmq_ref.spec.notation import Enum, Fixed, Opaque, Reference, Rest, Select, Struct, Type, Uint, Vector

SHOWN = 16
"""Octets of a run that are written out; of a longer one only as many from both ends."""
ENDS = 6


@dataclass(frozen=True)
class Run:
    """Octets that belong together: a number, a code point, a length, an opaque value."""

    offset: int
    octets: bytes
    field: str
    meaning: str


def annotate(
    definitions: Mapping[str, notation.Definition],
    name: str,
    octets: bytes,
    *,
    inside: Mapping[str, str] | None = None,
    offset: int = 0,
    **parameters: int,
) -> tuple[Run, ...]:
    """The runs of `octets`, a valid value of definition `name`; their concatenation is `octets`.

    `inside` maps the names of opaque fields to the structures that they hold, where they hold anything; `offset` is
    where the first octet stands.
    """
    cursor = _Cursor(definitions, octets, inside or {}, parameters, offset)
    runs = tuple(cursor.definition(name, ""))
    if cursor.position != len(octets):
        raise ValueError(f"{len(octets) - cursor.position} octets after {name}")
    return runs


def render(runs: Iterable[Run]) -> str:
    """One line per run: offset, octets in hexadecimal, field, meaning."""
    lines = [(str(run.offset), _hexadecimal(run.octets), run.field, _meaning(run)) for run in runs]
    hexadecimal = max(len(line[1]) for line in lines)
    name = max(len(line[2]) for line in lines)
    return "\n".join(f"{a:>5}  {b:<{hexadecimal}}  {c:<{name}}  {d}".rstrip() for a, b, c, d in lines)


@dataclass
class _Cursor:
    """A walk over octets along the abstract syntax."""

    definitions: Mapping[str, notation.Definition]
    octets: bytes
    inside: Mapping[str, str]
    parameters: Mapping[str, int]
    offset: int
    position: int = 0
    ends: list[int] = field(default_factory=list)

    def definition(self, name: str, path: str) -> Iterator[Run]:
        definition = self.definitions[name]
        if isinstance(definition, Enum):
            yield self._code(definition, path)
        else:
            yield from self._struct(definition, path)

    def _struct(self, struct: Struct, path: str) -> Iterator[Run]:
        values: dict[str, int] = {}
        for each in struct.fields:
            place = f"{path}.{each.name}" if path else each.name
            kind = each.type
            if isinstance(kind, Select):
                codes = notation.enum_of(kind, struct, self.definitions).members
                kind = next(case for label, case in kind.cases.items() if codes[label] == values[kind.field])
            start = self.position
            yield from self._value(kind, place)
            values[each.name] = int.from_bytes(self.octets[start : self.position])

    def _value(self, kind: Type, path: str) -> Iterator[Run]:
        match kind:
            case Uint(size):
                yield self._take(size, path, str(int.from_bytes(self._next(size))))
            case Reference(name):
                yield from self.definition(name, path)
            case Vector(element):
                length = int.from_bytes(self._next(kind.length_size))
                yield self._take(kind.length_size, path, f"length {length}")
                yield from self._content(element, length, path)
            case Fixed(element, length):
                size = length if isinstance(length, int) else self.parameters[length]
                yield from self._content(element, size, path)
            case Rest(element):
                end = self.ends[-1] if self.ends else len(self.octets)
                yield from self._content(element, end - self.position, path)

    def _content(self, element: notation.Element, size: int, path: str) -> Iterator[Run]:
        """Elements, or an opaque value, of `size` octets in all."""
        end = self.position + size
        self.ends.append(end)
        structure = self.inside.get(path.rsplit(".", 1)[-1])
        if isinstance(element, Opaque) and structure and size:
            yield from self.definition(structure, path)
        elif isinstance(element, Opaque) and size:
            yield self._take(size, path, _text(self._next(size)))
        index = 0
        while self.position < end:
            yield from self._value(element, f"{path}[{index}]")
            index += 1
        self.ends.pop()

    def _code(self, enum: Enum, path: str) -> Run:
        value = int.from_bytes(self._next(enum.size))
        known = {code: name for name, code in enum.members.items()}
        return self._take(enum.size, path, known.get(value, f"{value:#x}, not in {enum.name}"))

    def _next(self, size: int) -> bytes:
        return self.octets[self.position : self.position + size]

    def _take(self, size: int, path: str, meaning: str) -> Run:
        run = Run(self.offset + self.position, self._next(size), path, meaning)
        self.position += size
        return run


def _hexadecimal(octets: bytes) -> str:
    if len(octets) > SHOWN:
        return f"{octets[:ENDS].hex()} .. {octets[-ENDS:].hex()}"
    return octets.hex(" ", -4) if len(octets) > 4 else octets.hex()


def _meaning(run: Run) -> str:
    size = f"{len(run.octets)} octets" if len(run.octets) > SHOWN else ""
    return ", ".join(filter(None, (size, run.meaning)))


def _text(octets: bytes) -> str:
    """What an opaque value says, if it is text or nothing but zeros."""
    if not any(octets):
        return "zero"
    text = octets.rstrip(b"\0")
    return f'"{text.decode()}"' if text.isascii() and text.decode().isprintable() else ""
