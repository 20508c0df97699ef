"""Comparisons for people, for programs (JSON) and for Graphviz (DOT)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from qzmq_conformance.learning.comparison import Comparison, Exchange
from qzmq_conformance.learning.mealy import OVER, Mealy, Word
from qzmq_conformance.learning.playing import Setting
from qzmq_ref.spec.tables import requirements

_NEW_LINE = r"\n"  # as Graphviz wants it


def lines(comparison: Comparison) -> Iterator[str]:
    """The verdict, and for a difference all that it takes to see it again."""
    cost = f"{comparison.connections} connections, {comparison.seconds:.1f} s"
    name, machine = comparison.setting.name, comparison.learned
    if comparison.ambiguous:
        yield f"AMBIGUOUS {name}: the same inputs, two answers ({cost})"
        yield f"  {comparison.ambiguous}"
        yield f"  replay    {replay(comparison.setting, comparison.ambiguous.word)}"
    elif machine:
        verdict = "is that of the table" if comparison.equal else "DIFFERS from the table"
        yield f"{name}: a machine of {_size(machine)} {verdict} ({cost})"
    if comparison.counterexample:
        yield f"  the table has {_size(comparison.specified)}; the shortest inputs that tell them apart:"
        yield from dialogue(comparison.counterexample)
        word = tuple(exchange.symbol for exchange in comparison.counterexample)
        yield f"  replay    {replay(comparison.setting, word)}"


def dialogue(exchanges: Iterable[Exchange]) -> Iterator[str]:
    """Inputs with their outputs; where the target disagrees, the sentences of the specification too."""
    for exchange in exchanges:
        yield f"  {exchange.symbol:24}  {exchange.seen}"
        if not exchange.agrees:
            yield f"  {'expected':>24}  {exchange.specified}"
            known = requirements()
            for rule in exchange.rules:
                yield f"  {'':24}  {known[rule].page}.md {rule}: {known[rule].text}"


def replay(setting: Setting, word: Word) -> str:
    """The command that plays a word again."""
    return f"qzmq learn --role {setting.name} --mode {setting.mode} --replay '{' '.join(word)}' --trace"


def to_json(comparisons: Sequence[Comparison], adapter: str) -> dict[str, Any]:
    """Everything, the learned machines included."""
    return {"adapter": adapter, "machines": [_document(comparison) for comparison in comparisons]}


def to_dot(comparison: Comparison) -> str:
    """The learned machine as a graph. Inputs that change and say the same share an edge; the end has none."""
    machine = comparison.learned or comparison.specified
    edges: dict[tuple[str, str, str], list[str]] = {}
    for state, steps in machine.transitions.items():
        for symbol, step in steps.items():
            if step.output != OVER:
                edges.setdefault((state, step.next, step.output), []).append(symbol)
    shown = [
        f'  "{state}" -> "{following}" [label="{_NEW_LINE.join((*symbols, f"/ {output}"))}"];'
        for (state, following, output), symbols in edges.items()
    ]
    start = [f'digraph "{comparison.setting.name}" {{', "  node [shape=box];", f'  "{machine.initial}" [penwidth=2];']
    return "\n".join([*start, *shown, "}", ""])


def _document(comparison: Comparison) -> dict[str, Any]:
    setting, ambiguous, learned = comparison.setting, comparison.ambiguous, comparison.learned
    verdict = "ambiguous" if ambiguous else "equal" if comparison.equal else "different"
    return {
        "role": setting.name,
        "mode": setting.mode,
        "verdict": verdict,
        "connections": comparison.connections,
        "questions": comparison.questions,
        "seconds": round(comparison.seconds, 3),
        "counterexample": [vars(exchange) for exchange in comparison.counterexample],
        "ambiguous": vars(ambiguous) if ambiguous else None,
        "initial": learned.initial if learned else None,
        "machine": _states(learned) if learned else None,
    }


def _states(machine: Mealy) -> dict[str, dict[str, dict[str, str]]]:
    return {
        state: {symbol: step._asdict() for symbol, step in steps.items()}
        for state, steps in machine.transitions.items()
    }


def _size(machine: Mealy) -> str:
    states, transitions = machine.size
    return f"{states} states and {transitions} transitions"
