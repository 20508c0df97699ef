"""Vector files on disk: how they are written, what their schemas say, and whether they are those of today."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from qzmq_conformance.vectors.shape import INTEGER, TEXT, Fields, Group, Kind, Layout, Recipe, Source, array

GENERATOR_VERSION = "1.0"
SEED = "QZMQ/1"
Progress = Callable[[str, int, int], None]
"""Told a kind's name, how many of its tests are done, and how many there are."""


@dataclass(frozen=True)
class Verdict:
    """Of one file: how many tests it should have, how many were computed anew, and what differs."""

    kind: str
    tests: int
    computed: int
    differences: tuple[str, ...]


def directory() -> Path:
    """Where the vectors of a source checkout lie; elsewhere, the folder of that name where one stands."""
    beside = Path(__file__).parents[3] / "vectors"
    return beside if (beside / "consumer").is_dir() else Path("vectors")


def write(kind: Kind, seed: str, folder: Path, progress: Progress) -> Path:
    """Compute every test of a kind and write its file and its schema; returns the file's path."""
    groups = tuple(kind.groups(Source(seed)))
    path = folder / f"{kind.name}.json"
    path.write_text("".join(_lines(kind, seed, groups, progress)), encoding="utf-8")
    schema_path(kind, folder).write_text(json.dumps(schema(kind), indent=2) + "\n", encoding="utf-8")
    return path


def check(kind: Kind, seed: str, folder: Path, sample: int | None, progress: Progress) -> Verdict:
    """Compare a file with what the generator says: every outline, and the octets of `sample` tests (None: of all)."""
    groups = tuple(kind.groups(Source(seed)))
    total = sum(len(group.recipes) for group in groups)
    chosen = _chosen(kind.name, total, sample)
    path = folder / f"{kind.name}.json"
    if not path.is_file():
        return Verdict(kind.name, total, 0, (f"{path} is missing: `qzmq vectors generate` writes it",))
    found = json.loads(path.read_text(encoding="utf-8"))
    differences = [*_different("head", head(kind, seed, groups), {**found, "testGroups": []})]
    differences += _different("schema", schema(kind), _schema_on_disk(kind, folder))
    stored = [(group, test) for group in found["testGroups"] for test in group["tests"]]
    if len(stored) != total:
        differences.append(f"{len(stored)} tests instead of {total}")
    done = 0
    for (number, group, recipe), (beside, test) in zip(_numbered(groups), stored, strict=False):
        computed = number in chosen
        expected = recipe.test(number) if computed else recipe.outline(number)
        differences += _different(f"tcId {number}", expected, test if computed else _outline(test, expected))
        if computed:
            shared = {"type": group.type, **group.fields()}
            differences += _different(f"group of tcId {number}", shared, {**beside, "tests": None}, ignore="tests")
            progress(kind.name, done := done + 1, len(chosen))
    return Verdict(kind.name, total, done, tuple(differences))


def head(kind: Kind, seed: str, groups: tuple[Group, ...]) -> dict[str, Any]:
    """A file without its groups."""
    used = {flag for group in groups for recipe in group.recipes for flag in recipe.flags}
    return {
        "algorithm": f"QZMQ/1 {kind.name}",
        "schema": f"schemas/{kind.name}.schema.json",
        "generatorVersion": GENERATOR_VERSION,
        "seed": seed,
        "numberOfTests": sum(len(group.recipes) for group in groups),
        "header": [kind.purpose, *kind.header],
        "notes": {flag: {"description": text} for flag, text in kind.notes.items() if flag in used},
        "testGroups": [],
    }


def schema(kind: Kind) -> dict[str, Any]:
    """The JSON Schema (draft 7) of a kind's file."""
    notes = {"type": "object", "additionalProperties": _object({"description": TEXT})}
    groups = array({"oneOf": [_group_schema(name, layout) for name, layout in kind.layouts.items()]})
    fields = {
        "algorithm": {"const": f"QZMQ/1 {kind.name}"},
        "schema": {"const": f"schemas/{kind.name}.schema.json"},
        "generatorVersion": TEXT,
        "seed": TEXT,
        "numberOfTests": INTEGER,
        "header": array(TEXT),
        "notes": notes,
        "testGroups": groups,
    }
    about = {"$schema": "http://json-schema.org/draft-07/schema#", "title": f"QZMQ/1 vectors: {kind.name}"}
    return {**about, "description": kind.purpose, **_object(fields)}


def schema_path(kind: Kind, folder: Path) -> Path:
    """Where the schema of a kind lies."""
    return folder / "schemas" / f"{kind.name}.schema.json"


def _group_schema(name: str, layout: Layout) -> dict[str, Any]:
    about = {"tcId": INTEGER, "comment": TEXT, "flags": array(TEXT)}
    valid = _object({**about, "result": {"const": "valid"}, **layout.test})
    blame = {"requirement": {"type": "string", "pattern": "^[A-Z]+-[0-9]+$"}, "alert": TEXT}
    invalid = _object({**about, "result": {"const": "invalid"}, **blame, **layout.test})
    tests = array({"if": {"properties": {"result": {"const": "valid"}}}, "then": valid, "else": invalid})
    return _object({"type": {"const": name}, **layout.group, "tests": tests})


def _object(fields: Fields) -> dict[str, Any]:
    """An object of exactly these fields; a name that ends in `?` may be absent."""
    properties = {name.removesuffix("?"): fragment for name, fragment in fields.items()}
    required = [name for name in fields if not name.endswith("?")]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def _lines(kind: Kind, seed: str, groups: tuple[Group, ...], progress: Progress) -> Iterator[str]:
    """The file's text: one test to a line, so that a change of one test is a change of one line."""
    start = json.dumps(head(kind, seed, groups), indent=1)
    yield start.removesuffix("[]\n}") + "[\n"
    total, number = sum(len(group.recipes) for group in groups), 0
    for group in groups:
        shared = json.dumps({"type": group.type, **group.fields(), "tests": []})
        yield shared.removesuffix("]}") + "\n"
        for position, recipe in enumerate(group.recipes, 1):
            number += 1
            yield json.dumps(recipe.test(number)) + ("\n" if position == len(group.recipes) else ",\n")
            progress(kind.name, number, total)
        yield "]}\n" if group is groups[-1] else "]},\n"
    yield "]}\n"


def _numbered(groups: tuple[Group, ...]) -> Iterator[tuple[int, Group, Recipe]]:
    pairs = ((group, recipe) for group in groups for recipe in group.recipes)
    for number, (group, recipe) in enumerate(pairs, 1):
        yield number, group, recipe


def _chosen(name: str, total: int, sample: int | None) -> frozenset[int]:
    """tcIds in an order that only the kind's name decides, the first `sample` of them."""
    numbers = sorted(range(1, total + 1), key=lambda number: sha256(f"{name} {number}".encode()).digest())
    return frozenset(numbers[:sample])


def _outline(test: Mapping[str, Any], expected: Mapping[str, Any]) -> dict[str, Any]:
    return {name: test.get(name) for name in expected}


def _schema_on_disk(kind: Kind, folder: Path) -> Any:
    path = schema_path(kind, folder)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _different(where: str, expected: Fields, found: Fields, ignore: str = "") -> list[str]:
    """The names of the fields that differ."""
    names = [*expected, *(found.keys() - expected.keys())]
    return [f"{where}: {name}" for name in names if name != ignore and expected.get(name) != found.get(name)]
