"""Test vectors by way of an adapter: nobody is given what he has to answer, and the reference answers all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from qzmq_conformance.case import Unsupported
from qzmq_conformance.runner import play
from qzmq_conformance.scaffold import Refused
from qzmq_conformance.stage import Bench
from qzmq_conformance.vectors import cases, running
from qzmq_conformance.vectors.operations import OPERATIONS, Task

EVERY = 12


def answer(task: Task, kind: str) -> Mapping[str, Any]:
    """What the scaffold would answer."""
    try:
        return {"output": running.run(kind, task.operation.name, task.operation.input(task.fields))}
    except Refused as refused:
        return {"refused": refused.answer}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_the_reference_answers_every_operation(kind: str) -> None:
    found = cases._all(kind)  # noqa: SLF001
    wrong = {task.fields["tcId"]: cases.judged(task, answer(task, kind)) for task in found[::EVERY]}
    assert {number: text for number, text in wrong.items() if text} == {}
    names = {each.name for each in chain.from_iterable(OPERATIONS[kind].values())}
    assert {task.operation.name for task in found} == names


@pytest.mark.parametrize("kind", OPERATIONS)
def test_nobody_is_given_what_he_has_to_answer(kind: str) -> None:
    for operation in chain.from_iterable(OPERATIONS[kind].values()):
        assert not set(operation.answered) & {name.removesuffix("?") for name in operation.given}
    for task in cases._all(kind)[::EVERY]:  # noqa: SLF001
        given = task.operation.input(task.fields)
        assert not given.keys() & {"result", "requirement", "alert", "comment", "flags", "tcId"}


@pytest.mark.parametrize("kind", OPERATIONS)
def test_a_sample_is_of_both_results_and_of_many_rules(kind: str) -> None:
    for name in {each.name for each in chain.from_iterable(OPERATIONS[kind].values())}:
        found = [task for task in cases._all(kind) if task.operation.name == name]  # noqa: SLF001
        chosen = cases.sample(found, cases.SAMPLE)
        assert chosen == cases.sample(found, cases.SAMPLE)
        assert len(chosen) == min(len(found), cases.SAMPLE)
        results = Counter(task.fields["result"] for task in found)
        assert Counter(task.fields["result"] for task in chosen).keys() == results.keys()
        rules = {task.fields["requirement"] for task in found if not task.valid}
        shown = {task.fields["requirement"] for task in chosen if not task.valid}
        assert len(shown) >= min(len(rules), cases.SAMPLE // 2)


def test_signatures_and_ciphertexts_may_be_of_ones_own_drawing() -> None:
    for kind, name in (("kem", "encapsulate"), ("signature", "sign")):
        drawn = [task for task in cases._all(kind) if task.operation.name == name and task.valid]  # noqa: SLF001
        for task in cases.sample(drawn, 12):
            found = dict(answer(task, kind)["output"])
            assert cases.judged(task, {"output": found}) == ""
            field = task.operation.answered[-1]
            found[field] = ("00" if found[field][:2] != "00" else "01") + found[field][2:]
            assert cases.judged(task, {"output": found}).endswith("do not hold")


@pytest.mark.parametrize("said", [{}, {"output": 7}, {"output": None}, {"refused": "decode_error"}, {"refused": {}}])
def test_nonsense_is_no_answer(said: Mapping[str, Any]) -> None:
    for task in cases.sample(cases._all("records"), 6):  # noqa: SLF001
        assert cases.judged(task, said) != ""


def test_without_the_files_nothing_is_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cases, "directory", lambda: tmp_path)
    cases._all.cache_clear()  # noqa: SLF001
    with pytest.raises(Unsupported, match="run where no folder `vectors` is"):
        cases._all("kem")  # noqa: SLF001
    cases._all.cache_clear()  # noqa: SLF001


def test_long_cases_are_played_by_their_whole_name_or_by_depth() -> None:
    found = list(cases.cases())
    assert sum(case.deep for case in found) == len(found) / 2
    assert all(case.deep == case.id.endswith("/all") for case in found)
    whole = next(case for case in found if case.id == "vectors/hybrid/puzzle/puzzle/all")
    with Bench() as bench:
        assert play(bench, whole).seen == ""
