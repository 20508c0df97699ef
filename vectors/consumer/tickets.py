"""Tickets and early data (resumption.md)."""

from __future__ import annotations

from .primitives import Hash
from .records import EARLY, Receiver, read_records
from .structures import parse
from .verdict import Json, Refused, refuse, same


def check_psk(group: Json, test: Json) -> None:
    same(
        "psk",
        Hash(group["hash"]).expand(bytes.fromhex(test["res"]), "ticket", bytes.fromhex(test["nonce"])),
        test["psk"],
    )


def check_new_ticket(_: Json, test: Json) -> None:
    if parse("NewTicket", bytes.fromhex(test["new_ticket"]))["lifetime"] > 604800:
        refuse("RES-2")


def check_early_data(group: Json, test: Json) -> None:
    """c_early; then the records within the bounds of RES-14."""
    h = Hash(group["hash"])
    early = h.extract(h.zeros, bytes.fromhex(test["psk"]))
    transcript = h(bytes.fromhex(test["prologue"] + test["client_hello"]))
    secret = h.expand(early, "c e traffic", transcript)
    same("c_early", secret, test["c_early"])
    receiver = Receiver(group["aead"], h, secret, 0, data_stream=EARLY)
    try:
        read_records(receiver, test)
    except Refused as refused:
        refuse("RES-16" if refused.rule == "REC-8" else refused.rule)
    records = test["records"]
    if len(records) > 64 or sum(len(record) // 2 - 32 for record in records) > 16384:
        refuse("RES-14")
