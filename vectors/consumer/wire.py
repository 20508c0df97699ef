"""Structures, greetings and frames (notation.md, bindings.md)."""

from __future__ import annotations

from .structures import build, parse, plain
from .verdict import Json, refuse, same

OWN_RULES = {
    **dict.fromkeys(("Metadata", "Property"), "PAT-3"),
    **dict.fromkeys(("ClientAuthRequest", "EarlyDataAnswer", "Empty", "PreSharedKey", "PuzzleSolution"), "REG-10"),
    "RecordHeader": "REC-2",
}


def check_structure(group: Json, test: Json) -> None:
    name, octets = group["structure"], bytes.fromhex(test["encoded"])
    value = parse(name, octets, OWN_RULES.get(name, "REG-2"), group["hash_length"])
    same("value", plain(value), test.get("value"))
    same("built anew", build(name, value), test["encoded"])


def check_greeting(group: Json, test: Json) -> None:
    octets, theirs_is_server = bytes.fromhex(test["octets"]), group["received_by"] == "client"
    if group["binding"] == "raw":
        right = b"QZMQ/1" + (b"S" if theirs_is_server else b"C") + b"\n"
        wrong = [position for position in range(8) if octets[position] != right[position]]
        if wrong:
            refuse("RAW-3" if wrong[0] == 6 else "RAW-2")
        return
    if (octets[0], octets[9]) != (0xFF, 0x7F):
        refuse("ZMTP-2")
    if octets[10:12] < b"\3\1":
        refuse("ZMTP-3")
    if octets[12:32] != b"QZMQ".ljust(20, b"\0"):
        refuse("ZMTP-4")
    if octets[32] != theirs_is_server:
        refuse("ZMTP-5")
    same("octets of a greeting", len(octets), 64)


def check_frame(group: Json, test: Json) -> None:
    octets, limit = bytes.fromhex(test["octets"]), group["limit"]
    if group["binding"] == "raw":
        size = int.from_bytes(octets[:4])
        if size == 0:
            refuse("RAW-5")
        if size > limit:
            refuse("RAW-6")
        same("message", parse("RawFrame", octets)["message"], test["message"])
        return
    if octets[0] not in (0x04, 0x06):
        refuse("ZMTP-8")
    end = 2 if octets[0] == 0x04 else 9
    size, body = int.from_bytes(octets[1:end]), octets[end:]
    if size - 5 > limit:
        refuse("ZMTP-10")
    if size < 6 or body[:5] != b"\4QZMQ":
        refuse("ZMTP-8")
    same("size", len(body), size)
    same("message", body[5:], test["message"])
