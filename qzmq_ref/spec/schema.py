"""The structures of the specification as a strict codec, bound to typed frozen dataclasses.

The only importer of construct, which by itself is not strict: a top-level parse and `Prefixed` ignore octets
left over, `GreedyRange` drops a broken element, `Enum` lets unknown codes pass, `Switch` answers None without
a case. Hence classes of our own: they read through `Octets`, which ends where the innermost vector ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, make_dataclass
from enum import IntEnum
from functools import cache, cached_property, reduce
from operator import or_
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints, overload

import construct
from construct import ConstructError

from qzmq_ref.spec import notation, tables

T = TypeVar("T")


class SchemaError(ValueError):
    """Octets that are not exactly one value of `structure`, or a value that has no octets (REG-2).

    `path` names the field, such as `extensions[2].extension_data`; `offset` is the octet where that field
    begins, None when building.
    """

    def __init__(self, structure: str, path: str, offset: int | None, reason: str) -> None:
        self.structure, self.path, self.offset, self.reason = structure, path, offset, reason
        where = ".".join(filter(None, (structure, path)))
        super().__init__(f"{where}{'' if offset is None else f' at octet {offset}'}: {reason}")


class Wrong(ConstructError):
    """What is wrong, and the way there: the innermost field first. Each structure that it passes adds its own."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.way: list[str] = []

    @property
    def where(self) -> str:
        """The way from outside, such as `suites[3].kem`."""
        return ".".join(reversed(self.way)).replace(".[", "[")


class Octets:
    """The octets of one parse; reading stops at `end`, the end of the innermost vector."""

    __slots__ = ("data", "end", "mark", "position")

    def __init__(self, data: bytes) -> None:
        self.data = bytes(data)  # no copy, if it is bytes already
        self.end = len(data)
        self.position = 0
        self.mark = 0
        """Where the latest read began: the offset that an error reports."""

    @property
    def left(self) -> int:
        """How many octets there are before the end."""
        return self.end - self.position

    def read(self, size: int) -> bytes:
        """The next `size` octets, or those that are left."""
        start = self.mark = self.position
        self.position = min(start + size, self.end)
        return self.data[start : self.position]


