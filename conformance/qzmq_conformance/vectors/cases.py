"""Area `vectors`: what the adapter answers to test vectors. They know nothing of modes, so `hybrid` stands for all.

Each operation has a case with a sample, and one with every test, which only `--depth` plays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from hashlib import sha256
from itertools import chain, zip_longest
from typing import Any

from qzmq_conformance.capabilities import Capability
from qzmq_conformance.case import Case, Failed, Unsupported
from qzmq_conformance.stage import Stage
from qzmq_conformance.vectors.files import directory
from qzmq_conformance.vectors.judging import alerting, drawing
from qzmq_conformance.vectors.operations import OPERATIONS, Task, tasks
from qzmq_conformance.vectors.running import CONTEXTS
from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import public_key
from qzmq_ref.registries import KemId, SigId

Json = Mapping[str, Any]
SAMPLE = 16
"""Tests of an operation in a run without `--depth`, half of them invalid if it has any."""

ALGORITHMS = ("kem", "sig", "aead", "hash", "suite")
RULES: Mapping[str, str] = {
    "wire": "REG-2 REG-10 PAT-3 ZMTP-3 ZMTP-4 ZMTP-5 ZMTP-8 ZMTP-10 RAW-3 RAW-5 RAW-6",
    "kem": "REG-3 REG-4 REG-5 REG-6",
    "signature": "HS-6 HS-13 CERT-5",
    "keyschedule": "KS-1 KS-2 KS-6 KS-7",
    "records": "REC-2 REC-4 REC-5 REC-6 REC-7 REC-8 REC-13",
    "handshake": "HS-2 HS-9 HS-14 HS-16 KS-3 KS-4 KS-7",
    "rotation": "ROT-2 ROT-6 ROT-8 ROT-14 KS-8",
    "tickets": "RES-2 RES-7 RES-9 RES-11 RES-14 RES-16",
    "puzzle": "PUZ-1 PUZ-3 PUZ-4 PUZ-5",
    "certificates": "CERT-1 CERT-2 CERT-3 CERT-4 CERT-7 CERT-16",
}
"""What the vectors of a kind are about."""


def cases() -> Iterator[Case]:
    """Each operation of each kind, as a sample and whole."""
    for kind, groups in OPERATIONS.items():
        rules = tuple(RULES[kind].split())
        for name in dict.fromkeys(operation.name for operation in chain.from_iterable(groups.values())):
            sample = partial(_play, kind, name, SAMPLE)
            yield Case(f"vectors/hybrid/{kind}/{name}", rules, sample)
            yield Case(f"vectors/hybrid/{kind}/{name}/all", rules, partial(_play, kind, name, None), deep=True)


def _play(kind: str, operation: str, count: int | None, stage: Stage) -> None:
    stage.target.need(Capability("vector", kind))
    found = [task for task in _all(kind) if task.operation.name == operation]
    for task in found if count is None else sample(found, count):
        answer = stage.target.vector(kind, operation, task.operation.input(task.fields))
        if wrong := judged(task, answer):
            raise Failed(f"tcId {task.fields['tcId']} of {kind}.json ({task.fields['comment']}): {wrong}", told(task))


@cache
def _all(kind: str) -> tuple[Task, ...]:
    path = directory() / f"{kind}.json"
    if not path.is_file():
        raise Unsupported("test vectors, as long as the suite is run where no folder `vectors` is")
    return tuple(tasks(json.loads(path.read_text(encoding="utf-8"))))


def sample(found: Sequence[Task], count: int) -> list[Task]:
    """As many tasks, valid and invalid in turns, of as many rules or algorithms as there is room for."""
    halves = ([task for task in found if task.valid is valid] for valid in (True, False))
    mixed = (_spread(half) for half in halves)
    return [task for task in chain.from_iterable(zip_longest(*mixed)) if task][:count]


def _spread(found: Sequence[Task]) -> list[Task]:
    """The first of each rule or algorithm before the second of any."""
    seen: dict[str, int] = {}
    ranks = []
    for task in sorted(found, key=lambda task: sha256(str(task.fields["tcId"]).encode()).digest()):
        about = str(task.fields.get("requirement") or [task.fields.get(name) for name in ALGORITHMS])
        seen[about] = seen.get(about, 0) + 1
        ranks.append((seen[about], task))
    return [task for _, task in sorted(ranks, key=lambda each: each[0])]


# ---------------------------------------------------------------------- verdict


def told(task: Task) -> str:
    """What the test expects."""
    if task.valid:
        return f"output {', '.join(task.operation.output(task.fields)) or 'without fields'} as in the file"
    return f"refused with {task.fields['alert']} ({task.fields['requirement']})"


def judged(task: Task, answer: Json) -> str:
    """What is wrong with an answer, or nothing."""
    if task.valid:
        return _wrong_output(task, answer.get("output"), answer)
    refused = answer.get("refused")
    if not isinstance(refused, Mapping):
        return f"answered {_shortly(answer)}"
    if refused.get("alert") != task.fields["alert"]:
        return f"refused with {refused.get('alert')}"
    last = len(task.fields.get("messages", task.fields.get("records", ()))) - 1
    if task.operation.counts and refused.get("at") != last:
        return f"refused at {refused.get('at')} instead of {last}"
    return ""


def _wrong_output(task: Task, output: object, answer: Json) -> str:
    if not isinstance(output, Mapping):
        return f"answered {_shortly(answer)}"
    expected = task.operation.output(task.fields)
    wrong = [name for name, value in expected.items() if output.get(name) != value]
    if wrong and task.operation.draws:
        return "" if _HOLDS[task.operation.name](task.fields, output) else f"{' and '.join(wrong)} do not hold"
    return f"{wrong[0]} is {_shortly(output.get(wrong[0]))}" if wrong else ""


def _encapsulated(fields: Json, output: Json) -> bool:
    """The ciphertext is one for the key, and of that secret."""
    key = kem(KemId[fields["kem"].upper()], provider()).generate(drawing(bytes.fromhex(fields["seed"])))
    return key.decapsulate(bytes.fromhex(output["ciphertext"])) == bytes.fromhex(output["secret"])


def _signed(fields: Json, output: Json) -> bool:
    """The signature verifies, under the key that belongs to the seed."""
    message = CONTEXTS[fields["signer"]] + bytes.fromhex(fields["digest"])
    if output["spki"] != fields["spki"] or fields["sig"] == SigId.ED25519.name.lower():
        return False
    try:
        with alerting("decrypt_error", "HS-6"):
            public_key(bytes.fromhex(fields["spki"]), provider()).verify(bytes.fromhex(output["signature"]), message)
    except Alert:
        return False
    return True


_HOLDS: Mapping[str, Callable[[Json, Json], bool]] = {"encapsulate": _encapsulated, "sign": _signed}


def _shortly(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 100 else f"{text[:100]}..."
