"""The client puzzle (spec/puzzle.md)."""

from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import Connection, Ended
from qzmq_ref.crypto.kem import Kem
from qzmq_ref.handshake import server
from qzmq_ref.handshake.messages import ClientHello, HelloRetry, build, parse_structure
from qzmq_ref.handshake.puzzle import PuzzleSolution, solve, solves
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AlertDescription, Extension, ExtensionType
from tests.pairs import Pair, make_pair

ASKING = replace(Policy.preset("performance"), retry="always", difficulty=6)


def ended(events: list[Any]) -> tuple[AlertDescription | int, str]:
    (event,) = [event for event in events if isinstance(event, Ended)]
    assert event.alert is not None
    return event.alert.description, event.alert.requirement


@given(st.binary(min_size=16, max_size=64), st.binary(max_size=100), st.integers(0, 10))
def test_a_solution_solves_and_its_hash_is_the_page_s(cookie: bytes, hello: bytes, difficulty: int) -> None:
    """PUZ-1."""
    solution = solve(cookie, hello, difficulty)
    digest = sha256(b"qzmq1 puzzle" + cookie + sha256(hello).digest() + solution.to_bytes(8, "big")).digest()
    assert f"{int.from_bytes(digest, 'big'):0256b}"[:difficulty] == "0" * difficulty
    assert solves(cookie, hello, difficulty, solution)
    assert not any(solves(cookie, hello, difficulty, wrong) for wrong in range(solution))


def test_a_handshake_with_a_puzzle() -> None:
    """HS-60, HS-61, HS-64, HS-65, PUZ-6."""
    pair = make_pair(ASKING).exchange()
    assert pair.client.established
    assert pair.server.established
    assert pair.client.export("x", b"", 8) == pair.server.export("x", b"", 8)


def test_under_load_asks_only_then() -> None:
    """HS-64."""
    for load in (True, False):
        pair = make_pair(replace(ASKING, retry="under_load"))
        configuration = pair.server._configuration  # noqa: SLF001
        pair.server._session = replace(  # noqa: SLF001
            pair.server._session,  # noqa: SLF001
            configuration=replace(configuration, under_load=partial(bool, load)),
        )
        pair.server.receive(pair.client.data_to_send())
        pair.client.receive(pair.server.data_to_send())
        pair.server.receive(pair.client.data_to_send())
        assert (pair.server.state == "wait_second_client_hello") is load


