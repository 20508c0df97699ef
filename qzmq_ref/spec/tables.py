"""What the pages of spec/ hold for programs: definitions, tables, requirements (spec/notation.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TypeVar

from qzmq_ref.spec import notation

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TABLE = re.compile(r"^Table: ([\w-]+)\n\n?((?:\|.*\|\n)+)", re.MULTILINE)
REQUIREMENT = re.compile(r"^\*\*([A-Z]+-\d+)\*\* ((?:.+\n?)+)", re.MULTILINE)
IDENTIFIER = re.compile(r"[A-Z]+-\d+")
WORD = re.compile(r"\w+")
CELL = re.compile(r"(?<!\\)\|")
Row = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Requirement:
    """One numbered rule (NOT-10): a paragraph, or a row of a table that has a column `ID`."""

    id: str
    page: str
    text: str
    alerts: tuple[str, ...]
    """Names of `AlertDescription` that the text mentions, in its order."""


@dataclass(frozen=True)
class Specification:
    """Pages of a specification by their names, and what they hold; `NotationError` names the page that is wrong."""

    pages: Mapping[str, str]

    @cached_property
    def definitions(self) -> Mapping[str, notation.Definition]:
        """Every enum and struct by its name, checked together."""
        found = _once((page, d.name, d) for page, text in self.pages.items() for d in _definitions_of(page, text))
        notation.check(found)
        return found

    @cached_property
    def tables(self) -> Mapping[str, tuple[Row, ...]]:
        """Every captioned table: caption -> rows, each by the texts of the header row."""
        return _once((page, match[1], tuple(_rows(page, match[2]))) for page, match in self._matches(TABLE))

    @cached_property
    def requirements(self) -> Mapping[str, Requirement]:
        """Every requirement by its ID: those that are paragraphs, then those that are rows."""
        paragraphs = [(page, match[1], " ".join(match[2].split())) for page, match in self._matches(REQUIREMENT)]
        rows = [
            (page, row["ID"], " | ".join(row.values()))
            for page, match in self._matches(TABLE)
            for row in _rows(page, match[2])
            if IDENTIFIER.fullmatch(row.get("ID", ""))
        ]
        return _once((page, name, self._requirement(name, page, text)) for page, name, text in paragraphs + rows)

    def _matches(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, re.Match[str]]]:
        for page, text in self.pages.items():
            for match in pattern.finditer(FENCE.sub("", text)):
                yield page, match

    def _requirement(self, identifier: str, page: str, text: str) -> Requirement:
        enum = self.definitions["AlertDescription"]
        names = enum.members if isinstance(enum, notation.Enum) else {}
        return Requirement(identifier, page, text, tuple(word for word in WORD.findall(text) if word in names))


def spec_directory() -> Path:
    """The folder of the specification's pages: inside the installed package, else in the source checkout."""
    here = Path(__file__).parent
    installed = here / "text"
    return installed if installed.is_dir() else here.parents[1] / "spec"


@cache
def specification() -> Specification:
    """The specification of QZMQ/1, as it lies in `spec_directory`."""
    paths = sorted(spec_directory().glob("*.md"))
    return Specification({path.stem: path.read_text(encoding="utf-8") for path in paths})


def tables() -> Mapping[str, tuple[Row, ...]]:
    """`Specification.tables` of QZMQ/1."""
    return specification().tables


def requirements() -> Mapping[str, Requirement]:
    """`Specification.requirements` of QZMQ/1."""
    return specification().requirements


def _once(found: Iterable[tuple[str, str, T]]) -> dict[str, T]:
    """The things found, by name; each name stands once in the whole specification (NOT-10, NOT-11)."""
    result: dict[str, T] = {}
    for page, name, thing in found:
        if name in result:
            raise notation.NotationError(f"{page}.md: {name} stands twice")
        result[name] = thing
    return result


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
        raise notation.NotationError(f"{page}.md: {error}") from error


def _rows(page: str, text: str) -> Iterator[Row]:
    header, _, *lines = text.splitlines()
    names = _cells(header)
    for line in lines:
        cells = _cells(line)
        if len(cells) != len(names):
            raise notation.NotationError(f"{page}.md: {len(cells)} cells instead of {len(names)} in {line}")
        yield dict(zip(names, cells, strict=True))


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in CELL.split(line.strip())[1:-1]]
