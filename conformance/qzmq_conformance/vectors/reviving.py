"""Structures as the vectors of kind `wire` write them: numbers, hexadecimal, arrays and objects, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any, TypeAlias, get_args, get_type_hints

from qzmq_conformance.vectors.judging import alert, octets_of
from qzmq_ref.spec.schema import SchemaError, load

Json: TypeAlias = Mapping[str, Any]


def parse(given: Json) -> Json:
    """The value of octets that are exactly one structure."""
    try:
        value = load().parse(given["structure"], octets_of(given, "encoded"), hash_length=given["hash_length"])
    except SchemaError:
        raise alert("decode_error", "REG-2") from None
    return {"value": plain(value)}


def build(given: Json) -> Json:
    """The octets of a value."""
    value = revived(load().dataclass_for(given["structure"]), given["value"])
    return {"encoded": load().build(value, hash_length=given["hash_length"]).hex()}


def plain(value: object) -> Any:
    """A parsed value as JSON."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [plain(each) for each in value]
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return int(value) if isinstance(value, int) else value


def revived(kind: Any, value: Any) -> Any:
    """A value of that type from its JSON."""
    if isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, list):
        element, *_ = get_args(kind)
        return tuple(revived(element, each) for each in value)
    if isinstance(value, dict):
        hints = get_type_hints(kind)
        return kind(**{name: revived(hints[name], each) for name, each in value.items()})
    for enum in (kind, *get_args(kind)):
        if isinstance(enum, type) and issubclass(enum, IntEnum) and value in enum._value2member_map_:
            return enum(value)
    return value