def test_no_public_key_work_before_the_solution(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUZ-1: neither a KEM key nor a signature."""

    def refuse(*_: object) -> Kem:
        raise AssertionError("public-key work")

    pair = second_hello()
    with monkeypatch.context() as patch:
        patch.setattr(server, "kem", refuse)
        spoil(pair, lambda hello: with_cookie(hello, cookie_of(hello), 2**64 - 1))
    assert ended(pair.server_events) == (AlertDescription.ILLEGAL_PARAMETER, "PUZ-1")


def second_hello() -> Pair:
    """A pair whose server waits for the second ClientHello, which the client has ready."""
    pair = make_pair(replace(ASKING, difficulty=20), client_policy=replace(ASKING, max_difficulty=20))
    pair.server.receive(pair.client.data_to_send())
    pair.client.receive(pair.server.data_to_send())
    pair.server.receive(pair.client.data_to_send())
    assert pair.server.state == "wait_second_client_hello"
    first: ClientHello = parse_structure("ClientHello", pair.server._session.client_hello[1:], "REG-2")  # noqa: SLF001
    cookie = pair.server._session.cookie  # noqa: SLF001
    pair.held = with_cookie(first, cookie, 0)  # type: ignore[attr-defined]
    return pair


def with_cookie(hello: ClientHello, cookie: bytes, solution: int) -> ClientHello:
    kept = tuple(e for e in hello.extensions if e.extension_type != ExtensionType.COOKIE)
    answer = Extension(ExtensionType.COOKIE, build(PuzzleSolution(cookie, solution)))
    return replace(hello, extensions=(*kept, answer))


def cookie_of(hello: ClientHello) -> bytes:
    data = next(e.extension_data for e in hello.extensions if e.extension_type == ExtensionType.COOKIE)
    answer: PuzzleSolution = parse_structure("PuzzleSolution", data, "REG-10")
    return answer.cookie


def spoil(pair: Pair, change: Any) -> None:
    """Send the server a second ClientHello that `change` has made of the right one (but for its solution)."""
    message = b"\x01" + build(change(pair.held))  # type: ignore[attr-defined]
    pair.server_events += pair.server.receive(len(message).to_bytes(4, "big") + message)


@pytest.mark.parametrize(
    ("change", "requirement"),
    [
        (lambda hello: replace(hello, random=bytes(32)), "PUZ-4"),
        (lambda hello: replace(hello, suites=hello.suites[:1]), "PUZ-4"),
        (lambda hello: replace(hello, extensions=hello.extensions[1:]), "PUZ-4"),
        (lambda hello: replace(hello, extensions=hello.extensions[:-1]), "PUZ-4"),
        (lambda hello: replace(hello, extensions=hello.extensions[::-1]), "PUZ-4"),
        (lambda hello: with_cookie(hello, bytes(32), 0), "PUZ-4"),
        (lambda hello: with_cookie(hello, cookie_of(hello), 1), "PUZ-1"),
    ],
)
def test_any_other_second_hello_is_refused(change: Any, requirement: str) -> None:
    """PUZ-1, PUZ-4. (A chance of one in 2^20 that a wrong solution is right.)"""
    pair = second_hello()
    spoil(pair, change)
    assert ended(pair.server_events) == (AlertDescription.ILLEGAL_PARAMETER, requirement)


@pytest.mark.parametrize("policy", [Policy.preset("performance"), ASKING])
def test_a_cookie_nobody_asked_for(policy: Policy) -> None:
    """PUZ-5."""
    connection: Connection = make_pair(policy).server
    hello = parse_structure("ClientHello", make_hello(policy), "REG-2")
    message = b"\x01" + build(with_cookie(hello, bytes(32), 0))
    connection.receive(b"QZMQ/1C\n")
    events = connection.receive(len(message).to_bytes(4, "big") + message)
    assert ended(events) == (AlertDescription.ILLEGAL_PARAMETER, "PUZ-5")


def make_hello(policy: Policy) -> bytes:
    pair = make_pair(policy)
    pair.client.receive(pair.server.data_to_send())
    return pair.client._session.client_hello[1:]  # noqa: SLF001


def test_what_a_client_does_not_solve() -> None:
    """PUZ-2, PUZ-3, PUZ-7."""
    for retry, expected in [
        (HelloRetry(1, bytes(32), 17), (AlertDescription.ILLEGAL_PARAMETER, "PUZ-3")),
        (HelloRetry(1, bytes(32), 255), (AlertDescription.ILLEGAL_PARAMETER, "PUZ-3")),
        (HelloRetry(2, bytes(32), 1), (AlertDescription.PROTOCOL_VERSION, "PUZ-7")),
    ]:
        connection = make_pair().client
        message = b"\x05" + build(retry)
        framed = len(message).to_bytes(4, "big") + message
        assert ended(connection.receive(b"QZMQ/1S\n" + framed)) == expected
    message = b"\x05" + build(HelloRetry(1, bytes(32), 1))
    framed = len(message).to_bytes(4, "big") + message
    events = make_pair().client.receive(b"QZMQ/1S\n" + framed + framed)
    assert ended(events) == (AlertDescription.UNEXPECTED_MESSAGE, "HS-18")


def test_bounds_of_the_policy() -> None:
    """PUZ-3."""
    for field in ("difficulty", "max_difficulty"):
        with pytest.raises(LocalError, match="PUZ-3"):
            replace(ASKING, **{field: 21})  # type: ignore[arg-type]
    with pytest.raises(LocalError, match="retry"):
        replace(ASKING, retry="sometimes")  # type: ignore[arg-type]
