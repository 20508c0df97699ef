"""The zmtp binding: greetings judged octet by octet, and messages in ZMTP commands however they are cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.metadata import Property
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import load
from qzmq_ref.zmtp import GREETING_SIZE, Greeting, ZmtpBinding, after_ready, check_greeting, greeting, ready

PEER: dict[Role, Role] = {"client": "server", "server": "client"}
LIMIT = 2**17
NAME = b"\x04QZMQ"

both_roles = pytest.mark.parametrize("role", PEER)
lengths = st.integers(1, 600)


def refused(binding: ZmtpBinding, octets: bytes) -> tuple[int, Alert]:
    """How many octets had arrived when the greeting was refused, one at a time, and with what."""
    for count in range(1, len(octets) + 1):
        try:
            assert binding.receive_greeting(memoryview(octets[:count])) == 0
        except Alert as alert:
            return count, alert
    raise AssertionError("nothing was refused")


def without_message(octets: bytes) -> Alert:
    with pytest.raises(Alert) as raised:
        ZmtpBinding("client").message(memoryview(octets), LIMIT)
    return raised.value


def long_frame(body: bytes) -> bytes:
    return b"\x06" + len(body).to_bytes(8, "big") + body


@both_roles
def test_greeting_is_one_of_the_specification(role: Role) -> None:
    """ZMTP-1: all of it, before anything has come."""
    octets = ZmtpBinding(role).greeting()
    assert len(octets) == GREETING_SIZE
    parsed = load().parse(Greeting, octets)
    assert (parsed.version_major, parsed.version_minor, parsed.as_server) == (3, 1, int(role == "server"))
    assert parsed.mechanism.rstrip(b"\0") == b"QZMQ"


@both_roles
@given(cut=st.integers(0, GREETING_SIZE - 1), behind=st.binary(max_size=20))
def test_a_right_greeting_is_taken_once_it_is_whole(role: Role, cut: int, behind: bytes) -> None:
    """ZMTP-7: not one octet earlier, and none of what comes behind it."""
    binding, peer = ZmtpBinding(role), ZmtpBinding(PEER[role])
    octets = memoryview(peer.greeting() + behind)
    assert binding.receive_greeting(octets[:cut]) == 0
    with pytest.raises(LocalError):
        _ = binding.prologue
    assert binding.receive_greeting(octets) == GREETING_SIZE


@given(padding=st.binary(min_size=8, max_size=8), filler=st.binary(min_size=31, max_size=31))
def test_prologue_is_what_crossed_the_wire(padding: bytes, filler: bytes) -> None:
    """ZMTP-6: padding and filler may be anything, and both sides authenticate the same octets."""
    client, server = ZmtpBinding("client"), ZmtpBinding("server")
    sent = server.greeting()
    sent = sent[:1] + padding + sent[9:33] + filler
    client.receive_greeting(memoryview(sent))
    assert client.prologue == client.greeting() + sent
    server.receive_greeting(memoryview(client.greeting()))
    assert server.prologue == client.greeting() + server.greeting()


CHECKED = {0: "ZMTP-2", 9: "ZMTP-2"} | dict.fromkeys(range(12, 32), "ZMTP-4") | {32: "ZMTP-5"}


@both_roles
@given(position=st.sampled_from(sorted(CHECKED)), change=st.integers(1, 255))
def test_each_wrong_octet_is_refused_when_it_arrives(role: Role, position: int, change: int) -> None:
    octets = bytearray(ZmtpBinding(PEER[role]).greeting())
    octets[position] ^= change
    count, alert = refused(ZmtpBinding(role), bytes(octets))
    assert (count, alert.requirement) == (position + 1, CHECKED[position])


@both_roles
@given(major=st.integers(0, 255), minor=st.integers(0, 255))
def test_versions_from_3_1_are_accepted(role: Role, major: int, minor: int) -> None:
    """ZMTP-3."""
    octets = bytearray(ZmtpBinding(PEER[role]).greeting())
    octets[10:12] = bytes([major, minor])
    if (major, minor) >= (3, 1):
        assert ZmtpBinding(role).receive_greeting(memoryview(octets)) == GREETING_SIZE
    else:
        count, alert = refused(ZmtpBinding(role), bytes(octets))
        assert count == (11 if major < 3 else 12)
        assert (alert.description, alert.requirement) == (AlertDescription.PROTOCOL_VERSION, "ZMTP-3")


STRANGERS = {
    "http": (b"GET / HTTP/1.1\r\n\r\n", 1, AlertDescription.DECODE_ERROR),
    "tls": (bytes.fromhex("160301020001"), 1, AlertDescription.DECODE_ERROR),
    "zmtp-1": (b"\x01\x00" + bytes(8), 1, AlertDescription.DECODE_ERROR),
    "zmtp-2": (b"\xff" + bytes(7) + b"\x01\x7f\x01\x05", 11, AlertDescription.PROTOCOL_VERSION),
    "zmtp-3.0": (b"\xff" + bytes(8) + b"\x7f\x03\x00QZMQ", 12, AlertDescription.PROTOCOL_VERSION),
    "null": (greeting(b"NULL", as_server=False), 13, AlertDescription.HANDSHAKE_FAILURE),
    "plain": (greeting(b"PLAIN", as_server=False), 13, AlertDescription.HANDSHAKE_FAILURE),
    "curve": (greeting(b"CURVE", as_server=False), 13, AlertDescription.HANDSHAKE_FAILURE),
    "longer-name": (greeting(b"QZMQ2", as_server=False), 17, AlertDescription.HANDSHAKE_FAILURE),
    "raw": (b"QZMQ/1C\n", 1, AlertDescription.DECODE_ERROR),
    "own-role": (greeting(b"QZMQ", as_server=True), 33, AlertDescription.ILLEGAL_PARAMETER),
}


@pytest.mark.parametrize("stranger", STRANGERS)
def test_strangers_are_refused_early(stranger: str) -> None:
    """ZMTP-2 to ZMTP-5 at a server."""
    octets, expected, description = STRANGERS[stranger]
    count, alert = refused(ZmtpBinding("server"), octets)
    assert (count, alert.description) == (expected, description)


def test_null_greeting_of_the_local_hop() -> None:
    check_greeting(greeting(b"NULL", as_server=False), b"NULL", as_server=False)


@given(message=st.binary(min_size=1, max_size=600), behind=st.binary(max_size=20))
def test_a_message_comes_out_as_it_went_in(message: bytes, behind: bytes) -> None:
    """Both forms of the size (ZMTP-9), at every cut."""
    binding = ZmtpBinding("client")
    for header in (binding.header(len(message)), long_frame(NAME + message)[:14]):
        whole = header + message
        for count in {*range(len(header) + 1), len(whole) - 1}:
            assert binding.message(memoryview(whole[:count]), LIMIT) is None
        start, end = binding.message(memoryview(whole + behind), LIMIT) or (0, 0)
        assert (start, end) == (len(header), len(whole))
        assert whole[start:end] == message


@given(length=lengths)
def test_the_short_form_is_used_where_it_can_be(length: int) -> None:
    """ZMTP-9, in RFC 37's words."""
    header = ZmtpBinding("client").header(length)
    size = length + len(NAME)
    expected = bytes([0x04, size]) if size <= 255 else b"\x06" + size.to_bytes(8, "big")
    assert header == expected + NAME


