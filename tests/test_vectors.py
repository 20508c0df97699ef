"""The vectors are those of today, fit their schemas, and hold for two implementations that are not their generator."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import fastjsonschema
import pytest

from qzmq_conformance.vectors import files
from qzmq_conformance.vectors.command import main, stand_alone
from qzmq_conformance.vectors.kinds import KINDS
from qzmq_conformance.vectors.meeting import Setting, sent
from qzmq_conformance.vectors.shape import Source
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.handshake import client, server
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import ClientHello, ServerHello, parse_body
from qzmq_ref.handshake.outputs import Install
from qzmq_ref.handshake.session import Session
from qzmq_ref.records import RecordReader
from qzmq_ref.registries import AeadId, CipherSuite, ExtensionType, HashId, KemId, MessageType, SigId
from qzmq_ref.spec.tables import requirements

OPENSSL = provider("openssl")
SAMPLE = 4
EVERY = 23
MOST, OCTETS = 10_000, 20_000_000
"""The fewest vectors and the most octets of all files together."""
NOT_CONTENT = {"tcId", "comment", "flags", "type", "tests"}
BLAME = {"result", "requirement", "alert"}
CANDIDATES = 80
Path = tuple[Any, ...]


@dataclass(frozen=True)
class Place:
    """Where a value stands: in a test, or in its group."""

    kind: str
    group: dict[str, Any]
    test: dict[str, Any]
    of_group: bool
    path: Path


@cache
def vectors(kind: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((files.directory() / f"{kind}.json").read_text())
    return loaded


@cache
def consumer() -> Any:
    return stand_alone(files.directory())


def every_test(kind: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for group in vectors(kind)["testGroups"]:
        for test in group["tests"]:
            yield group, test


def said(kind: str, type_: str, **fields: Any) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Valid tests of a group type whose group has these fields."""
    found = [(group, test) for group, test in every_test(kind) if group["type"] == type_ and test["result"] == "valid"]
    return [pair for pair in found if fields.items() <= pair[0].items()]


# ---------------------------------------------------------------------- the files


