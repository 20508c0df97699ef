"""Learn an implementation's state machine and compare it with the table `handshake`.

Exit status 0: they are equal. 1: they are not, or the target answers the same inputs in two ways. 2: no verdict.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from qzmq_conformance.case import MODES, Undriven, Unsupported
from qzmq_conformance.learning.comparison import compare, exchanges
from qzmq_conformance.learning.learner import EXTRA, Asked
from qzmq_conformance.learning.mealy import Word
from qzmq_conformance.learning.playing import SETTINGS, Ambiguous
from qzmq_conformance.learning.showing import dialogue, lines, to_dot, to_json
from qzmq_conformance.learning.specified import ALPHABET
from qzmq_conformance.options import add_target
from qzmq_conformance.stage import Bench

EQUAL, DIFFERENT, UNDRIVEN = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq learn`; returns the exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.replay and len(options.role) != 1:
        parser.error("--replay needs one --role")
    console = Console(stderr=options.json == "-", soft_wrap=True, markup=False, highlight=False)
    try:
        with Bench(options.adapter, patience=options.patience) as bench:
            return (_replay if options.replay else _learn)(bench, options, console)
    except Undriven as error:
        console.print(f"the adapter could not be driven: {error}")
        return UNDRIVEN


def _learn(bench: Bench, options: argparse.Namespace, console: Console) -> int:
    comparisons = []
    for name in options.role or SETTINGS:
        try:
            comparisons.append(compare(bench, SETTINGS[name](options.mode), extra=options.extra))
        except Unsupported as lacking:
            console.print(f"{name}: not learned, for want of {lacking}")
        else:
            console.print("\n".join(lines(comparisons[-1])))
    if not comparisons:
        raise Undriven("it claims nothing that could be learned")
    if options.json:
        text = json.dumps(to_json(comparisons, shlex.join(options.adapter)), indent=1)
        if options.json == "-":
            print(text)
        else:
            Path(options.json).write_text(text + "\n", encoding="utf-8")
    if options.dot:
        Path(options.dot).write_text("\n".join(map(to_dot, comparisons)), encoding="utf-8")
    return EQUAL if all(comparison.equal for comparison in comparisons) else DIFFERENT


def _replay(bench: Bench, options: argparse.Namespace, console: Console) -> int:
    """Plays one word; the transcript is that of its last, whole connection."""
    asked = Asked(bench, SETTINGS[options.role[0]](options.mode))
    try:
        played = exchanges(asked.setting, options.replay, asked.outputs(options.replay))
    except Ambiguous as error:
        console.print(f"AMBIGUOUS {error}")
        return DIFFERENT
    if options.trace and asked.stage:
        console.print("\n".join(line for entry in asked.stage.entries for line in entry.lines()))
    console.print("\n".join(dialogue(played)))
    return EQUAL if all(exchange.agrees for exchange in played) else DIFFERENT


def _word(text: str) -> Word:
    """Inputs with blanks between them."""
    word = tuple(text.split())
    if not word or (unknown := set(word) - set(ALPHABET)):
        raise argparse.ArgumentTypeError(
            f"{', '.join(sorted(unknown)) if word else 'nothing'} is no input; inputs are {' '.join(ALPHABET)}"
        )
    return word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq learn", description=__doc__)
    parser.add_argument(
        "--role", action="append", default=[], choices=SETTINGS, help="what the target is; each in turn if left out"
    )
    parser.add_argument("--mode", choices=MODES, default=MODES[0])
    parser.add_argument("--replay", metavar="INPUTS", type=_word, help="only play these inputs, blanks between them")
    parser.add_argument("--trace", action="store_true", help="with --replay: print every message, decoded")
    parser.add_argument("--json", metavar="FILE", help="write the machines too; - is standard output")
    parser.add_argument("--dot", metavar="FILE", help="write the machines as graphs for Graphviz")
    parser.add_argument(
        "--extra", type=int, default=EXTRA, help=f"states that the target may hide beyond those found ({EXTRA})"
    )
    add_target(parser, "learn")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
