"""Learning a target's machine: L* with the W-method as its equivalence query, by AALpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from qzmq_conformance.case import Undriven
from qzmq_conformance.learning.mealy import OVER, Mealy, Step, Word
from qzmq_conformance.learning.playing import Setting, Unanswered, play
from qzmq_conformance.learning.specified import ALPHABET, END
from qzmq_conformance.stage import Bench, Stage
from qzmq_ref.alerts import LocalError

try:
    from aalpy.automata import MealyMachine, MealyState
    from aalpy.base import SUL
    from aalpy.learning_algs import run_Lstar
    from aalpy.oracles import WMethodEqOracle
except ImportError as missing:
    raise LocalError("learning needs aalpy: pip install 'qzmq-ref[learning]'") from missing

Outputs = Callable[[Word], list[str]]
"""The answers of a system to every input of a word, always the same ones."""

ATTEMPTS = 3
"""How often a word is played before a target that gives no answer counts as one that cannot be driven."""

EXTRA = 1
"""States that a target may have beyond those that were found so far, and the W-method still finds them."""


@dataclass
class Asked:
    """Every answer of a target in one setting, asked once. `connections` counts what that took, and `questions` the
    words whose answers were needed."""

    bench: Bench
    setting: Setting
    answers: dict[Word, str] = field(default_factory=dict)
    connections: int = 0
    questions: int = 0
    stage: Stage | None = None
    """That of the last connection, with its transcript."""

    def outputs(self, word: Word) -> list[str]:
        """The target's answer to every input of the word. Raises `Ambiguous`, and `Undriven` if there is none."""
        self.questions += 1
        found: list[str] = []
        for size in range(1, len(word) + 1):
            known = word[:size]
            if known not in self.answers:
                self.answers[known] = OVER if found and _is_last(found[-1]) else self.ask(known, found)
            found.append(self.answers[known])
        return found

    def ask(self, word: Word, known: list[str]) -> str:
        """The answer to the last input, on a connection of its own, where those to the others are known."""
        why = ""
        for _ in range(ATTEMPTS):
            self.connections += 1
            self.stage = Stage(self.bench)
            try:
                return play(self.stage, self.setting, word, known)
            except Unanswered as error:
                why = str(error)
        raise Undriven(f"{' '.join(word)}: no answer in {ATTEMPTS} attempts, the last one: {why}")


def learn(outputs: Outputs, alphabet: Word = ALPHABET, extra: int = EXTRA) -> Mealy:
    """The machine of a system, the smallest that answers as it does. Raises what `outputs` raises."""
    system, letters = _System(outputs), list(alphabet)
    oracle = _WMethod(letters, system, extra)
    learned = run_Lstar(letters, system, oracle, "mealy", cache_and_non_det_check=False, print_level=0)
    return _converted(learned)


class _System(SUL):
    """As AALpy wants it."""

    def __init__(self, outputs: Outputs) -> None:
        super().__init__()
        self._outputs = outputs
        self._word: Word = ()

    def query(self, word: Word) -> list[str]:
        return self._outputs(tuple(word))

    def pre(self) -> None:
        self._word = ()

    def post(self) -> None:
        """Nothing is left open: each answer had a connection of its own."""

    def step(self, letter: str) -> str:
        self._word = (*self._word, letter)
        return self._outputs(self._word)[-1]


class _WMethod(WMethodEqOracle):
    """Goes `extra` states beyond the hypothesis, however many that has: a bound for all hypotheses would ask far too
    much of the first ones."""

    def __init__(self, alphabet: list[str], system: SUL, extra: int) -> None:
        super().__init__(alphabet, system, max_number_of_states=extra)
        self._extra = extra

    def find_cex(self, hypothesis: MealyMachine) -> Word | None:
        self.m = len(hypothesis.states) + self._extra
        found: Word | None = super().find_cex(hypothesis)
        return found


def _is_last(output: str) -> bool:
    return output == OVER or END in output.split(", ")


def _converted(learned: MealyMachine) -> Mealy:
    def steps(state: MealyState) -> dict[str, Step]:
        return {symbol: Step(output, state.transitions[symbol].state_id) for symbol, output in state.output_fun.items()}

    return Mealy(learned.initial_state.state_id, {state.state_id: steps(state) for state in learned.states})
