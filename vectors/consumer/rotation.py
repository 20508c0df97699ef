"""Steps and generations (rotation.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .primitives import Hash, Kem
from .records import check_records
from .schedule import generation_values, same_values
from .structures import parse
from .verdict import Json, Refused, Wrong, refuse, same


def check_rotation_records(group: Json, test: Json) -> None:
    """As check_records; a wrong epoch or tag has the more precise rules of rotation.md."""
    try:
        check_records(group, test)
    except Refused as refused:
        epochs = [int(record[4:8], 16) for record in test["records"]]
        before, last = epochs[-2] if len(epochs) > 1 else 0x0100, epochs[-1]
        if refused.rule == "REC-8" and last == before + 1:
            refuse("ROT-5")
        if refused.rule == "REC-7":
            refuse("ROT-6" if before & 0xFF == 0xFF else "ROT-4" if last < before else "ROT-2")
        raise


def check_new_generation(group: Json, test: Json) -> None:
    """As check_records; an epoch that does not fit is ROT-14's here."""
    try:
        check_records(group, test)
    except Refused as refused:
        refuse("ROT-14" if refused.rule == "REC-7" else refused.rule)


def check_chain_of_steps(group: Json, test: Json) -> None:
    h, secret = Hash(group["hash"]), bytes.fromhex(test["secret"])
    for step in range(255):
        if step < len(test["steps"]):
            said = test["steps"][step]
            same_values({"traffic": secret, "key": h.key(secret), "iv": h.iv(secret)}, said)
        secret = h.expand(secret, "traffic upd")
    same("traffic_255", secret, test["traffic_255"])


def check_generation(group: Json, test: Json) -> None:
    """ROT-7 to ROT-14, KS-8."""
    h, kem, seed = Hash(group["hash"]), Kem(group["kem"]), bytes.fromhex(test["kem_seed"])
    offer, ack = (bytes.fromhex(test.get(name, "")) for name in ("offer", "ack"))
    if not ack:
        check_key_update(kem, test)
        return
    answer = parse("KeyUpdateAck", ack)
    if answer["generation"] != test["generation"] + 1:
        refuse("ROT-8")
    secret = either("ROT-13", kem.decapsulate, seed, answer["kem_ciphertext"])
    offered = parse("KeyUpdate", offer)
    same("offer", offered, {"kind": 1, "generation": test["generation"] + 1, "body": kem.public_key(seed)})
    repeated = kem.encapsulate(offered["body"], bytes.fromhex(test["kem_randomness"]))
    same("kem_randomness", repeated, (answer["kem_ciphertext"], secret))
    root = h.extract(bytes.fromhex(test["rekey"]), secret)
    th = h(bytes.fromhex(test["th"]) + b"\x20" + offer + b"\x21" + ack)
    found = generation_values(h, root, th)
    found["rekey_next"] = found.pop("rekey")
    same_values({"kem_secret": secret, "root": root, "th_next": th, **found}, test["values"])
    same("received_by", "client", test["received_by"])


def check_key_update(kem: Kem, test: Json) -> None:
    """An offer at a server, a request at a client."""
    update = parse("KeyUpdate", bytes.fromhex(test.get("offer") or test["request"]))
    if update["kind"] != (1 if test["received_by"] == "server" else 2):
        refuse("ROT-7")
    if update["generation"] != test["generation"] + 1:
        refuse("ROT-8")
    either("ROT-12", kem.check, update["body"])
    raise Wrong("nothing is wrong with this KeyUpdate")


def either(rule: str, act: Callable[..., Any], *arguments: Any) -> Any:
    """What `act` gives; whatever it refuses, it refuses for `rule` here."""
    try:
        return act(*arguments)
    except Refused:
        refuse(rule)