def test_there_are_enough_and_they_are_small_enough() -> None:
    assert sum(vectors(kind)["numberOfTests"] for kind in KINDS) >= MOST
    assert sum((files.directory() / f"{kind}.json").stat().st_size for kind in KINDS) <= OCTETS


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_fits_its_schema(kind: str) -> None:
    schema = json.loads(files.schema_path(KINDS[kind], files.directory()).read_text())
    fastjsonschema.compile(schema)(vectors(kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_refuses_other_files(kind: str) -> None:
    """No field too many, none too few, no third result."""
    fits = fastjsonschema.compile(files.schema(KINDS[kind]))
    group, test = next((group, test) for group, test in every_test(kind) if test["result"] == "invalid")
    for changed in (
        {**test, "result": "acceptable"},
        {**test, "extra": 1},
        {name: value for name, value in test.items() if name != "requirement"},
        {name: value for name, value in test.items() if name != "alert"},
        {name: value for name, value in test.items() if name != "tcId"},
    ):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            fits({**vectors(kind), "testGroups": [{**group, "tests": [changed]}]})


@pytest.mark.parametrize("kind", KINDS)
def test_an_invalid_test_names_a_requirement_and_its_alert(kind: str) -> None:
    for _, test in every_test(kind):
        if test["result"] == "invalid":
            assert test["alert"] in requirements()[test["requirement"]].alerts
        else:
            assert not {"requirement", "alert"} & test.keys()


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_is_that_of_today(kind: str) -> None:
    verdict = files.check(KINDS[kind], files.SEED, files.directory(), SAMPLE, lambda *_: None)
    assert verdict.computed == SAMPLE
    assert not verdict.differences


def test_another_seed_shows() -> None:
    """What is compared is computed: with another seed nothing is as it was."""
    verdict = files.check(KINDS["records"], "another", files.directory(), SAMPLE, lambda *_: None)
    assert {difference.rpartition(" ")[2] for difference in verdict.differences} >= {"seed", "secret", "records"}


def test_check_says_what_it_computed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--kind", "puzzle", "--sample", "3"]) == 0
    assert "3 of" in capsys.readouterr().out
    assert main(["check", "--kind", "puzzle", "--sample", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["puzzle"]["computed"] == 1


def test_generate_writes_what_check_accepts_and_verify_confirms(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", "--kind", "puzzle", "--directory", str(tmp_path), "--seed", "another"]) == 0
    assert main(["check", "--kind", "puzzle", "--directory", str(tmp_path), "--seed", "another", "--all"]) == 0
    path = tmp_path / "puzzle.json"
    assert main(["verify", str(path)]) == 0
    path.write_text(path.read_text().replace('"result": "valid"', '"result": "invalid"', 1))
    assert main(["verify", str(path)]) == 1
    assert main(["check", "--kind", "puzzle", "--directory", str(tmp_path), "--seed", "another"]) == 1
    capsys.readouterr()


def test_the_page_counts_right() -> None:
    page = (files.directory() / "README.md").read_text()
    for kind in KINDS:
        results = [test["result"] for _, test in every_test(kind)]
        assert f"| {kind} | {len(results)} | {results.count('valid')} | {results.count('invalid')} |" in page


# ---------------------------------------------------------------------- the consumer, and its sabotage


def test_the_consumer_imports_nothing_of_the_reference() -> None:
    modules = list((files.directory() / "consumer").glob("*.py"))
    assert modules
    foreign = re.compile(r"^\s*(from|import) (qzmq|\.\.)", re.MULTILINE)
    assert not [path.name for path in modules if foreign.search(path.read_text())]


@pytest.mark.parametrize("kind", KINDS)
def test_the_consumer_agrees(kind: str) -> None:
    assert not list(consumer().consume(vectors(kind), EVERY))


@pytest.mark.parametrize("kind", KINDS)
def test_the_consumer_notices_every_field(kind: str) -> None:
    """One value of each class of fields is broken at a time: somewhere it must show."""
    classes: dict[tuple[str, str, str], list[Place]] = {}
    for group, test in sorted(every_test(kind), key=lambda pair: len(str(pair[1]))):
        names = test.keys() - NOT_CONTENT if test["result"] == "valid" else BLAME
        for of_group, whole, within in ((True, group, group.keys() - NOT_CONTENT), (False, test, names)):
            for path in (path for name in sorted(within) for path in paths(whole[name], (name,))):
                label = ".".join("[]" if isinstance(part, int) else part for part in path)
                key = (group["type"], label, "" if of_group else test["result"])
                classes.setdefault(key, []).append(Place(kind, group, test, of_group, path))
    missed = [key for key, found in classes.items() if not any(map(noticed, spread(found)))]
    assert not missed
    assert {result for _, _, result in classes} >= {"valid", "invalid"}


def paths(value: Any, at: Path) -> Iterator[Path]:
    """Where the values lie that are neither arrays nor objects; the first and the last of an array."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, (*at, name))
    elif isinstance(value, list):
        for position in sorted({0, len(value) - 1} if value else ()):
            yield from paths(value[position], (*at, position))
    else:
        yield at


def spread(found: list[Place]) -> list[Place]:
    """At most so many, evenly, the lightest first."""
    return found[:: max(1, len(found) // CANDIDATES)]


def noticed(place: Place) -> bool:
    """Whether the consumer finds fault with this test once the value in that place is another."""
    check = consumer().CHECKS[place.kind][place.group["type"]]
    whole = place.group if place.of_group else place.test
    for other in others(get(whole, place.path)):
        broken = put(whole, place.path, other)
        pair = (broken, place.test) if place.of_group else (place.group, broken)
        if consumer().judge(check, *pair):
            return True
    return False


def others(value: Any) -> Iterator[Any]:
    """Values of the same type that are not this one."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value ^ 2**31)
    elif value in ("valid", "invalid"):
        yield "invalid" if value == "valid" else "valid"
    else:
        swapped = {"0": "1"}
        yield value[:-1] + swapped.get(value[-1:], "0") if value else "00"
        yield swapped.get(value[:1], "0") + value[1:]


def get(value: Any, path: Path) -> Any:
    for step_ in path:
        value = value[step_]
    return value


def put(value: Any, path: Path, leaf: Any) -> Any:
    """A copy of `value` with another leaf."""
    if not path:
        return leaf
    first, *rest = path
    if isinstance(value, list):
        return [put(each, tuple(rest), leaf) if i == first else each for i, each in enumerate(value)]
    return {**value, first: put(value[first], tuple(rest), leaf)}


@pytest.mark.parametrize("kind", KINDS)
def test_one_broken_test_makes_its_file_wrong(kind: str) -> None:
    group, test = next(every_test(kind))
    one = {**test, "tcId": 1}
    whole = {**vectors(kind), "numberOfTests": 1, "testGroups": [{**group, "tests": [one]}]}
    assert not list(consumer().consume(whole))
    wrong = {**one, "result": "invalid", "requirement": "REG-2", "alert": "decode_error"}
    assert [number for number, _ in consumer().consume({**whole, "testGroups": [{**group, "tests": [wrong]}]})] == [1]
    assert [number for number, _ in consumer().consume({**whole, "numberOfTests": 2})] == [0]


# ---------------------------------------------------------------------- the reference with its other provider


def test_openssl_makes_the_same_kem_keys_and_secrets() -> None:
    for group, test in said("kem", "Encapsulation"):
        seed = bytes.fromhex(test["seed"])
        parts = iter((seed[:64], seed[64:]) if len(seed) == 96 else (seed,))
        key = kem(KemId[group["kem"].upper()], OPENSSL).generate(lambda _, parts=parts: next(parts))  # type: ignore[misc]
        assert key.public_key.hex() == test["public_key"]
        assert key.decapsulate(bytes.fromhex(test["ciphertext"])).hex() == test["secret"]


def test_openssl_makes_the_same_signature_keys_and_verifies() -> None:
    contexts = {"server": client.SERVER_CONTEXT, "client": client.CLIENT_CONTEXT}
    for group, test in said("signature", "Signature"):
        key = SigningKey.from_seed(SigId[group["sig"].upper()], bytes.fromhex(group["seed"]), OPENSSL)
        assert key.spki.hex() == group["spki"]
        message = contexts[group["signer"]] + bytes.fromhex(test["digest"])
        public_key(key.spki, OPENSSL).verify(bytes.fromhex(test["signature"]), message)


def suite_of(names: Mapping[str, str]) -> CipherSuite:
    kinds = (("kem", KemId), ("sig", SigId), ("aead", AeadId), ("hash", HashId))
    return CipherSuite(*(kind[names[name].upper()] for name, kind in kinds))


@pytest.mark.parametrize("number", range(0, 312, 13))
def test_a_server_with_openssl_goes_the_same_way(number: int) -> None:
    """From the messages that it received and the seed of its KEM key it sends the same Finished, octet for octet."""
    group = vectors("handshake")["testGroups"][number]
    test = group["tests"][0]
    hello, answer, key, finished = (bytes.fromhex(message["octets"]) for message in test["messages"][:4])
    session = _server(group, test, hello, answer)
    session = step(session, "client_key", key[1:], "plain")
    assert session.state == "established"
    secret = next(out.secret for out in session.outputs if isinstance(out, Install))
    out = bytearray(len(finished))
    _, _, size = RecordReader(session.chosen, secret, 0).open_into(memoryview(finished), memoryview(out))
    assert out[:size] == sent(session, MessageType.FINISHED)


def _server(group: dict[str, Any], test: dict[str, Any], hello: bytes, answer: bytes) -> Session:
    """A server that has sent the transcript's ServerHello; OpenSSL cannot be told the randomness to sign it again."""
    suite, seed = suite_of(group["suite"]), bytes.fromhex(test["kem_seed"])
    setting = Setting(suite, group["binding"], group["client_authentication"])
    configuration = replace(setting.configuration(Source(files.SEED), "server"), provider=OPENSSL)
    parts = iter((seed[:64], seed[64:]) if len(seed) == 96 else (seed,))
    session = Session(configuration, setting.prologue, lambda _: next(parts), suite=suite)
    session = server.check_client_hello(session, parse_body(MessageType.CLIENT_HELLO, hello[1:]))
    session = server.generate_kem_key(session, ClientHello(1, bytes(32), (), ()))
    said_: ServerHello = parse_body(MessageType.SERVER_HELLO, answer[1:])
    asked = any(each.extension_type == ExtensionType.CLIENT_AUTH_REQUEST for each in said_.extensions)
    requested = configuration.policy.client_signatures if asked else None
    session = session.but(client_hello=hello, server_hello=answer, requested_signatures=requested)
    return session.but(state="wait_client_key")
