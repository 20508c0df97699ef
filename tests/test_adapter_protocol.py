"""The adapter protocol: its schema describes every line of a real session, and knows every name that can be claimed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from qzmq_conformance.capabilities import names
from qzmq_conformance.channel import Channel
from qzmq_conformance.runner import play
from qzmq_conformance.scaffold import Adapter, Library
from qzmq_conformance.security import Security
from qzmq_conformance.stage import Bench
from qzmq_conformance.suite import cases
from qzmq_conformance.vectors.operations import OPERATIONS, schema
from qzmq_ref.policy import Limits, Policy

SCHEMA = json.loads((Path(__file__).parents[1] / "conformance" / "adapter.schema.json").read_text())
PLAYED = (
    "isolation/hybrid/server/properties-of-other",
    "certificates/hybrid/server/ClientAuth/anchor-weak",
    "zap/hybrid/server/named",
    "records/hybrid/client/legal/largest",
    "records/hybrid/server/order/gap",
    "rotation/hybrid/client/on-demand/steps",
    "resumption/hybrid/client/on-demand",
    "exporter/hybrid/server/equal",
    "events/hybrid/server/counters",
    "events/hybrid/client/sends/HS-6",
    "events/hybrid/client/closed",
    "vectors/hybrid/records/open",
    "vectors/hybrid/kem/encapsulate",
)
Line = Mapping[str, Any]


@cache
def check(kind: str) -> Callable[[Line], Line]:
    """Raises JsonSchemaException for what is not of this kind."""
    described = {"$ref": f"#/definitions/{kind}", "definitions": SCHEMA["definitions"]}
    compiled: Callable[[Line], Line] = fastjsonschema.compile({"$schema": SCHEMA["$schema"], **described})
    return compiled


@pytest.fixture(scope="module")
def session() -> tuple[list[Line], list[Line]]:
    """Requests and answers of a run with many sorts of cases."""
    requests: list[Line] = []
    answers: list[Line] = []
    write, take = Channel._write, Channel._take  # noqa: SLF001

    def written(channel: Channel, request: Line) -> None:
        requests.append(json.loads(json.dumps(request)))
        write(channel, request)

    def taken(channel: Channel, line: bytes) -> None:
        answers.append(json.loads(line))
        take(channel, line)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Channel, "_write", written)
        patched.setattr(Channel, "_take", taken)
        with Bench() as bench:
            outcomes = [play(bench, case) for case in cases() if case.id in PLAYED]
    assert [outcome.seen for outcome in outcomes] == [""] * len(PLAYED)
    return requests, answers


def test_every_request_is_one_of_the_schema(session: tuple[list[Line], list[Line]]) -> None:
    requests = session[0]
    verbs = {request["verb"] for request in requests}
    assert {"describe", "open", "send", "recv", "control", "events", "vector", "shutdown"} <= verbs
    nonsense = [request for request in requests if request["verb"].startswith("nonsense")]
    assert requests[:1] == nonsense
    for request in requests[1:]:
        if request.get("kind", "").startswith("nonsense"):
            continue
        check(f"request-{request['verb']}")(request)


def test_every_answer_is_one_of_the_schema(session: tuple[list[Line], list[Line]]) -> None:
    requests, answers = session
    verbs = {request["id"]: request["verb"] for request in requests}
    refused = 0
    for answer in answers:
        if "unsupported" in answer:
            refused += 1
            check("answer-unsupported")(answer)
        else:
            check(f"answer-{verbs[answer['id']]}")(answer)
    assert refused == 3  # the nonsense verb, vectors and feature


def test_every_output_is_what_the_operation_answers(session: tuple[list[Line], list[Line]]) -> None:
    asked = {request["id"]: f"{request['kind']}-{request['operation']}" for request in session[0] if "kind" in request}
    answered = [(asked[answer["id"]], answer["output"]) for answer in session[1] if "output" in answer]
    assert {name for name, _ in answered} == {"records-open", "kem-encapsulate"}
    for name, output in answered:
        check(f"output-{name}")(output)


def test_the_schema_knows_every_operation() -> None:
    for kind, groups in OPERATIONS.items():
        for operation in chain.from_iterable(groups.values()):
            for way, described in schema(kind, operation.name).items():
                assert SCHEMA["definitions"][f"{way}-{kind}-{operation.name}"] == described
    pairs = {(kind, one.name) for kind, groups in OPERATIONS.items() for one in chain.from_iterable(groups.values())}
    assert sum(name.startswith("input-") for name in SCHEMA["definitions"]) == len(pairs)
    choices = [each["properties"] for each in SCHEMA["definitions"]["request-vector"]["oneOf"]]
    assert {(each["kind"]["const"], each["operation"]["const"]) for each in choices} == pairs


def test_the_id_of_the_case_is_in_every_request_of_its_own(session: tuple[list[Line], list[Line]]) -> None:
    told = {request["case"] for request in session[0] if request["verb"] in ("open", "control", "vector")}
    assert told >= set(PLAYED)


def test_the_schema_knows_the_names_and_fields_of_the_suite() -> None:
    known = SCHEMA["definitions"]["capabilities"]["properties"]
    assert {place: frozenset(listed["items"]["enum"]) for place, listed in known.items()} == names()
    for kind, described in ((Policy, "policy"), (Security, "security")):
        assert set(SCHEMA["definitions"][described]["properties"]) == {field.name for field in fields(kind)}
    limits = SCHEMA["definitions"]["policy"]["properties"]["limits"]["properties"]
    assert set(limits) == {field.name for field in fields(Limits)}


class Beginner(Library[str]):
    """What the guide begins with: four methods."""

    about: Mapping[str, str] = {"name": "beginner", "version": "0"}
    capabilities: Mapping[str, Sequence[str]] = {place: [] for place in names()} | {"vectors": ["kem"]}

    def open(self, request: Line) -> tuple[str, str]:  # noqa: ARG002
        return "socket", "tcp://127.0.0.1:1"

    def send(self, socket: str, parts: Sequence[bytes]) -> bool:  # noqa: ARG002
        return True

    def receive(self, socket: str) -> None:
        """Nothing ever comes."""

    def close(self, socket: str) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        ({"verb": "events"}, "verb events"),
        ({"verb": "dance"}, "verb dance"),
        ({"verb": "control", "socket": 1, "action": "rekey", "generation": True}, "action rekey"),
        ({"verb": "control", "socket": 1, "action": "resume", "ticket": True}, "action resume"),
        (
            {"verb": "control", "socket": 1, "action": "export", "label": "x", "context": "", "length": 1},
            "action export",
        ),
        ({"verb": "control", "socket": 1, "action": "dance"}, "action dance"),
        ({"verb": "vector", "kind": "wire", "operation": "parse", "input": {}}, "vectors of kind wire"),
        (
            {"verb": "vector", "kind": "kem", "operation": "parse", "input": {}},
            "operation parse on vectors of kind kem",
        ),
    ],
)
def test_what_an_adapter_does_not_have_yet_it_says(asked: Line, lacking: str) -> None:
    answers: list[Line] = []
    opening = {"verb": "open", "features": []}
    lines = [json.dumps({"id": number, **each}) for number, each in enumerate((opening, asked), 1)]
    Adapter(Beginner(), answers.append).run(lines)
    assert answers[1] == {"id": 2, "unsupported": lacking}


RIGHT: Line = {"id": 1, "verb": "send", "case": "", "socket": 1, "parts": ["00"]}


def test_a_right_line_is_a_line_of_the_schema() -> None:
    assert fastjsonschema.compile(SCHEMA)(RIGHT) == RIGHT


@pytest.mark.parametrize("line", [{**RIGHT, "parts": ["0G"]}, {**RIGHT, "verb": "nonsense"}, {"id": 1, "sent": "yes"}])
def test_a_wrong_line_is_none(line: Line) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaException):
        fastjsonschema.compile(SCHEMA)(line)
