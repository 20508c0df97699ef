"""The raw binding: eight octets of greeting, then lengths and messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.raw import GREETING_SIZE, RawBinding, RawFrame
from qzmq_ref.registries import AlertDescription
from qzmq_ref.spec.schema import load

PEER: dict[Role, Role] = {"client": "server", "server": "client"}
LIMIT = 2**17

both_roles = pytest.mark.parametrize("role", PEER)


@both_roles
def test_greeting_is_sent_at_once(role: Role) -> None:
    """RAW-1."""
    assert RawBinding(role).greeting() == {"client": b"QZMQ/1C\n", "server": b"QZMQ/1S\n"}[role]


@both_roles
@given(cut=st.integers(0, GREETING_SIZE - 1), behind=st.binary(max_size=20))
def test_a_right_greeting_is_taken_once_it_is_whole(role: Role, cut: int, behind: bytes) -> None:
    """RAW-4."""
    binding, peer = RawBinding(role), RawBinding(PEER[role])
    octets = memoryview(peer.greeting() + behind)
    assert binding.receive_greeting(octets[:cut]) == 0
    with pytest.raises(LocalError):
        _ = binding.prologue
    assert binding.receive_greeting(octets) == GREETING_SIZE
    assert binding.prologue == b"QZMQ/1C\nQZMQ/1S\n"


@both_roles
@given(position=st.integers(0, GREETING_SIZE - 1), change=st.integers(1, 255), behind=st.binary(max_size=8))
def test_each_wrong_octet_is_refused_when_it_arrives(role: Role, position: int, change: int, behind: bytes) -> None:
    """RAW-2, RAW-3; what comes behind the wrong octet makes no difference."""
    octets = bytearray(RawBinding(PEER[role]).greeting())
    octets[position] ^= change
    binding = RawBinding(role)
    assert binding.receive_greeting(memoryview(octets[:position])) == 0
    for arrived in (octets[: position + 1], octets[: position + 1] + behind):
        with pytest.raises(Alert) as raised:
            binding.receive_greeting(memoryview(arrived))
        assert raised.value.requirement == ("RAW-3" if position == 6 else "RAW-2")


def test_two_of_one_role_are_told_so() -> None:
    with pytest.raises(Alert, match="one side must be the server") as raised:
        RawBinding("client").receive_greeting(memoryview(RawBinding("client").greeting()))
    assert raised.value.description == AlertDescription.ILLEGAL_PARAMETER


@pytest.mark.parametrize("octets", [b"GET / HTTP/1.1\r\n", b"\xff" + bytes(8) + b"\x7f\x03", b"SSH-2.0-x\r\n"])
def test_strangers_are_refused_at_their_first_octet(octets: bytes) -> None:
    with pytest.raises(Alert) as raised:
        RawBinding("server").receive_greeting(memoryview(octets[:1]))
    assert raised.value.description == AlertDescription.DECODE_ERROR


@given(message=st.binary(min_size=1, max_size=600), behind=st.binary(max_size=20))
def test_a_message_comes_out_as_it_went_in(message: bytes, behind: bytes) -> None:
    binding = RawBinding("client")
    whole = binding.header(len(message)) + message
    assert whole == load().build(RawFrame(message))
    for count in {*range(5), len(whole) - 1}:
        assert binding.message(memoryview(whole[:count]), LIMIT) is None
    assert binding.message(memoryview(whole + behind), LIMIT) == (4, len(whole))


@given(length=st.integers(LIMIT + 1, 2**32 - 1))
def test_too_long_a_message_is_refused_before_it_comes(length: int) -> None:
    """RAW-6."""
    with pytest.raises(Alert) as raised:
        RawBinding("client").message(memoryview(length.to_bytes(4, "big")), LIMIT)
    assert (raised.value.description, raised.value.requirement) == (AlertDescription.RECORD_OVERFLOW, "RAW-6")


def test_the_limit_itself_is_accepted() -> None:
    frame = memoryview(LIMIT.to_bytes(4, "big") + bytes(LIMIT))
    assert RawBinding("client").message(frame, LIMIT) == (4, len(frame))


def test_an_empty_message_is_refused() -> None:
    """RAW-5."""
    with pytest.raises(Alert) as raised:
        RawBinding("client").message(memoryview(bytes(4)), LIMIT)
    assert (raised.value.description, raised.value.requirement) == (AlertDescription.UNEXPECTED_MESSAGE, "RAW-5")
