"""Results as pages that need nothing but a browser: matrices, every area, a page for each case.

The templates escape whatever is not markup of their own. Nothing is fetched from elsewhere or needs JavaScript.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from qzmq_conformance.case import MODES
from qzmq_conformance.results import Result, Rule, Run, Tally, tally

LINE = 16  # octets
SHOWN = 10  # failures under one heading; the rest is on the page of the area


@dataclass(frozen=True)
class Row:
    """One case, and what became of it in each run where it was played, by the run's name."""

    id: str
    results: Mapping[str, Result]

    @property
    def case(self) -> Result:
        """What is the same in every run: area, mode, requirements, alert."""
        return next(iter(self.results.values()))

    @property
    def failed(self) -> Mapping[str, Result]:
        """The new failures."""
        return {name: result for name, result in self.results.items() if result.failed}

    @property
    def file(self) -> str:
        """The case's own page."""
        return file_name("case", self.id)


@dataclass(frozen=True)
class Report:
    """One run, or several side by side. `specification` is where its pages are, a URL, or "" for no links to it."""

    runs: tuple[Run, ...]
    specification: str = ""

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """Every case of any run."""
        played: dict[str, dict[str, Result]] = {}
        for run in self.runs:
            for identifier, result in run.results.items():
                played.setdefault(identifier, {})[run.name] = result
        return tuple(Row(identifier, played[identifier]) for identifier in sorted(played))

    @cached_property
    def failed(self) -> tuple[Row, ...]:
        """The cases that failed in any run."""
        return tuple(row for row in self.rows if row.failed)

    @cached_property
    def areas(self) -> Mapping[str, tuple[Row, ...]]:
        """The cases by area."""
        return {area: tuple(rows) for area, rows in groupby(self.rows, key=lambda row: row.case.area)}

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """The modes that were played, in the suite's order."""
        played = {row.case.mode for row in self.rows}
        return tuple(sorted(played, key=lambda mode: (MODES.index(mode) if mode in MODES else len(MODES), mode)))

    @cached_property
    def by_area(self) -> Sequence[Mapping[tuple[str, str], Tally]]:
        """For each run, the sums by area and mode."""
        return [tally(run.results.values(), lambda result: [(result.area, result.mode)]) for run in self.runs]

    @cached_property
    def by_rule(self) -> Sequence[Mapping[str, Tally]]:
        """For each run, the sums by requirement."""
        return [tally(run.results.values(), lambda result: set(result.requirements)) for run in self.runs]

    @cached_property
    def rules(self) -> Mapping[str, Rule]:
        """Every requirement of any run's specification; where they differ, the first run's."""
        return {name: rule for run in reversed(self.runs) for name, rule in run.rules.items()}

    @cached_property
    def chapters(self) -> Mapping[str, tuple[Rule, ...]]:
        """The requirements by the page of the specification, in its order."""
        pages = dict.fromkeys(rule.page for run in self.runs for rule in run.rules.values())
        return {page: tuple(sorted(self._on(page), key=_numbered)) for page in sorted(pages)}

    @cached_property
    def failing_rules(self) -> tuple[Rule, ...]:
        """The requirements that a failed case is about."""
        named = dict.fromkeys(name for row in self.failed for name in row.case.requirements)
        return tuple(self.rules[name] for name in named if name in self.rules)

    def failed_under(self, rule: Rule) -> list[Row]:
        """The cases about this requirement that failed in any run."""
        return [row for row in self.failed if rule.id in row.case.requirements]

    def address(self, rule: Rule) -> str:
        """Where the requirement stands in the specification, or ""."""
        return f"{self.specification.rstrip('/')}/{rule.page}/#{rule.id}" if self.specification else ""

    def _on(self, page: str) -> Iterator[Rule]:
        return (rule for rule in self.rules.values() if rule.page == page)


def write(directory: str | Path, runs: Sequence[Run], specification: str = "") -> None:
    """Writes the report into a folder, index.html first. What is not part of it stays as it is."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in render(Report(tuple(runs), specification)):
        (folder / name).write_text(text, encoding="utf-8")


def render(report: Report) -> Iterator[tuple[str, str]]:
    """The files of the report, each with its text."""
    templates = Environment(
        loader=PackageLoader("qzmq_conformance"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"prose": prose, "hexdump": hexdump, "file": lambda area: file_name("area", area)}
    templates.globals |= {"report": report, "shown": SHOWN}
    yield "style.css", templates.get_template("style.css").render()
    yield "index.html", templates.get_template("index.html").render()
    for area, rows in report.areas.items():
        yield file_name("area", area), templates.get_template("area.html").render(area=area, rows=rows)
    page = templates.get_template("case.html")
    around = (None, *report.failed, None)
    for before, row, after in zip(around, report.failed, around[2:], strict=False):
        yield row.file, page.render(row=row, before=before, after=after)
    for row in report.rows:
        if not row.failed:
            yield row.file, page.render(row=row, before=None, after=None)


def file_name(kind: str, name: str) -> str:
    """A file name for anything: plain names as they are, others with what tells them apart from their like."""
    plain = re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII)
    mark = "" if plain == name and len(name) < 100 else "-" + sha256(name.encode()).hexdigest()[:8]
    return f"{kind}-{plain[:100]}{mark}.html"


def prose(text: str) -> list[tuple[bool, str]]:
    """A sentence of the specification in pieces, each with whether it is code; links are only their words."""
    pieces = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).split("`")
    return [(number % 2 == 1, piece) for number, piece in enumerate(pieces) if piece]


def hexdump(octets: bytes) -> str:
    """Sixteen octets a line: position, hexadecimal, ASCII."""
    lines = []
    for start in range(0, len(octets), LINE):
        line = octets[start : start + LINE]
        shown = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in line)
        lines.append(f"{start:06x}  {line.hex(' '):{3 * LINE}} {shown}")
    return "\n".join(lines)


def _numbered(rule: Rule) -> tuple[str, int]:
    prefix, _, number = rule.id.rpartition("-")
    return prefix, int(number) if number.isdigit() else 0
