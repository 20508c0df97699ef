"""A file of vectors, test by test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from .certificates import check_chain, check_pin, check_raw_key
from .handshake import check_handshake
from .primitives import check_decapsulation, check_encapsulation, check_signature
from .puzzle import check_puzzle
from .records import check_records
from .rotation import check_chain_of_steps, check_generation, check_new_generation, check_rotation_records
from .schedule import check_expand_label, check_exporter, check_schedule, check_verify_data
from .tickets import check_early_data, check_new_ticket, check_psk
from .verdict import Json, Refused, Wrong
from .wire import check_frame, check_greeting, check_structure

Check = Callable[[Json, Json], None]
CHECKS: Mapping[str, Mapping[str, Check]] = {
    "wire": {"Structure": check_structure, "Greeting": check_greeting, "Frame": check_frame},
    "kem": {"Encapsulation": check_encapsulation, "Decapsulation": check_decapsulation},
    "signature": {"Signature": check_signature},
    "keyschedule": {
        "Schedule": check_schedule,
        "ExpandLabel": check_expand_label,
        "Exporter": check_exporter,
        "VerifyData": check_verify_data,
    },
    "handshake": {"Handshake": check_handshake},
    "records": {"Records": check_records},
    "rotation": {
        "Chain": check_chain_of_steps,
        "Records": check_rotation_records,
        "NewGeneration": check_new_generation,
        "Generation": check_generation,
    },
    "tickets": {
        "Psk": check_psk,
        "NewTicket": check_new_ticket,
        "Resumption": check_handshake,
        "EarlyData": check_early_data,
    },
    "puzzle": {"Puzzle": check_puzzle},
    "certificates": {"Pin": check_pin, "RawKey": check_raw_key, "Chain": check_chain},
}


def judge(check: Check, group: Json, test: Json) -> str:
    """What is wrong with a test, or nothing."""
    said = f"{test.get('requirement')}: {test.get('alert')}" if test["result"] == "invalid" else "valid"
    try:
        check(group, test)
        found = "valid"
    except Refused as refused:
        found = str(refused)
    except Wrong as wrong:
        return str(wrong)
    except (KeyError, ValueError, IndexError, TypeError, AttributeError, AssertionError) as error:
        return f"cannot be checked: {type(error).__name__}: {error}"
    return "" if found == said else f"is {found}, said to be {said}"


def consume(vectors: Json, every: int = 1) -> Iterator[tuple[int, str]]:
    """Number and fault of each wrong test; of the file as a whole, number 0. Only each `every`-th is checked."""
    kind = str(vectors["algorithm"]).removeprefix("QZMQ/1 ")
    checks = CHECKS.get(kind)
    if checks is None or vectors["schema"] != f"schemas/{kind}.schema.json":
        yield 0, f"unknown algorithm {vectors['algorithm']!r} or schema {vectors['schema']!r}"
        return
    number = 0
    for group in vectors["testGroups"]:
        for test in group["tests"]:
            number += 1
            if test["tcId"] != number or set(test["flags"]) - set(vectors["notes"]):
                yield number, f"tcId {test['tcId']} or flags {test['flags']} are not those of the file"
            if number % every == 0 and (fault := judge(checks[group["type"]], group, test)):
                yield number, fault
    if number != vectors["numberOfTests"]:
        yield 0, f"{number} tests, said to be {vectors['numberOfTests']}"