@given(length=st.integers(LIMIT + 1, 2**64 - 1 - len(NAME)))
def test_too_long_a_message_is_refused_before_it_comes(length: int) -> None:
    """ZMTP-10: nine octets are enough to know."""
    alert = without_message(b"\x06" + (length + len(NAME)).to_bytes(8, "big"))
    assert (alert.description, alert.requirement) == (AlertDescription.RECORD_OVERFLOW, "ZMTP-10")


def test_the_limit_itself_is_accepted() -> None:
    binding = ZmtpBinding("client")
    assert binding.message(memoryview(binding.header(LIMIT)), LIMIT) is None
    assert binding.message(memoryview(binding.header(LIMIT) + bytes(LIMIT)), LIMIT) == (14, 14 + LIMIT)


@given(flags=st.integers(0, 255).filter(lambda flags: flags not in (0x04, 0x06)))
def test_other_flags_are_refused_at_once(flags: int) -> None:
    """ZMTP-8: message frames, MORE on a command, reserved bits."""
    alert = without_message(bytes([flags]))
    assert (alert.description, alert.requirement) == (AlertDescription.UNEXPECTED_MESSAGE, "ZMTP-8")


@given(position=st.integers(0, len(NAME) - 1), change=st.integers(1, 255), size=st.integers(6, 255))
def test_another_name_is_refused_at_its_first_wrong_octet(position: int, change: int, size: int) -> None:
    name = bytearray(NAME)
    name[position] ^= change
    header = bytes([0x04, size]) + name
    assert ZmtpBinding("client").message(memoryview(header[: 2 + position]), LIMIT) is None
    assert without_message(header[: 3 + position]).requirement == "ZMTP-8"


@pytest.mark.parametrize("command", [b"\x05READY", b"\x05ERROR\x00", b"\x04PING\x00\x00", b"\x09SUBSCRIBE", b""])
def test_other_commands_are_refused(command: bytes) -> None:
    for frame in (bytes([0x04, len(command)]) + command, long_frame(command)):
        assert without_message(frame).description == AlertDescription.UNEXPECTED_MESSAGE


@pytest.mark.parametrize("size", range(6))
def test_a_command_without_a_message_is_refused(size: int) -> None:
    """ZMTP-8, by its size alone."""
    assert without_message(bytes([0x04, size])).requirement == "ZMTP-8"
    assert without_message(b"\x06" + size.to_bytes(8, "big")).requirement == "ZMTP-8"


@given(value=st.binary(max_size=400), traffic=st.binary(max_size=20))
def test_traffic_of_the_local_hop_begins_behind_ready(value: bytes, traffic: bytes) -> None:
    """Both forms of the size, at every cut."""
    before = greeting(b"NULL", as_server=False) + ready([Property(b"Identity", value)])
    assert after_ready(before + traffic) == len(before)
    assert all(after_ready(before[:cut]) is None for cut in range(len(before)))
