"""Metadata: the properties that READY carries over NULL and QZMQ carries sealed (spec/patterns.md; RFC 37)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import SchemaError, load, structure

MAX_METADATA = 8192
"""Octets of all properties together (PAT-3)."""

_NAME = re.compile(rb"[A-Za-z0-9\-_.+]{1,255}")


@structure("Property")
@dataclass(frozen=True)
class Property:
    """One name, 1 to 255 octets, and its value."""

    name: bytes
    value: bytes


@structure("Metadata")
@dataclass(frozen=True)
class Metadata:
    """What fills the `metadata` vectors of ClientAuth and Finished."""

    properties: tuple[Property, ...]


def parse_metadata(octets: bytes) -> tuple[Property, ...]:
    """The properties of a peer, as it sent them. Raises Alert (PAT-3, PAT-4)."""
    if len(octets) > MAX_METADATA:
        raise Alert(AlertDescription.DECODE_ERROR, "PAT-3", f"metadata of {len(octets)} octets")
    try:
        properties = load().parse(Metadata, octets).properties
    except SchemaError as error:
        raise Alert(AlertDescription.DECODE_ERROR, "PAT-3", str(error)) from None
    if fault := _fault_of_names(properties):
        raise Alert(AlertDescription.DECODE_ERROR, "PAT-4", fault)
    return properties


def build_metadata(properties: Iterable[Property]) -> bytes:
    """The octets of this side's properties. Raises LocalError if a peer would refuse them (PAT-3, PAT-4)."""
    metadata = Metadata(tuple(properties))
    if fault := _fault_of_names(metadata.properties):
        raise LocalError(f"PAT-4: {fault}: choose another name in ZMQ_METADATA")
    octets = load().build(metadata)
    if len(octets) > MAX_METADATA:
        raise LocalError(f"PAT-3: {len(octets)} octets of metadata: set at most {MAX_METADATA} in ZMQ_METADATA")
    return octets


def _fault_of_names(properties: tuple[Property, ...]) -> str:
    """What is wrong with the names (PAT-4), or nothing."""
    seen: set[bytes] = set()
    for each in properties:
        if not _NAME.fullmatch(each.name):
            return f"property name {each.name!r} has other characters than letters, digits and -_.+"
        if each.name.lower() in seen:
            return f"property {each.name.decode()} stands twice"
        seen.add(each.name.lower())
    return ""
