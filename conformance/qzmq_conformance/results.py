"""Results as `qzmq conform --json` writes them, read back: JUnit XML and the pages are made of nothing else.

A result file may come from anywhere, and much in it from the implementation under test. Every text is made printable as
it is read, so no report can be made to hide or to forge a line.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, TypeVar

Key = TypeVar("Key")


class Unreadable(ValueError):
    """A file that is no result of `qzmq conform --json`."""


@dataclass(frozen=True)
class Rule:
    """A requirement of the specification that the run was made with."""

    id: str
    page: str
    text: str

    @classmethod
    def of(cls, identifier: str, document: Mapping[str, Any]) -> Self:
        """A rule from its JSON."""
        return cls(printable(identifier), printable(document["page"]), printable(document["text"]))


@dataclass(frozen=True)
class Message:
    """One message of a transcript. Of a long one `octets` are only the first of `size`."""

    sender: str
    size: int
    octets: bytes
    decoded: tuple[str, ...]


@dataclass(frozen=True)
class Result:
    """The verdict on one case. One that passed has neither `expected` nor `seen`, and a transcript only by `--trace`.

    `known` is why a failure is expected, "" for a new one.
    """

    id: str
    requirements: tuple[str, ...]
    alert: str
    passed: bool
    seconds: float
    expected: str = ""
    seen: str = ""
    replay: str = ""
    transcript: tuple[Message, ...] = ()
    known: str = ""

    @property
    def area(self) -> str:
        """The part of the protocol the case is about."""
        return self.id.split("/")[0]

    @property
    def mode(self) -> str:
        """The mode the case runs in."""
        return self.id.split("/")[1]

    @property
    def failed(self) -> bool:
        """Whether this is a new failure."""
        return not self.passed and not self.known

    @classmethod
    def of(cls, document: Mapping[str, Any], known: str = "") -> Self:
        """A result from its JSON; `LookupError`, `TypeError` or `ValueError` if it is none."""
        identifier = printable(document["id"])
        if identifier.count("/") < 2:
            raise ValueError(f"{identifier!r} is no id AREA/MODE/...")
        return cls(
            identifier,
            tuple(printable(name) for name in document["requirements"]),
            printable(document["alert"]),
            bool(document["passed"]),
            float(document["seconds"]),
            printable(document.get("expected", "")),
            printable(document.get("seen", "")),
            printable(document.get("replay", "")),
            tuple(_message(message) for message in document.get("transcript", ())),
            known,
        )


@dataclass(frozen=True)
class Tally:
    """How many cases were played, how many of them passed, and how many are new failures; the others are known."""

    cases: int = 0
    passed: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Run:
    """One implementation's results, by case id in order. `name` tells it from the others of a report.

    `not_run` says what each case that was not played would have needed; `complaints` are what else turns a run red.
    """

    name: str
    seconds: float
    results: Mapping[str, Result]
    rules: Mapping[str, Rule]
    not_run: Mapping[str, str] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()

    @property
    def tally(self) -> Tally:
        """All cases together."""
        return tally(self.results.values(), lambda _: [""]).get("", Tally())

    @property
    def failures(self) -> tuple[Result, ...]:
        """The new failures."""
        return tuple(result for result in self.results.values() if result.failed)

    @property
    def known(self) -> tuple[Result, ...]:
        """The failures that are known."""
        return tuple(result for result in self.results.values() if result.known)

    @property
    def lacking(self) -> Mapping[str, int]:
        """How many cases were not run, by what they would have needed; most first."""
        return dict(Counter(self.not_run.values()).most_common())

    @property
    def passed(self) -> bool:
        """Whether the run was green."""
        return not self.failures and not self.complaints

    def rules_of(self, result: Result) -> list[Rule]:
        """The rules that a case is about; those that the specification does not have are left out."""
        return [self.rules[name] for name in result.requirements if name in self.rules]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """A run from its JSON; raises `Unreadable`."""
        try:
            target = document["target"]
            name = " ".join(printable(str(target[word])) for word in ("name", "version") if word in target)
            known = document.get("known", {})
            results = (Result.of(each, printable(known.get(each["id"], ""))) for each in document["results"])
            rules = (Rule.of(identifier, rule) for identifier, rule in document["requirements"].items())
            return cls(
                name,
                float(document["seconds"]),
                {result.id: result for result in sorted(results, key=lambda result: result.id)},
                {rule.id: rule for rule in rules},
                {printable(case): printable(lacking) for case, lacking in document.get("not_run", {}).items()},
                tuple(printable(complaint) for complaint in document.get("complaints", ())),
            )
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Unreadable(f"no result of `qzmq conform --json`: {error!r}") from error


def read(paths: Sequence[str | Path]) -> list[Run]:
    """The runs in these files, each with a name of its own; raises `Unreadable` or `OSError`."""
    runs: list[Run] = []
    for path in paths:
        try:
            run = Run.of(json.loads(Path(path).read_text(encoding="utf-8")))
        except ValueError as error:
            raise Unreadable(f"{path}: {error}") from error
        taken = {other.name for other in runs}
        numbered = (f"{run.name} ({number})" for number in range(2, len(paths) + 2))
        runs.append(replace(run, name=next(name for name in (run.name, *numbered) if name not in taken)))
    return runs


def tally(results: Iterable[Result], keys: Callable[[Result], Iterable[Key]]) -> dict[Key, Tally]:
    """The sums for every key that a result has."""
    sums: dict[Key, Tally] = {}
    for result in results:
        for key in keys(result):
            so_far = sums.get(key, Tally())
            sums[key] = Tally(so_far.cases + 1, so_far.passed + result.passed, so_far.failed + result.failed)
    return sums


def printable(text: str) -> str:
    """The text, with what a terminal, a browser or XML would obey rather than show written as in Python; lines stay."""
    return "".join(
        character if character.isprintable() or character == "\n" else character.encode("unicode_escape").decode()
        for character in text
    )


def _message(document: Mapping[str, Any]) -> Message:
    return Message(
        printable(document["sender"]),
        int(document["size"]),
        bytes.fromhex(document["octets"]),
        tuple(printable(line) for line in document["decoded"]),
    )
