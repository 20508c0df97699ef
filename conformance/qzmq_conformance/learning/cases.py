"""Area `machine`: the W-method's words, computed from the table `handshake` (see `mealy.w_suite`)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from qzmq_conformance.case import Case, Failed
from qzmq_conformance.learning.mealy import Word, w_suite
from qzmq_conformance.learning.playing import SETTINGS, Ambiguous, Setting, Unanswered, play
from qzmq_conformance.learning.specified import Specification
from qzmq_conformance.stage import Stage

MODE = "hybrid"
"""The machine is the same in every mode."""

EXTRA = 1
"""States beyond those of the table that a target could have without one of the words telling."""


def cases() -> Iterator[Case]:
    """Every word, in every setting."""
    for name, setting_in in SETTINGS.items():
        setting = setting_in(MODE)
        specification = Specification(setting.role, setting.puzzle)
        for word in w_suite(specification.machine(), EXTRA):
            moves = list(specification.moves(word))
            outputs = [move.output for move in moves]
            rules = dict.fromkeys(rule for move in moves for rule in move.rules)
            yield Case(
                f"machine/{MODE}/{name}/{'/'.join(word)}",
                tuple(rules),
                partial(_play, setting, word, outputs),
                _alert(moves[-1].outputs),
            )


def _play(setting: Setting, word: Word, outputs: list[str], stage: Stage) -> None:
    """Every input must be answered as the table says."""
    try:
        seen = play(stage, setting, word, outputs[:-1])
    except Ambiguous as error:
        raise Failed(f"{error.second}, as the answer to {error.word[-1]}", error.first) from error
    except Unanswered as error:
        raise Failed(str(error)) from error
    if seen != outputs[-1]:
        raise Failed(seen, outputs[-1])


def _alert(outputs: Word) -> str:
    """The alert among the last outputs, if it is not the end in order."""
    found = [output.split()[1] for output in outputs if "alert " in output]
    return next((description for description in found if description != "close_notify"), "")
