"""Greetings and frames, for the kind `wire`: what the bindings read from a stream, octet by octet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from qzmq_conformance.vectors.shape import HEX, INTEGER, Group, Layout, Recipe, Refusal, constant, one_of, refusal
from qzmq_ref.alerts import Alert, alert_name
from qzmq_ref.raw import RawBinding
from qzmq_ref.zmtp import ZmtpBinding

BINDINGS: Mapping[str, type[ZmtpBinding] | type[RawBinding]] = {"zmtp": ZmtpBinding, "raw": RawBinding}
LIMIT = 2**17
OTHER = {"client": "server", "server": "client"}
NOTES = {
    "Greeting": "An octet of the greeting is not the one that the rule demands, or is free to be anything.",
    "Frame": "What stands before a message, and the limit in force.",
}
LAYOUTS = {
    "Greeting": Layout({"binding": one_of("zmtp", "raw"), "received_by": one_of("client", "server")}, {"octets": HEX}),
    "Frame": Layout({"binding": one_of("zmtp", "raw"), "limit": INTEGER}, {"octets": HEX, "message?": HEX}),
}


def groups() -> Iterator[Group]:
    """Both bindings, both roles."""
    for binding in BINDINGS:
        for role in OTHER:
            make = _zmtp_greetings if binding == "zmtp" else _raw_greetings
            fields = {"binding": binding, "received_by": role}
            yield Group("Greeting", constant(**fields), tuple(make(role)))
    for binding, frames in (("zmtp", _zmtp_frames), ("raw", _raw_frames)):
        yield Group("Frame", constant(binding=binding, limit=LIMIT), tuple(frames()))


def _zmtp_greetings(role: str) -> Iterator[Recipe]:
    right = ZmtpBinding(OTHER[role]).greeting()  # type: ignore[arg-type]
    rules = {0: "ZMTP-2", 9: "ZMTP-2", 10: "ZMTP-3", 32: "ZMTP-5"} | dict.fromkeys(range(12, 32), "ZMTP-4")
    yield _greeting("zmtp", role, "as it is sent", right)
    yield _greeting("zmtp", role, "version 3.2", _put(right, 11, 2))
    yield _greeting("zmtp", role, "version 4.0", _put(_put(right, 10, 4), 11, 0))
    yield _greeting("zmtp", role, "version 3.0", _put(right, 11, 0), "ZMTP-3")
    yield _greeting("zmtp", role, "an HTTP request", b"GET / HTTP/1.1\r\n".ljust(64, b"\0"), "ZMTP-2")
    for mechanism in (b"NULL", b"PLAIN", b"CURVE", b"GSSAPI", b"qzmq", b"QZMQ2", b""):
        octets = right[:12] + mechanism.ljust(20, b"\0") + right[32:]
        yield _greeting("zmtp", role, f"mechanism {mechanism.decode() or 'empty'}", octets, "ZMTP-4")
    for position in range(64):
        octets = _put(right, position, 2 if position == 10 else right[position] ^ 0x55)
        if position != 11:
            yield _greeting("zmtp", role, f"octet {position} changed", octets, rules.get(position, ""))
    yield _greeting("zmtp", role, "octet 32 as this side's own", _put(right, 32, 1 - right[32]), "ZMTP-5")


def _raw_greetings(role: str) -> Iterator[Recipe]:
    right = RawBinding(OTHER[role]).greeting()  # type: ignore[arg-type]
    yield _greeting("raw", role, "as it is sent", right)
    for position in range(8):
        for mask in (0x01, 0x20, 0x80):
            rule = "RAW-3" if position == 6 else "RAW-2"
            comment = f"octet {position} xor {mask:#04x}"
            yield _greeting("raw", role, comment, _put(right, position, right[position] ^ mask), rule)
    yield _greeting("raw", role, "of this side's own role", RawBinding(role).greeting(), "RAW-3")  # type: ignore[arg-type]


def _greeting(binding: str, role: str, comment: str, octets: bytes, rule: str = "") -> Recipe:
    def make() -> dict[str, Any]:
        _agree(lambda: BINDINGS[binding](role).receive_greeting(memoryview(octets)), why)  # type: ignore[arg-type]
        return {"octets": octets.hex()}

    why = refusal(rule) if rule else None
    return Recipe(comment, make, why, ("Greeting",))


def _zmtp_frames() -> Iterator[Recipe]:
    name = b"\x04QZMQ"
    for size in (1, 2, 16, 249, 250, 251, 255, 256, 1000):
        message = bytes(i % 251 for i in range(size))
        yield _frame("zmtp", f"{size} octets", ZmtpBinding("client").header(size) + message, message)
        if size < 251:
            long = b"\x06" + (size + 5).to_bytes(8) + name + message
            yield _frame("zmtp", f"{size} octets in the long form", long, message)
    for flags in (0x00, 0x01, 0x02, 0x03, 0x05, 0x07, 0x08, 0x0C, 0x14, 0x44, 0x84, 0xFF):
        octets = bytes([flags]) + (len(name) + 1).to_bytes(8 if flags & 2 else 1) + name + b"\x30"
        yield _frame("zmtp", f"flags {flags:#04x}", octets, rule="ZMTP-8")
    for other in (
        b"\x05READY",
        b"\x05ERROR",
        b"\x04PING",
        b"\x04PONG",
        b"\x09SUBSCRIBE",
        b"\x04qzmq",
        b"\x00",
        b"\x04QZM\0",
    ):
        body = other + b"\x30\x00\x00\x00\x00\x00"
        yield _frame("zmtp", f"command {other[1:]!r}", bytes([4, len(body)]) + body, rule="ZMTP-8")
    yield _frame("zmtp", "no message", bytes([4, 5]) + name, rule="ZMTP-8")
    yield _frame("zmtp", "no message, long form", b"\x06" + (5).to_bytes(8) + name, rule="ZMTP-8")
    for more in (LIMIT + 1, LIMIT + 2, 2**20, 2**32, 2**63, 2**64 - 1 - 5):
        yield _frame("zmtp", f"{more} octets announced", b"\x06" + (more + 5).to_bytes(8) + name, rule="ZMTP-10")


def _raw_frames() -> Iterator[Recipe]:
    for size in (1, 2, 16, 255, 256, 1000):
        message = bytes(i % 251 for i in range(size))
        yield _frame("raw", f"{size} octets", size.to_bytes(4) + message, message)
    yield _frame("raw", "length 0", bytes(4), rule="RAW-5")
    yield _frame("raw", "length 0, octets behind it", bytes(4) + b"\x30", rule="RAW-5")
    for more in (LIMIT + 1, LIMIT + 2, 2**20, 2**31, 2**32 - 1):
        yield _frame("raw", f"{more} octets announced", more.to_bytes(4), rule="RAW-6")


def _frame(binding: str, comment: str, octets: bytes, message: bytes = b"", rule: str = "") -> Recipe:
    def make() -> dict[str, Any]:
        _agree(lambda: BINDINGS[binding]("client").message(memoryview(octets), LIMIT), why)
        return {"octets": octets.hex()} | ({"message": message.hex()} if message else {})

    why = refusal(rule, {"ZMTP-8": "unexpected_message"}.get(rule, "")) if rule else None
    return Recipe(comment, make, why, ("Frame",))


def _put(octets: bytes, position: int, value: int) -> bytes:
    return octets[:position] + bytes([value]) + octets[position + 1 :]


def _agree(read: Any, why: Refusal | None) -> None:
    """The reference must say what the test says."""
    try:
        read()
    except Alert as alert:
        found: Refusal | None = Refusal(alert.requirement, alert_name(alert.description))
    else:
        found = None
    if found != why:
        raise AssertionError(f"the reference says {found}, the test {why}")
