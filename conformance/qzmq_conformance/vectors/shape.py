"""What a vector file is made of, before it is JSON: kinds, groups, and tests that are computed when asked for.

A `Recipe` knows all about its test but the octets, so that a check can compute a sample and still count the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import shake_256
from random import Random
from typing import Any, TypeAlias

from qzmq_ref.crypto import Entropy
from qzmq_ref.spec.tables import requirements

Fields: TypeAlias = Mapping[str, Any]
"""Names and JSON values; octets are lower-case hexadecimal."""

HEX: Fields = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
INTEGER: Fields = {"type": "integer", "minimum": 0}
TEXT: Fields = {"type": "string"}
FLAG: Fields = {"type": "boolean"}
OBJECT: Fields = {"type": "object"}
"""Fragments of JSON Schema."""


def array(items: Fields) -> Fields:
    """The JSON Schema of an array."""
    return {"type": "array", "items": items}


def one_of(*values: str) -> Fields:
    """The JSON Schema of one of these strings."""
    return {"enum": list(values)}


def named(fragment: Fields) -> Fields:
    """The JSON Schema of an object whose values are all of one schema."""
    return {"type": "object", "additionalProperties": fragment}


SUITE: Fields = named(TEXT)


def constant(**fields: Any) -> Callable[[], Fields]:
    """Fields that need no computing."""
    return lambda: fields


@dataclass(frozen=True)
class Source:
    """All randomness of a run: each name has octets of its own, so that no test depends on another."""

    seed: str

    def octets(self, name: str, size: int) -> bytes:
        """SHAKE-256("qzmq vectors " || seed || 0x00 || name)."""
        return shake_256(b"qzmq vectors " + self.seed.encode() + b"\0" + name.encode()).digest(size)

    def entropy(self, name: str) -> Entropy:
        """Call number i answers the octets of `name/i`."""
        calls = iter(range(2**32))
        return lambda size: self.octets(f"{name}/{next(calls)}", size)

    def random(self, name: str) -> Random:
        """Choices, such as lengths, that are no octets of a test themselves."""
        return Random(self.octets(name, 32))


@dataclass(frozen=True)
class Refusal:
    """Why a test is invalid: the rule that is broken, and the alert that answers it."""

    requirement: str
    alert: str


def refusal(requirement: str, alert: str = "") -> Refusal:
    """A refusal by the one alert that the requirement names, unless it names several and `alert` says which."""
    alerts = requirements()[requirement].alerts
    if (alert or len(alerts) != 1) and alert not in alerts:
        raise ValueError(f"{requirement} answers with one of {alerts}, not {alert!r}")
    return Refusal(requirement, alert or alerts[0])


@dataclass(frozen=True)
class Recipe:
    """One test. `make` computes its fields; it is valid unless there is a refusal."""

    comment: str
    make: Callable[[], Fields]
    refusal: Refusal | None = None
    flags: tuple[str, ...] = ()

    def outline(self, number: int) -> dict[str, Any]:
        """What is known of the test without computing it."""
        known: dict[str, Any] = {"tcId": number, "comment": self.comment, "flags": list(self.flags)}
        if self.refusal is None:
            return {**known, "result": "valid"}
        blame = {"requirement": self.refusal.requirement, "alert": self.refusal.alert}
        return {**known, "result": "invalid", **blame}

    def test(self, number: int) -> dict[str, Any]:
        """The whole test."""
        return {**self.outline(number), **self.make()}


@dataclass(frozen=True)
class Group:
    """Tests that share `fields`, which are computed when asked for."""

    type: str
    fields: Callable[[], Fields]
    recipes: tuple[Recipe, ...]


@dataclass(frozen=True)
class Layout:
    """JSON Schema fragments of the fields of a group type and of its tests; a name that ends in `?` is optional."""

    group: Fields
    test: Fields


@dataclass(frozen=True)
class Kind:
    """One file of vectors."""

    name: str
    purpose: str
    header: tuple[str, ...]
    notes: Mapping[str, str]
    layouts: Mapping[str, Layout]
    groups: Callable[[Source], Iterator[Group]]
