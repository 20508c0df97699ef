"""The structures of the specification as a strict codec, bound to typed frozen dataclasses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, make_dataclass
from enum import IntEnum
from functools import cache, reduce
from operator import or_
from types import MappingProxyType
from typing import Any, TypeVar, get_type_hints, overload

from qzmq_ref.spec import codec, notation, tables

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


class Schema:
    """Codec of every definition of a specification; `ast` is what it was derived from."""

    def __init__(self, definitions: Mapping[str, notation.Definition]) -> None:
        self.ast: Mapping[str, notation.Definition] = MappingProxyType(dict(definitions))
        self._codecs: dict[str, codec.Construct] = {}
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
        octets = codec.Octets(data)
        try:
            value = codec.parse(self._codec(name), octets, parameters)
        except codec.Wrong as error:
            raise SchemaError(name, error.where, octets.mark, error.reason) from None
        if octets.left:
            raise SchemaError(name, "", octets.position, f"{octets.left} octets after the end")
        return value

    def build(self, value: object, **parameters: int) -> bytes:
        """The octets of `value`, an instance of a bound class; `SchemaError` if they broke the notation."""
        name = self._names[type(value)]
        try:
            return codec.build(self._codec(name), value, parameters)
        except codec.Wrong as error:
            raise SchemaError(name, error.where, None, error.reason) from None

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

    def _codec(self, name: str) -> codec.Construct:
        """The codec of a definition, made on first use."""
        if name not in self._codecs:
            definition = self.ast[name]
            if isinstance(definition, notation.Enum):
                self._codecs[name] = codec.Code(definition, self._bound)
            else:
                self.dataclass_for(name)
                members = ((field.name, self._compile(field.type, definition)) for field in definition.fields)
                self._codecs[name] = codec.Structure(name, members, self._bound)
        return self._codecs[name]

    def _compile(self, kind: notation.Type, owner: notation.Struct) -> codec.Construct:
        match kind:
            case notation.Uint(size):
                return codec.Uint(size)
            case notation.Opaque():
                return codec.Opaque()
            case notation.Reference(name):
                return self._codec(name)
            case notation.Fixed(element, length):
                return codec.Fixed(self._content(element, owner), length)
            case notation.Rest(element):
                return self._content(element, owner)
            case notation.Vector(element):
                return codec.Vector(self._content(element, owner), kind)
            case notation.Select():
                return self._select(kind, owner)

    def _content(self, element: notation.Element, owner: notation.Struct) -> codec.Construct:
        return codec.Opaque() if isinstance(element, notation.Opaque) else codec.Elements(self._compile(element, owner))

    def _select(self, select: notation.Select, owner: notation.Struct) -> codec.Construct:
        codes = notation.enum_of(select, owner, self.ast).members
        cases = {codes[label]: self._compile(case, owner) for label, case in select.cases.items()}
        return codec.select(select.field, cases)


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
