"""The learned machine beside the specified one, and the shortest word on which they differ."""

from __future__ import annotations

import time
from dataclasses import dataclass

from qzmq_conformance.learning.learner import EXTRA, Asked, learn
from qzmq_conformance.learning.mealy import Mealy, Word, difference
from qzmq_conformance.learning.playing import Ambiguous, Setting
from qzmq_conformance.learning.specified import ALPHABET, Specification
from qzmq_conformance.stage import Bench


@dataclass(frozen=True)
class Exchange:
    """One input of a word: what the table says that the target answers, what it answered, and the rules."""

    symbol: str
    specified: str
    seen: str
    rules: Word

    @property
    def agrees(self) -> bool:
        """Whether the target did as the table says."""
        return self.specified == self.seen


@dataclass(frozen=True)
class Comparison:
    """What learning in one setting found. Without a `learned` machine the target is `ambiguous`: it answered one word
    in two ways. `counterexample` is the shortest word there is on which the machines differ, () if they are equal."""

    setting: Setting
    specified: Mealy
    learned: Mealy | None
    counterexample: tuple[Exchange, ...]
    ambiguous: Ambiguous | None
    connections: int
    questions: int
    seconds: float

    @property
    def equal(self) -> bool:
        """Whether the target's machine is that of the table."""
        return self.learned is not None and not self.counterexample and self.ambiguous is None


def compare(bench: Bench, setting: Setting, alphabet: Word = ALPHABET, extra: int = EXTRA) -> Comparison:
    """Learn the target's machine and compare it with the table; raises `Undriven`."""
    began = time.monotonic()
    specified = Specification(setting.role, setting.puzzle).machine(alphabet)
    asked, learned, ambiguous = Asked(bench, setting), None, None
    found: tuple[Exchange, ...] = ()
    try:
        learned = learn(asked.outputs, alphabet, extra)
        if word := difference(specified, learned):
            found = confirmed(asked, word, learned)
    except Ambiguous as error:
        ambiguous = error
    seconds = time.monotonic() - began
    return Comparison(setting, specified, learned, found, ambiguous, asked.connections, asked.questions, seconds)


def confirmed(asked: Asked, word: Word, learned: Mealy) -> tuple[Exchange, ...]:
    """The word, played once more input by input; `Ambiguous` if one is not answered as it was learned."""
    expected = [step.output for step in learned.run(word)]
    for position, output in enumerate(expected):
        known = word[: position + 1]
        if (again := asked.ask(known, expected[:position])) != output:
            raise Ambiguous(known, output, again)
    return exchanges(asked.setting, word, expected)


def exchanges(setting: Setting, word: Word, outputs: list[str]) -> tuple[Exchange, ...]:
    """A word with what the table and the target say to it."""
    specification = Specification(setting.role, setting.puzzle)
    specified = specification.machine().run(word)
    return tuple(
        Exchange(symbol, step.output, seen, move.rules)
        for symbol, step, seen, move in zip(word, specified, outputs, specification.moves(word), strict=True)
    )
