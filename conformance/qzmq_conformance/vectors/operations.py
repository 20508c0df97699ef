"""What an adapter does with a test vector: operations, each with what it is given and what it must answer.

An operation is given nothing that it has to answer, so no adapter can pass by repeating what it read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from qzmq_conformance.vectors.kinds import KINDS
from qzmq_conformance.vectors.shape import Fields


@dataclass(frozen=True)
class Operation:
    """`given` and `answered` are names of fields, `?` at the end of one that may be absent.

    `counts`: it reads messages one after the other, and says at which it stops.
    `draws`: the library may draw its own randomness; what it answers then has to hold, but not to be the vector's.
    """

    name: str
    given: tuple[str, ...]
    answered: tuple[str, ...] = ()
    counts: bool = False
    draws: bool = False

    def input(self, fields: Fields) -> dict[str, Any]:
        """What the adapter is given of a test, its group's fields among them."""
        names = (name.removesuffix("?") for name in self.given)
        return {name: fields[name] for name in names if name in fields}

    def output(self, fields: Fields) -> dict[str, Any]:
        """What it has to answer if the test is valid, as far as the test knows it."""
        return {name: fields[name] for name in self.answered if name in fields}


def _operation(name: str, given: str, answered: str = "", *, counts: bool = False, draws: bool = False) -> Operation:
    return Operation(name, tuple(given.split()), tuple(answered.split()), counts, draws)


_DECAPSULATE = _operation("decapsulate", "kem seed ciphertext", "secret")
_OPEN = _operation("open", "aead hash secret next_secret? generation seq records", "plaintexts", counts=True)
_SIDES = "suite binding client_authentication server_pin client_pin server_seed client_seed prologue kem_seed"

OPERATIONS: Mapping[str, Mapping[str, tuple[Operation, ...]]] = {
    "wire": {
        "Structure": (
            _operation("parse", "structure hash_length encoded", "value"),
            _operation("build", "structure hash_length value", "encoded"),
        ),
        "Greeting": (_operation("greeting", "binding received_by octets"),),
        "Frame": (_operation("frame", "binding limit octets", "message"),),
    },
    "kem": {
        "Encapsulation": (
            _operation("encapsulate", "kem public_key randomness?", "ciphertext secret", draws=True),
            _operation("generate", "kem seed", "public_key"),
            _DECAPSULATE,
        ),
        "Decapsulation": (_DECAPSULATE,),
    },
    "signature": {
        "Signature": (
            _operation("verify", "sig signer spki digest signature"),
            _operation("sign", "sig signer seed digest randomness?", "spki signature", draws=True),
        )
    },
    "keyschedule": {
        "Schedule": (_operation("schedule", "hash kem_secret h1 t_ck hello psk?", "values"),),
        "ExpandLabel": (_operation("expand_label", "hash secret label context length", "output"),),
        "Exporter": (_operation("exporter", "hash exp label context length", "output"),),
        "VerifyData": (
            _operation("verify", "hash sender secret transcript verify_data"),
            _operation("finished", "hash sender secret transcript", "verify_data"),
        ),
    },
    "records": {"Records": (_OPEN,)},
    "handshake": {"Handshake": (_operation("follow", f"{_SIDES} messages", "values", counts=True),)},
    "rotation": {
        "Chain": (_operation("chain", "hash secret", "steps traffic_255"),),
        "Records": (_OPEN,),
        "NewGeneration": (_OPEN,),
        "Generation": (
            _operation("exchange", "kem hash generation rekey th kem_seed received_by offer? request? ack?", "values"),
        ),
    },
    "tickets": {
        "Psk": (_operation("psk", "hash res nonce", "psk"),),
        "NewTicket": (_operation("ticket", "new_ticket"),),
        "Resumption": (_operation("follow", f"{_SIDES} psk? known? messages", "values", counts=True),),
        "EarlyData": (
            _operation("early", "aead hash psk prologue client_hello records", "c_early plaintexts", counts=True),
        ),
    },
    "puzzle": {
        "Puzzle": (_operation("puzzle", "max_difficulty prologue client_hello hello_retry? second_client_hello? psk?"),)
    },
    "certificates": {
        "Pin": (_operation("pin", "sig seed", "seed_z85 spki pin pin_z85"),),
        "RawKey": (_operation("raw_key", "of sig pins certificate"),),
        "Chain": (_operation("chain", "of sig algorithms name now anchors certificate"),),
    },
}
"""By the kind of vectors and the type of a group. An invalid test is for the first of them, a valid one for each."""


class Task(NamedTuple):
    """One operation on one test; `fields` are the test's and its group's."""

    operation: Operation
    fields: Fields

    @property
    def valid(self) -> bool:
        """Whether it must succeed."""
        return bool(self.fields["result"] == "valid")


def tasks(vectors: Fields) -> Iterator[Task]:
    """Everything there is to do with a file of vectors."""
    kind = str(vectors["algorithm"]).removeprefix("QZMQ/1 ")
    for group in vectors["testGroups"]:
        operations = OPERATIONS[kind][group["type"]]
        shared = {name: value for name, value in group.items() if name != "tests"}
        for test in group["tests"]:
            for operation in operations if test["result"] == "valid" else operations[:1]:
                yield Task(operation, shared | test)


def schema(kind: str, operation: str) -> dict[str, Any]:
    """JSON Schemas of an operation's `input` and `output`, from those of the vectors."""
    fields: dict[str, Any] = {}
    for group_type, operations in OPERATIONS[kind].items():
        for one in operations:
            if one.name == operation:
                layout, found = KINDS[kind].layouts[group_type], one
                fields |= {name.removesuffix("?"): each for name, each in {**layout.group, **layout.test}.items()}
    return {"input": _object(found.given, fields), "output": _object(found.answered, fields)}


def _object(names: tuple[str, ...], fields: Fields) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {
            name.removesuffix("?"): fields[name.removesuffix("?")] for name in names if name.removesuffix("?") in fields
        },
        "required": [name for name in names if not name.endswith("?")],
        "additionalProperties": False,
    }
