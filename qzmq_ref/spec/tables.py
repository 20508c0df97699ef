"""What the pages of spec/ hold for programs: definitions, tables, requirements (NOT-10 to NOT-13)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qzmq_ref.spec import notation

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^Table: ([\w-]+)\n\n?((?:\|.*\|\n)+)", re.MULTILINE)
REQUIREMENT = re.compile(r"^\*\*([A-Z]+-\d+)\*\* ((?:.+\n?)+)", re.MULTILINE)
IDENTIFIER = re.compile(r"[A-Z]+-\d+")
CELL = re.compile(r"(?<!\\)\|")
Row = Mapping[str, str]


@dataclass(frozen=True)
class Requirement:
    """One numbered rule: a paragraph, or a row of a table that has a column `ID`."""

    id: str
    page: str
    text: str
    alerts: tuple[str, ...]
    """Names of `AlertDescription` that the text mentions, in its order."""


def spec_directory() -> Path:
    """The folder of the specification's pages: inside the installed package, else in the source checkout."""
    here = Path(__file__).parent
    installed = here / "text"
    return installed if installed.is_dir() else here.parents[1] / "spec"


@cache
def pages() -> Mapping[str, str]:
    """Text of every page by its name without `.md`."""
    return {path.stem: path.read_text(encoding="utf-8") for path in sorted(spec_directory().glob("*.md"))}


@cache
def definitions() -> Mapping[str, notation.Definition]:
    """Every enum and struct of the pages, checked together; `NotationError` names the page and line."""
    found: dict[str, notation.Definition] = {}
    for page, text in pages().items():
        for definition in _definitions_of(page, text):
            if definition.name in found:
                raise notation.NotationError(f"{page}.md: {definition.name} is defined twice")
            found[definition.name] = definition
    notation.check(found)
    return found


@cache
def tables() -> Mapping[str, tuple[Row, ...]]:
    """Every captioned table: caption -> rows, each by the texts of the header row."""
    found: dict[str, tuple[Row, ...]] = {}
    for page, text in pages().items():
        for match in TABLE.finditer(FENCE.sub("", text)):
            if match[1] in found:
                raise notation.NotationError(f"{page}.md: table {match[1]} stands twice")
            found[match[1]] = tuple(_rows(f"{page}.md, table {match[1]}", match[2]))
    return found


@cache
def requirements() -> Mapping[str, Requirement]:
    """Every requirement by its ID."""
    found: dict[str, Requirement] = {}
    for page, text in pages().items():
        for requirement in _requirements_of(page, FENCE.sub("", text)):
            if requirement.id in found:
                raise notation.NotationError(f"{page}.md: {requirement.id} stands twice")
            found[requirement.id] = requirement
    return found


def _definitions_of(page: str, text: str) -> tuple[notation.Definition, ...]:
    """Parse a page's fences in one go; the rest becomes empty lines, so that line numbers stay the page's."""
    source, end = [], 0
    for fence in FENCE.finditer(text):
        if fence[1] == "qzmq":
            source += ["\n" * text.count("\n", end, fence.start(2)), fence[2]]
            end = fence.end(2)
    try:
        return notation.parse("".join(source)) if source else ()
    except notation.NotationError as error:
        raise notation.NotationError(f"{page}.md, {error}") from error


def _rows(where: str, text: str) -> Iterator[Row]:
    header, _, *lines = text.splitlines()
    names = _cells(header)
    for line in lines:
        cells = _cells(line)
        if len(cells) != len(names):
            raise notation.NotationError(f"{where}: {len(cells)} cells instead of {len(names)} in {line}")
        yield dict(zip(names, cells, strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in CELL.split(line.strip())[1:-1]]


def _requirements_of(page: str, text: str) -> Iterator[Requirement]:
    for match in REQUIREMENT.finditer(text):
        yield _requirement(match[1], page, " ".join(match[2].split()))
    for match in TABLE.finditer(text):
        for row in _rows(page, match[2]):
            if IDENTIFIER.fullmatch(row.get("ID", "")):
                yield _requirement(row["ID"], page, " | ".join(row.values()))


def _requirement(identifier: str, page: str, text: str) -> Requirement:
    alerts = tuple(word for word in re.findall(r"\w+", text) if word in _alert_names())
    return Requirement(identifier, page, text, alerts)


@cache
def _alert_names() -> frozenset[str]:
    enum = definitions().get("AlertDescription")
    return frozenset(enum.members) if isinstance(enum, notation.Enum) else frozenset()
