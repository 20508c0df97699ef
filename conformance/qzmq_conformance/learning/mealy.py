"""Mealy machines: what they answer, where two of them differ, and the words that tell whether they do (W-method)."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, product
from typing import NamedTuple

Word = tuple[str, ...]

OVER = "over"
"""What every input is answered with once the session has ended: nobody is there."""


class Step(NamedTuple):
    """One transition: what the machine answers, and the state it is in then."""

    output: str
    next: str


@dataclass(frozen=True)
class Mealy:
    """A complete deterministic machine: state -> input -> step."""

    initial: str
    transitions: Mapping[str, Mapping[str, Step]]

    @property
    def alphabet(self) -> Word:
        """Its inputs, in the order in which words are tried."""
        return tuple(self.transitions[self.initial])

    @property
    def size(self) -> tuple[int, int]:
        """How many states it has, and transitions before the session is over."""
        steps = [step for steps in self.transitions.values() for step in steps.values()]
        return len(self.transitions), sum(step.output != OVER for step in steps)

    def run(self, word: Word, state: str = "") -> list[Step]:
        """Its steps on a word, from the initial state unless another one is named."""
        steps, state = [], state or self.initial
        for symbol in word:
            steps.append(self.transitions[state][symbol])
            state = steps[-1].next
        return steps

    def access(self) -> Mapping[str, Word]:
        """The shortest word to every state that can be reached."""
        found: dict[str, Word] = {self.initial: ()}
        waiting = deque([self.initial])
        while waiting:
            state = waiting.popleft()
            for symbol, step in self.transitions[state].items():
                if step.next not in found:
                    found[step.next] = (*found[state], symbol)
                    waiting.append(step.next)
        return found


def difference(left: Mealy, right: Mealy, left_state: str = "", right_state: str = "") -> Word | None:
    """The shortest word that two machines (or two states of them) answer differently, the first in the order of the
    alphabet; None if there is none. Breadth first over the pairs of states: no shorter word exists."""
    start = (left_state or left.initial, right_state or right.initial)
    seen = {start}
    waiting: deque[tuple[tuple[str, str], Word]] = deque([(start, ())])
    while waiting:
        (first, second), word = waiting.popleft()
        for symbol in left.alphabet:
            ours, theirs = left.transitions[first][symbol], right.transitions[second][symbol]
            if ours.output != theirs.output:
                return (*word, symbol)
            if (pair := (ours.next, theirs.next)) not in seen:
                seen.add(pair)
                waiting.append((pair, (*word, symbol)))
    return None


def characterizing(machine: Mealy) -> tuple[Word, ...]:
    """W: words such that any two states of a minimal machine answer one of them differently."""
    words: dict[Word, None] = {}
    for first, second in combinations(machine.access(), 2):
        if not any(_outputs(machine, word, first) != _outputs(machine, word, second) for word in words):
            separating = difference(machine, machine, first, second)
            if separating is None:
                raise ValueError(f"states {first} and {second} answer alike: the machine is not minimal")
            words[separating] = None
    return tuple(words)


def w_suite(machine: Mealy, extra: int) -> tuple[Word, ...]:
    """The W-method's words (Chow 1978): any machine with at most `extra` more states that answers all of them as this
    one does is equal to it. Words that only begin others, and what would follow the end of a session, are left out."""
    words = {machine.alphabet[:0]}
    for access, length in product(machine.access().values(), range(extra + 2)):
        for middle, last in product(product(machine.alphabet, repeat=length), ((), *characterizing(machine))):
            words.add(_before_the_end(machine, (*access, *middle, *last)))
    beginnings = {word[:size] for word in words for size in range(len(word))}
    return tuple(sorted(words - beginnings, key=lambda word: (len(word), word)))


def _before_the_end(machine: Mealy, word: Word) -> Word:
    live = [step.output != OVER for step in machine.run(word)]
    return word[: sum(live)]


def _outputs(machine: Mealy, word: Word, state: str) -> list[str]:
    return [step.output for step in machine.run(word, state)]
