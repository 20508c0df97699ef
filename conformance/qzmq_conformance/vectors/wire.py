"""Kind `wire`: every structure, well formed and malformed, derived from the notation; greetings and frames."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from qzmq_conformance.forms import Layout as Reading
from qzmq_conformance.forms import malformed
from qzmq_conformance.vectors import stream
from qzmq_conformance.vectors.shape import HEX, INTEGER, TEXT, Group, Kind, Layout, Recipe, Source, constant, refusal
from qzmq_conformance.vectors.values import Sampler
from qzmq_ref.spec.notation import Struct
from qzmq_ref.spec.schema import load

SIZES = (None, 4, 8, *(12, 24, 40, 72) * 4, 160)
"""How far the vectors of each sample may reach above their floors."""
LONGEST = 4096
"""A malformed form that is longer is written once for each structure."""
RULES = {
    "Metadata": "PAT-3",
    "Property": "PAT-3",
    "ClientAuthRequest": "REG-10",
    "EarlyDataAnswer": "REG-10",
    "Empty": "REG-10",
    "PreSharedKey": "REG-10",
    "PuzzleSolution": "REG-10",
    "RecordHeader": "REC-2",
}
"""Whose rule a malformed value breaks, where it is not REG-2."""
NEVER_MALFORMED = {"Greeting", "HkdfLabel", "RawFrame"}
"""What is read octet by octet, or never: the stream's tests are of the first and the last."""


def groups(source: Source) -> Iterator[Group]:
    """A group for each structure and hash length that it depends on, then greetings and frames."""
    for name, definition in load().ast.items():
        if isinstance(definition, Struct):
            for hash_length in (32, 48, 64) if _depends(definition) else (32,):
                fields = {"structure": name, "hash_length": hash_length}
                yield Group("Structure", constant(**fields), tuple(_recipes(source, name, hash_length)))
    yield from stream.groups()


def _depends(struct: Struct) -> bool:
    return any(getattr(field.type, "length", None) == "hash_length" for field in struct.fields)


def _recipes(source: Source, name: str, hash_length: int) -> Iterator[Recipe]:
    """Samples with all their malformed forms, no octets twice."""
    seen: set[bytes] = set()
    long: set[str] = set()
    reading = Reading(load().ast, {"hash_length": hash_length})
    for position, size in enumerate(SIZES):
        random = source.random(f"wire/{name}/{hash_length}/{position}")
        value, octets = Sampler(load().ast, hash_length, random, size).structure(name)
        if octets in seen:
            continue
        seen.add(octets)
        yield Recipe(f"sample {position}", partial(_valid, name, hash_length, value, octets))
        for form in malformed(reading, name, octets) if name not in NEVER_MALFORMED else ():
            label = form.label.rpartition("/")[2]
            if form.octets in seen or (len(form.octets) > LONGEST and label in long):
                continue
            seen.add(form.octets)
            long |= {label} if len(form.octets) > LONGEST else set()
            why = refusal(RULES.get(name, "REG-2"), "decode_error")
            make = constant(encoded=form.octets.hex())
            yield Recipe(f"sample {position}: {form.label}", make, why, (_flag(label),))


def _valid(name: str, hash_length: int, value: Any, octets: bytes) -> dict[str, Any]:
    """The test; the reference reads the octets and writes the same."""
    parsed = load().parse(name, octets, hash_length=hash_length)
    if load().build(parsed, hash_length=hash_length) != octets:
        raise AssertionError(f"the reference writes another {name} than the notation says")
    return {"encoded": octets.hex(), "value": value}


def _flag(label: str) -> str:
    """The class of a malformed form."""
    classes = {"trailing": "Trailing", "half-element": "HalfElement", "floor": "Floor", "empty": "Floor"}
    if label.startswith("cut"):
        return "Truncated"
    return classes.get(label, {"ceiling": "Ceiling", "unknown": "UnknownCode"}.get(label, "Length"))


KIND = Kind(
    name="wire",
    purpose="Every structure of the specification: parse it, compare the value, build it again.",
    header=(
        "A valid test has the decoded value: integers for numbers and code points, hexadecimal for opaque, arrays and",
        "objects for what has elements or fields. An invalid one must be refused as a whole.",
    ),
    notes={
        "Truncated": "Octets at the end are missing.",
        "Trailing": "An octet follows the last field.",
        "HalfElement": "The end of a vector falls inside an element, or behind the last whole one.",
        "Floor": "A vector is shorter than its floor.",
        "Ceiling": "A vector is longer than its ceiling.",
        "Length": "A length field says more or less than there is.",
        "UnknownCode": "A closed enum has a value that it does not list.",
        **stream.NOTES,
    },
    layouts={
        "Structure": Layout({"structure": TEXT, "hash_length": INTEGER}, {"encoded": HEX, "value?": {}}),
        **stream.LAYOUTS,
    },
    groups=groups,
)
