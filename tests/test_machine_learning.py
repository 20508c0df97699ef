"""Mealy machines, the one that the table specifies, and learning: small alphabets, and faults that it must find."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qzmq_conformance.case import Undriven
from qzmq_conformance.keys import policy
from qzmq_conformance.learning import playing
from qzmq_conformance.learning.cases import EXTRA, cases
from qzmq_conformance.learning.comparison import compare
from qzmq_conformance.learning.learner import Asked, learn
from qzmq_conformance.learning.main import main
from qzmq_conformance.learning.mealy import OVER, Mealy, Step, Word, characterizing, difference, w_suite
from qzmq_conformance.learning.playing import SETTINGS, Ambiguous, Setting, Unanswered
from qzmq_conformance.learning.specified import ALPHABET, OVERSIZED, Specification
from qzmq_conformance.stage import Bench, Stage
from qzmq_ref.spec.tables import tables
from tests.test_conformance_faults import faulty

INPUTS = ("a", "b")
ROUND = ("server_hello", "finished", "key_update-request", "key_update_ack")
"""A client's way through a whole generation change."""


@st.composite
def machines(draw: st.DrawFn, most: int = 4) -> Mealy:
    """Machines of a few states, all of which can be reached."""
    states = [str(number) for number in range(draw(st.integers(1, most)))]
    steps = st.builds(Step, st.sampled_from(("x", "y")), st.sampled_from(states))
    transitions = {state: {symbol: draw(steps) for symbol in INPUTS} for state in states}
    machine = Mealy("0", transitions)
    return replace(machine, transitions={state: transitions[state] for state in machine.access()})


def words(longest: int) -> Iterator[Word]:
    for length in range(longest + 1):
        yield from product(INPUTS, repeat=length)


def outputs(machine: Mealy, word: Word) -> list[str]:
    return [step.output for step in machine.run(word)]


def is_minimal(machine: Mealy) -> bool:
    states = list(machine.transitions)
    return all(difference(machine, machine, one, other) for one in states for other in states if one != other)


@given(machines(), machines())
def test_no_shorter_word_tells_two_machines_apart(left: Mealy, right: Mealy) -> None:
    found = difference(left, right)
    longest = 8 if found is None else len(found) - 1  # 4 + 4 - 1 inputs suffice for any two of these machines
    assert all(outputs(left, word) == outputs(right, word) for word in words(longest))
    assert found is None or outputs(left, found) != outputs(right, found)


@given(machines())
def test_characterizing_words_tell_all_states_apart(machine: Mealy) -> None:
    assume(is_minimal(machine))
    answers = {
        tuple(tuple(machine.run(word, state)[i].output for i in range(len(word))) for word in characterizing(machine))
        for state in machine.transitions
    }
    assert len(answers) == len(machine.transitions)


def test_a_machine_that_is_not_minimal_is_refused() -> None:
    twins = Mealy("0", {state: {"a": Step("x", "1")} for state in "01"})
    with pytest.raises(ValueError, match="not minimal"):
        characterizing(twins)


@settings(max_examples=50)
@given(machines(3), machines(4), st.integers(0, 1))
def test_the_w_method_misses_no_machine_within_its_bound(specified: Mealy, other: Mealy, extra: int) -> None:
    assume(is_minimal(specified) and len(other.transitions) <= len(specified.transitions) + extra)
    passes = all(outputs(specified, word) == outputs(other, word) for word in w_suite(specified, extra))
    assert passes == (difference(specified, other) is None)


@given(machines())
def test_learning_finds_the_machine(machine: Mealy) -> None:
    """Or one that no word of the W-method tells from it: the machine has states that hide deeper than its bound."""
    learned = learn(lambda word: outputs(machine, word), INPUTS)
    assert is_minimal(learned)
    assert all(outputs(machine, word) == outputs(learned, word) for word in w_suite(learned, EXTRA))


# ---------------------------------------------------------------------- the table


def test_the_specified_machines_walk_every_row_that_a_peer_can_bring_about() -> None:
    walked = {
        rule
        for name in SETTINGS
        for word in w_suite(specification(name).machine(), 0)
        for move in specification(name).moves(word)
        for rule in move.rules
    }
    unseen = {
        row["ID"]
        for row in tables()["handshake"]
        if row["Receives"] not in ("(begin)", "(rekey)", "(admitted)", "(refused)")
        and row["State"] not in ("closing", "wait_authorization")
        and row["Epoch"] != "early"
        and row["Guard"] != "asks_zap"
        and not (row["Role"] == "client" and row["State"] == "start")
    } - walked
    assert not unseen


def specification(name: str) -> Specification:
    setting = SETTINGS[name]("hybrid")
    return Specification(setting.role, setting.puzzle)


