"""What a run comes to: new failures, failures that are known, cases that were not run, capabilities that got lost."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qzmq_conformance.capabilities import Capabilities, claimed, to_json
from qzmq_conformance.case import Outcome
from qzmq_ref.alerts import LocalError


@dataclass(frozen=True)
class Known:
    """A failure that is expected until somebody mends it. In `seen`, how it fails, `*` stands for anything."""

    case: str
    reason: str
    seen: str

    def covers(self, outcome: Outcome) -> bool:
        """Whether the case failed just so."""
        pattern = ".*".join(map(re.escape, self.seen.split("*")))
        return re.fullmatch(pattern, outcome.seen, re.DOTALL) is not None


@dataclass(frozen=True)
class Verdict:
    """`failed` are new failures; `complaints` are what else turns the run red."""

    played: tuple[Outcome, ...]
    failed: tuple[Outcome, ...]
    known: Mapping[str, str]
    not_run: Mapping[str, str]
    complaints: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether all is as it should be, or as it is known to be."""
        return not self.failed and not self.complaints

    def to_json(self) -> dict[str, Any]:
        """What the results of the cases do not say themselves; `failed` counts the new failures."""
        return {
            "failed": len(self.failed),
            "known": dict(self.known),
            "not_run": dict(self.not_run),
            "complaints": list(self.complaints),
        }

    def lines(self) -> Iterator[str]:
        """The same in words; the cases that were not run are counted by what they lack."""
        for case, reason in self.known.items():
            yield f"known failure {case}: {reason}"
        for lacking, count in Counter(self.not_run.values()).most_common():
            yield f"not run: unsupported {lacking}: {count} cases"
        yield from (f"FAILED {complaint}" for complaint in self.complaints)


def judge(outcomes: Sequence[Outcome], known: Iterable[Known], complaints: Iterable[str] = ()) -> Verdict:
    """Sorts the outcomes; a known failure that passes, fails differently or was not run is a complaint."""
    entries = {entry.case: entry for entry in known}
    played = tuple(outcome for outcome in outcomes if not outcome.unsupported)
    as_known = {
        outcome.case.id: entries[outcome.case.id].reason
        for outcome in played
        if outcome.seen and outcome.case.id in entries and entries[outcome.case.id].covers(outcome)
    }
    stale = (
        _stale(entries[outcome.case.id], outcome)
        for outcome in outcomes
        if outcome.case.id in entries and outcome.case.id not in as_known
    )
    return Verdict(
        played,
        tuple(outcome for outcome in played if outcome.seen and outcome.case.id not in as_known),
        as_known,
        {outcome.case.id: outcome.unsupported for outcome in outcomes if outcome.unsupported},
        (*complaints, *stale),
    )


def _stale(entry: Known, outcome: Outcome) -> str:
    if outcome.unsupported:
        return f"{entry.case}: a known failure that was not run: unsupported {outcome.unsupported}"
    if outcome.passed:
        return f"{entry.case}: a known failure that passes: take it off the list"
    return f"{entry.case}: a known failure that fails differently: {outcome.seen}; known is: {entry.seen}"


def read_known(path: str, cases: Collection[str]) -> tuple[Known, ...]:
    """The entries of a file of known failures; `LocalError` for a file that is none, or that names no case."""
    try:
        entries = tuple(Known(**entry) for entry in json.loads(Path(path).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise LocalError(f'{path} is no list of {{"case": ID, "reason": TEXT, "seen": TEXT}}: {error}') from None
    if unknown := [entry.case for entry in entries if entry.case not in cases]:
        raise LocalError(f"{path} names cases that do not exist: {', '.join(unknown)}; `--list` prints all")
    return entries


def ratchet(path: str, capabilities: Capabilities) -> list[str]:
    """What was claimed when the file was written and is not any more. With no loss the file follows what was gained."""
    file = Path(path)
    try:
        recorded = claimed(json.loads(file.read_text(encoding="utf-8"))) if file.exists() else frozenset()
    except (OSError, ValueError) as error:
        raise LocalError(f"{path} is no record of capabilities: {error}; remove it to begin anew") from None
    if lost := sorted(recorded - capabilities):
        return [f"{each} got lost: {path} has it, the adapter does not claim it any more" for each in lost]
    if capabilities != recorded:
        file.write_text(json.dumps(to_json(capabilities), indent=1) + "\n", encoding="utf-8")
    return []