class Uint(construct.Construct):
    """An unsigned integer of `size` octets, the most significant first (NOT-1)."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def _parse(self, stream: Octets, _context: Any, _path: str) -> int:
        octets = stream.read(self.size)
        if len(octets) < self.size:
            raise Wrong(f"{self.size} octets expected, {len(octets)} left")
        return int.from_bytes(octets)

    def _build(self, value: object, stream: bytearray, _context: Any, _path: str) -> None:
        if not isinstance(value, int) or not 0 <= value < 1 << 8 * self.size:
            raise Wrong(f"{value!r} is not a uint{8 * self.size}")
        stream += value.to_bytes(self.size)


class Opaque(construct.Construct):
    """All octets up to the end of the enclosing vector (NOT-5)."""

    def _parse(self, stream: Octets, _context: Any, _path: str) -> bytes:
        return stream.read(stream.left)

    def _build(self, value: object, stream: bytearray, _context: Any, _path: str) -> None:
        if not isinstance(value, bytes):
            raise Wrong(f"bytes expected, not {type(value).__name__}")
        stream += value


class Elements(construct.Subconstruct):
    """Values of one type up to the end of the enclosing vector, which must not fall inside one (NOT-9)."""

    def _parse(self, stream: Octets, context: Any, path: str) -> tuple[object, ...]:
        if isinstance(self.subcon, Structure) and (flat := self.subcon.parse_octets(stream)) is not None:
            return flat
        values: list[object] = []
        try:
            while stream.position < stream.end:
                values.append(self.subcon._parse(stream, context, path))
        except Wrong as error:
            error.way.append(f"[{len(values)}]")
            raise
        return tuple(values)

    def _build(self, values: object, stream: bytearray, context: Any, path: str) -> None:
        if not isinstance(values, tuple):
            raise Wrong(f"tuple expected, not {type(values).__name__}")
        built = 0
        try:
            for value in values:
                self.subcon._build(value, stream, context, path)
                built += 1
        except Wrong as error:
            error.way.append(f"[{built}]")
            raise


class Fixed(construct.Subconstruct):
    """Content of exactly `length` octets, a number or the name of a parameter of the parse (NOT-4)."""

    def __init__(self, content: construct.Construct, length: int | str) -> None:
        super().__init__(content)
        self.length = length

    def _length(self, context: Any) -> int:
        if isinstance(self.length, int):
            return self.length
        if self.length not in context.parameters:
            raise TypeError(f"the length of this structure depends on a parameter: pass {self.length}=...")
        return int(context.parameters[self.length])

    def _parse(self, stream: Octets, context: Any, path: str) -> object:
        return _within(self.subcon, self._length(context), stream, context, path)

    def _build(self, value: object, stream: bytearray, context: Any, path: str) -> None:
        start = len(stream)
        self.subcon._build(value, stream, context, path)
        if (length := len(stream) - start) != self._length(context):
            raise Wrong(f"{length} octets instead of {self._length(context)}")


class Vector(construct.Subconstruct):
    """A length field, then content of that many octets, between floor and ceiling (NOT-2, NOT-3)."""

    def __init__(self, content: construct.Construct, kind: notation.Vector) -> None:
        super().__init__(content)
        self.prefix = Uint(kind.length_size)
        self.floor, self.ceiling = kind.floor, kind.ceiling

    def _check(self, length: int) -> None:
        if not self.floor <= length <= self.ceiling:
            raise Wrong(f"length {length} not in {self.floor}..{self.ceiling}")

    def _parse(self, stream: Octets, context: Any, path: str) -> object:
        length = self.prefix._parse(stream, context, path)
        self._check(length)
        return _within(self.subcon, length, stream, context, path)

    def _build(self, value: object, stream: bytearray, context: Any, path: str) -> None:
        prefix, start = len(stream), len(stream) + self.prefix.size
        stream += bytes(self.prefix.size)
        self.subcon._build(value, stream, context, path)
        length = len(stream) - start
        self._check(length)
        stream[prefix:start] = length.to_bytes(self.prefix.size)


class Code(Uint):
    """A code point: a member of the bound IntEnum (NOT-6), or an int if an open enum does not list it (NOT-7)."""

    def __init__(self, enum: notation.Enum, bound: Mapping[str, type]) -> None:
        super().__init__(enum.size)
        self.enum, self.bound = enum, bound

    @cached_property
    def known(self) -> Mapping[int, int]:
        """The members by their values."""
        cls: Callable[[int], int] = self.bound.get(self.enum.name, int)
        return {code: cls(code) for code in self.enum.members.values()}

    @cached_property
    def values(self) -> list[int]:
        """What each octet stands for, of an open enum of one octet."""
        return [self.known.get(code, code) for code in range(256)]

    def _parse(self, stream: Octets, context: Any, path: str) -> int:
        code = super()._parse(stream, context, path)
        if (value := self.known.get(code)) is not None:
            return value
        self._check(code)
        return code

    def _build(self, value: object, stream: bytearray, context: Any, path: str) -> None:
        self._check(value)
        super()._build(value, stream, context, path)

    def _check(self, value: object) -> None:
        if not (self.enum.open or value in self.known):
            raise Wrong(f"{value!r} is not in {self.enum.name}")


class Fields(dict[str, object]):
    """What construct calls a context: the fields of a structure so far, and the parameters of the parse."""

    __slots__ = ("parameters",)

    def __init__(self, parameters: Mapping[str, int]) -> None:
        self.parameters = parameters


class Structure(construct.Construct):
    """Fields in order <-> an instance of the dataclass bound to the structure.

    `construct.Struct` would do, but the containers that it makes cost more than the fields in them.
    """

    def __init__(
        self, name: str, members: Iterable[tuple[str, construct.Construct]], bound: Mapping[str, type]
    ) -> None:
        super().__init__()
        self.structure, self.members, self.bound = name, tuple(members), bound
        codes = [member for _, member in self.members if isinstance(member, Code)]
        self.octets = [code for code in codes if code.enum.size == 1 and code.enum.open]
        """The members, if all of them are open enums of one octet; see `parse_octets`."""

    def parse_octets(self, stream: Octets) -> tuple[object, ...] | None:
        """All values up to the end, if each field is one octet of an open enum; None if not, or if one is cut off.

        Before it knows its client, a server reads up to 16,383 suites: those must cost little.
        """
        size = len(self.members)
        if len(self.octets) != size or stream.left % size:
            return None
        data, cls = stream.read(stream.left), self.bound[self.structure]
        columns = ([code.values[octet] for octet in data[i::size]] for i, code in enumerate(self.octets))
        return tuple(map(cls, *columns))

    def _parse(self, stream: Octets, context: Any, path: str) -> object:
        values, name = Fields(context.parameters), ""
        try:
            for name, member in self.members:
                values[name] = member._parse(stream, values, path)
        except Wrong as error:
            error.way.append(name)
            raise
        return self.bound[self.structure](*values.values())

    def _build(self, value: object, stream: bytearray, context: Any, path: str) -> None:
        cls = self.bound[self.structure]
        if not isinstance(value, cls):
            raise Wrong(f"{cls.__name__} expected, not {type(value).__name__}")
        values, name = Fields(context.parameters), ""
        try:
            for name, member in self.members:
                field = values[name] = getattr(value, name)
                member._build(field, stream, values, path)
        except Wrong as error:
            error.way.append(name)
            raise


class NoCase(construct.Construct):
    """What a select does with a value that none of its cases names (NOT-8)."""

    def _parse(self, _stream: Octets, _context: Any, _path: str) -> object:
        raise Wrong("no case for this value")

    def _build(self, _value: object, _stream: bytearray, _context: Any, _path: str) -> None:
        raise Wrong("no case for this value")


class Schema:
    """Codec of every definition of a specification; `ast` is what it was derived from."""

    def __init__(self, definitions: Mapping[str, notation.Definition]) -> None:
        self.ast: Mapping[str, notation.Definition] = MappingProxyType(dict(definitions))
        self._constructs: dict[str, construct.Construct] = {}
        self._bound: dict[str, type] = {}
        self._names: dict[type, str] = {}

    @overload
    def parse(self, what: str, data: bytes, **parameters: int) -> object: ...
    @overload
    def parse(self, what: type[T], data: bytes, **parameters: int) -> T: ...
    def parse(self, what: str | type[T], data: bytes, **parameters: int) -> object:
        """The value that `data`, whole and nothing else (NOT-9), encodes; `SchemaError` if it encodes none.

        `what` is a name of the notation or the class bound to it. A parameter gives a length that the octets
        do not: `Hash.length` in the notation is `hash_length` here.
        """
        name = what if isinstance(what, str) else self._names[what]
        stream = Octets(data)
        try:
            value: object = self._construct(name)._parse(stream, Fields(parameters), "")
        except Wrong as error:
            raise SchemaError(name, error.where, stream.mark, error.reason) from None
        if stream.left:
            raise SchemaError(name, "", stream.position, f"{stream.left} octets after the end")
        return value

    def build(self, value: object, **parameters: int) -> bytes:
        """The octets of `value`, an instance of a bound class; `SchemaError` if they broke the notation."""
        name, stream = self._names[type(value)], bytearray()
        try:
            self._construct(name)._build(value, stream, Fields(parameters), "")
        except Wrong as error:
            raise SchemaError(name, error.where, None, error.reason) from None
        return bytes(stream)

    def structure(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator: bind a dataclass whose field names, order and types are those of `name`."""

        def bind(cls: type[T]) -> type[T]:
            hints = get_type_hints(cls)
            actual = [(field.name, hints[field.name]) for field in fields(cls)]  # type: ignore[arg-type]
            expected = [(field.name, self._annotation(field.type)) for field in self._struct(name).fields]
            if actual != expected:
                raise _mismatch(name, expected, actual)
            self._bind(name, cls)
            return cls

        return bind

    def enumeration(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator: bind an IntEnum whose names (upper case), order and values are those of `name`."""

        def bind(cls: type[T]) -> type[T]:
            enum = self.ast[name]
            expected = list(enum.members.items()) if isinstance(enum, notation.Enum) else []
            members = cls if issubclass(cls, IntEnum) else ()
            actual = [(member.name.lower(), member.value) for member in members]
            if actual != expected:
                raise _mismatch(name, expected, actual)
            self._bind(name, cls)
            return cls

        return bind

    def dataclass_for(self, name: str) -> type:
        """The class bound to structure `name`; where code binds none, a frozen dataclass with its fields."""
        if name not in self._bound:
            shape = [field.name for field in self._struct(name).fields]
            self._bind(name, make_dataclass(name, shape, frozen=True))
        return self._bound[name]

    def _bind(self, name: str, cls: type) -> None:
        self._bound[name] = cls
        self._names[cls] = name

    def _struct(self, name: str) -> notation.Struct:
        struct = self.ast[name]
        if not isinstance(struct, notation.Struct):
            raise TypeError(f"{name} is not a structure of the specification")
        return struct

    def _annotation(self, kind: notation.Type) -> Any:
        """The Python type of a field: what mypy must see where the notation says `kind`."""
        if isinstance(kind, notation.Select):
            return reduce(or_, (self._annotation(case) for case in kind.cases.values()))
        if (element := notation.element_of(kind)) is not None:
            opaque = isinstance(element, notation.Opaque)
            return bytes if opaque else tuple[self._annotation(element), ...]  # type: ignore[misc]
        if not isinstance(kind, notation.Reference):
            return int
        if kind.name not in self._bound:
            raise TypeError(f"{kind.name} must be bound to a class before the structures that contain it")
        definition, cls = self.ast[kind.name], self._bound[kind.name]
        return cls | int if isinstance(definition, notation.Enum) and definition.open else cls

    def _construct(self, name: str) -> construct.Construct:
        """The codec of a definition, made on first use."""
        if name not in self._constructs:
            definition = self.ast[name]
            if isinstance(definition, notation.Enum):
                self._constructs[name] = Code(definition, self._bound)
            else:
                self.dataclass_for(name)
                members = ((field.name, self._compile(field.type, definition)) for field in definition.fields)
                self._constructs[name] = Structure(name, members, self._bound)
        return self._constructs[name]

    def _compile(self, kind: notation.Type, owner: notation.Struct) -> construct.Construct:
        match kind:
            case notation.Uint(size):
                return Uint(size)
            case notation.Opaque():
                return Opaque()
            case notation.Reference(name):
                return self._construct(name)
            case notation.Fixed(element, length):
                return Fixed(self._content(element, owner), length)
            case notation.Rest(element):
                return self._content(element, owner)
            case notation.Vector(element):
                return Vector(self._content(element, owner), kind)
            case notation.Select():
                return self._select(kind, owner)

    def _content(self, element: notation.Element, owner: notation.Struct) -> construct.Construct:
        return Opaque() if isinstance(element, notation.Opaque) else Elements(self._compile(element, owner))

    def _select(self, select: notation.Select, owner: notation.Struct) -> construct.Construct:
        codes = notation.enum_of(select, owner, self.ast).members
        cases = {codes[label]: self._compile(case, owner) for label, case in select.cases.items()}
        return construct.Switch(lambda context: context[select.field], cases, default=NoCase())


@cache
def load() -> Schema:
    """The schema of spec/."""
    return Schema(tables.specification().definitions)


def structure(name: str) -> Callable[[type[T]], type[T]]:
    """`Schema.structure` of the specification: `@structure("Finished") @dataclass(frozen=True) class ...`"""
    return load().structure(name)


def enumeration(name: str) -> Callable[[type[T]], type[T]]:
    """`Schema.enumeration` of the specification: `@enumeration("KemId") class KemId(IntEnum): ...`."""
    return load().enumeration(name)


def _mismatch(name: str, expected: object, actual: object) -> TypeError:
    return TypeError(f"the class is not the {name} of the specification:\n  spec {expected}\n  code {actual}")


def _within(content: construct.Construct, length: int, stream: Octets, context: Any, path: str) -> object:
    """Parse `content` from the next `length` octets; it takes all of them, because it reads to the end."""
    outer = stream.end
    if length > stream.left:
        raise Wrong(f"{length} octets announced, {stream.left} left")
    stream.end = stream.position + length
    value: object = content._parse(stream, context, path)
    stream.end = outer
    return value
