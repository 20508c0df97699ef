"""What the notation is compiled to: constructs that parse and build octets, strictly.

The only importer of construct, which by itself is not strict: a top-level parse and `Prefixed` ignore octets
left over, `GreedyRange` drops a broken element, `Enum` lets unknown codes pass, `Switch` answers None without
a case. Hence classes of our own: they read through `Octets`, which ends where the innermost vector ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, TypeAlias

import construct

from qzmq_ref.spec import notation

Construct: TypeAlias = construct.Construct


class Wrong(construct.ConstructError):
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

    def __init__(self, content: Construct, length: int | str) -> None:
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

    def __init__(self, content: Construct, kind: notation.Vector) -> None:
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

    def __init__(self, name: str, members: Iterable[tuple[str, Construct]], bound: Mapping[str, type]) -> None:
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


def select(field: str, cases: Mapping[int, Construct]) -> Construct:
    """The case that the value of `field`, an earlier one of the structure, names (NOT-8)."""
    return construct.Switch(lambda context: context[field], cases, default=NoCase())


def parse(content: Construct, octets: Octets, parameters: Mapping[str, int]) -> object:
    """The value that begins where `octets` are; `Wrong` if there is none."""
    value: object = content._parse(octets, Fields(parameters), "")
    return value


def build(content: Construct, value: object, parameters: Mapping[str, int]) -> bytes:
    """The octets of the value; `Wrong` if it has none."""
    octets = bytearray()
    content._build(value, octets, Fields(parameters), "")
    return bytes(octets)


def _within(content: Construct, length: int, stream: Octets, context: Any, path: str) -> object:
    """Parse `content` from the next `length` octets; it takes all of them, because it reads to the end."""
    outer = stream.end
    if length > stream.left:
        raise Wrong(f"{length} octets announced, {stream.left} left")
    stream.end = stream.position + length
    value: object = content._parse(stream, context, path)
    stream.end = outer
    return value