@pytest.mark.parametrize(("name", "states"), [("server", 4), ("server-puzzle", 5), ("client", 6)])
def test_the_specified_machines_are_minimal(name: str, states: int) -> None:
    machine = specification(name).machine()
    assert is_minimal(machine)
    assert machine.size[0] == states


def test_no_word_of_the_suite_goes_on_after_the_end_and_none_begins_another() -> None:
    for name in SETTINGS:
        machine = specification(name).machine()
        suite = w_suite(machine, EXTRA)
        assert not any(OVER in outputs(machine, word) for word in suite)
        assert not {word[:size] for word in suite for size in range(len(word))} & set(suite)
    assert len(list(cases())) < 500


# ---------------------------------------------------------------------- targets


def test_the_reference_is_learned_and_equal() -> None:
    hellos = ("client_hello", "client_hello-solved", "client_key", "data")
    with Bench() as bench:
        for name, alphabet in {"server": hellos, "server-puzzle": hellos, "client": (*ROUND, "(close)")}.items():
            found = compare(bench, SETTINGS[name]("classical"), alphabet)
            assert found.equal, found.counterexample
            assert found.learned
            assert found.learned.size == found.specified.size


@pytest.mark.parametrize(
    ("target", "role", "shortest"),
    [
        (faulty("silent-end"), "server", (OVERSIZED,)),
        (faulty("offer-stays-open"), "client", (*ROUND, "key_update-request")),
    ],
    ids=["at once", "after a generation change"],
)
def test_a_fault_is_found_with_the_shortest_inputs_that_show_it(
    target: tuple[str, ...], role: str, shortest: Word, capsys: pytest.CaptureFixture[str]
) -> None:
    """And these replay, with the reference itself as the one that answers them as specified."""
    with Bench(target) as bench:
        found = compare(bench, SETTINGS[role]("classical"), (OVERSIZED, *ROUND))
    assert tuple(exchange.symbol for exchange in found.counterexample) == shortest
    assert [exchange.agrees for exchange in found.counterexample] == [True] * (len(shortest) - 1) + [False]
    replay = ["--role", role, "--mode", "classical", "--replay", " ".join(shortest)]
    assert main(replay) == 0
    assert main([*replay, "--adapter", shlex.join(target), "--trace"]) == 1
    shown = capsys.readouterr().out
    assert found.counterexample[-1].specified in shown
    assert "peer > " in shown


def asked(bench: Bench) -> Asked:
    return Asked(bench, Setting("server", "classical"))


def test_two_answers_to_one_word_are_reported_as_such() -> None:
    with Bench() as bench:
        target = asked(bench)
        target.answers["client_hello",] = "hello_retry"
        with pytest.raises(Ambiguous, match="client_hello: first hello_retry, then server_hello"):
            target.outputs(("client_hello", "client_key", "data"))


def test_a_target_that_gives_up_waiting_gives_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its `user_canceled` is no output: the word is played again, and in the end there is no verdict."""
    impatient = replace(policy("classical"), handshake_timeout=0.05)
    monkeypatch.setattr("qzmq_conformance.learning.playing.policy", lambda _: impatient)
    monkeypatch.setattr("qzmq_conformance.learning.speaking.ClientSpeaker.say", lambda *_: None)
    monkeypatch.setattr(playing.Conversation, "_fence", lambda _: None)
    with Bench() as bench:
        with pytest.raises(Unanswered, match="gave up"):
            playing.play(Stage(bench), asked(bench).setting, ("data",), [])
        with pytest.raises(Undriven, match="no answer in 3 attempts"):
            asked(bench).outputs(("data",))


def test_the_command_writes_what_it_learned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document, graph = tmp_path / "learned.json", tmp_path / "learned.dot"
    command = ["--role", "server", "--mode", "classical", "--json", str(document), "--dot", str(graph)]
    assert main(command) == 0
    (machine,) = json.loads(document.read_text())["machines"]
    assert (machine["verdict"], len(machine["machine"])) == ("equal", 4)
    assert machine["machine"][machine["initial"]]["client_hello"]["output"] == "server_hello"
    assert 'label="client_key\\n/ finished"' in graph.read_text()
    assert "4 states and 48 transitions is that of the table" in capsys.readouterr().out


@pytest.mark.parametrize("wrong", [["--replay", "client_hello"], ["--role", "server", "--replay", "hello"]])
def test_a_wrong_call_says_what_is_wrong(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(wrong)
    assert "--replay" in capsys.readouterr().err


def test_every_message_type_is_an_input() -> None:
    types = {row["Type"] for row in tables()["messages"]}
    assert {symbol.partition("-")[0] for symbol in ALPHABET} == {*types, OVERSIZED, "(close)"}
