"""The client puzzle (puzzle.md)."""

from __future__ import annotations

from hashlib import sha256

from .handshake import COOKIE, EARLY_DATA, HELLO, PRE_SHARED_KEY, binder_fits, extensions_of
from .primitives import Hash
from .structures import build, parse
from .verdict import Json, refuse, same


def check_puzzle(group: Json, test: Json) -> None:
    octets = bytes.fromhex(test["client_hello"])
    first = parse("ClientHello", octets[1:])
    if COOKIE in extensions_of("ClientHello", first):
        refuse("PUZ-5")
    retry = parse("HelloRetry", bytes.fromhex(test["hello_retry"])[1:])
    if retry["version"] != 1:
        refuse("PUZ-7")
    if retry["difficulty"] > group["max_difficulty"]:
        refuse("PUZ-3")
    prologue, psk = bytes.fromhex(test["prologue"]), bytes.fromhex(test.get("psk", ""))
    second_octets = bytes.fromhex(test["second_client_hello"])
    second = parse("ClientHello", second_octets[1:])
    check_second(first, second, retry)
    for hello, sent in ((first, octets), (second, second_octets)) if psk else ():
        binder = extensions_of("ClientHello", hello)[PRE_SHARED_KEY]["binder"]
        same("binder", binder_fits(Hash("sha_256"), psk, prologue + sent, binder), True)
    kinds = [octets[0], second_octets[0], bytes.fromhex(test["hello_retry"])[0], len(prologue)]
    same("types, octets of the prologue", kinds, [HELLO, HELLO, 5, 128])


def check_second(first: Json, second: Json, retry: Json) -> None:
    """PUZ-4, PUZ-1."""
    answer = extensions_of("ClientHello", second).get(COOKIE)
    kept = [each for each in first["extensions"] if each["extension_type"] != EARLY_DATA]
    base = without_binder({**first, "extensions": kept})
    if answer is None or answer["cookie"] != retry["cookie"]:
        refuse("PUZ-4")
    cookie = {"extension_type": COOKIE, "extension_data": build("PuzzleSolution", answer)}
    ticketed = bool(kept) and kept[-1]["extension_type"] == PRE_SHARED_KEY
    place = len(kept) - ticketed
    expected = {**base, "extensions": [*base["extensions"][:place], cookie, *base["extensions"][place:]]}
    if without_binder(second) != expected:
        refuse("PUZ-4")
    covered = sha256(bytes([HELLO]) + build("ClientHello", base)).digest()
    digest = sha256(b"qzmq1 puzzle" + answer["cookie"] + covered + answer["solution"].to_bytes(8)).digest()
    if int.from_bytes(digest) >> (256 - retry["difficulty"]):
        refuse("PUZ-1")


def without_binder(hello: Json) -> Json:
    """The hello with the octets of its binder set to zero."""
    if not hello["extensions"] or hello["extensions"][-1]["extension_type"] != PRE_SHARED_KEY:
        return hello
    key = parse("PreSharedKey", hello["extensions"][-1]["extension_data"], "REG-10")
    zeroed = build("PreSharedKey", {**key, "binder": bytes(len(key["binder"]))})
    last = {"extension_type": PRE_SHARED_KEY, "extension_data": zeroed}
    return {**hello, "extensions": [*hello["extensions"][:-1], last]}
