"""The client puzzle of a server under load (spec/puzzle.md)."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.extensions import last_but_pre_shared_key
from qzmq_ref.handshake.messages import ClientHello, HelloRetry, build, build_message, parse_structure
from qzmq_ref.handshake.session import Send, Session
from qzmq_ref.registries import VERSION, AlertDescription, Extension, ExtensionType, MessageType
from qzmq_ref.spec.schema import structure

CONTEXT = b"qzmq1 puzzle"
COOKIE = 32


@structure("PuzzleSolution")
@dataclass(frozen=True)
class PuzzleSolution:
    """Body of the extension `cookie`."""

    cookie: bytes
    solution: int


# ---------------------------------------------------------------------- the puzzle itself


def solve(cookie: bytes, hello: bytes, difficulty: int) -> int:
    """The least solution of `difficulty` bits; takes about 2^difficulty hashes."""
    start = _start(cookie, hello)
    return next(solution for solution in count() if _bits(start, solution) >= difficulty)


def solves(cookie: bytes, hello: bytes, difficulty: int, solution: int) -> bool:
    """Whether the hash begins with `difficulty` zero bits (PUZ-1): three hashes, no public-key work."""
    return _bits(_start(cookie, hello), solution) >= difficulty


def _start(cookie: bytes, hello: bytes) -> bytes:
    return CONTEXT + cookie + sha256(hello).digest()


def _bits(start: bytes, solution: int) -> int:
    """Zero bits at the front of the hash."""
    return 256 - int.from_bytes(sha256(start + solution.to_bytes(8)).digest()).bit_length()


# ---------------------------------------------------------------------- server


def puzzle_is_due(session: Session, _: ClientHello) -> bool:
    """Guard of HS-64."""
    configuration = session.configuration
    retry = configuration.policy.retry
    return retry == "always" or (retry == "under_load" and configuration.under_load())


def make_puzzle(session: Session, message: ClientHello) -> Session:
    """PUZ-2; the first hello is kept to hold the second against it (PUZ-4)."""
    refuse_cookie(session, message)
    return replace(session, cookie=session.entropy(COOKIE), client_hello=session.received)


def hello_retry(session: Session) -> Session:
    """The puzzle; it stays out of the transcript (PUZ-6)."""
    retry = HelloRetry(VERSION, session.cookie, session.configuration.policy.difficulty)
    return session.emit(Send(MessageType.HELLO_RETRY, build_message(MessageType.HELLO_RETRY, retry)))


def refuse_cookie(session: Session, message: ClientHello) -> Session:
    """PUZ-5."""
    if any(extension.extension_type == ExtensionType.COOKIE for extension in message.extensions):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PUZ-5", "ClientHello has a cookie that was not asked for")
    return session


def check_solution(session: Session, message: ClientHello) -> Session:
    """PUZ-4, then PUZ-1; the second hello takes the first one's place (PUZ-6)."""
    answers = [e.extension_data for e in message.extensions if e.extension_type == ExtensionType.COOKIE]
    first: ClientHello = parse_structure("ClientHello", session.client_hello[1:], "REG-2")
    if len(answers) != 1 or _without(message.extensions, ExtensionType.COOKIE) != first.extensions:
        raise Alert(
            AlertDescription.ILLEGAL_PARAMETER, "PUZ-4", "the second ClientHello is not the first plus a cookie"
        )
    answer: PuzzleSolution = parse_structure("PuzzleSolution", answers[0], "REG-10")
    expected = last_but_pre_shared_key(first.extensions, Extension(ExtensionType.COOKIE, answers[0]))
    if message != replace(first, extensions=expected) or not hmac.compare_digest(answer.cookie, session.cookie):
        raise Alert(
            AlertDescription.ILLEGAL_PARAMETER, "PUZ-4", "the second ClientHello is not the first plus a cookie"
        )
    hello = build_message(MessageType.CLIENT_HELLO, first)
    if not solves(session.cookie, hello, session.configuration.policy.difficulty, answer.solution):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PUZ-1", "the solution of the puzzle is wrong")
    return session


def _without(extensions: Sequence[Extension], extension_type: ExtensionType) -> tuple[Extension, ...]:
    return tuple(extension for extension in extensions if extension.extension_type != extension_type)


# ---------------------------------------------------------------------- client


def accept_hello_retry(session: Session, message: HelloRetry) -> Session:
    """PUZ-7, PUZ-3."""
    if message.version != VERSION:
        raise Alert(AlertDescription.PROTOCOL_VERSION, "PUZ-7", f"HelloRetry.version is {message.version}")
    most = session.configuration.policy.max_difficulty
    if message.difficulty > most:
        detail = f"HelloRetry.difficulty is {message.difficulty}, at most {most} here"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PUZ-3", detail)
    return session


def solve_puzzle(session: Session, message: HelloRetry) -> Session:
    """PUZ-4: the first ClientHello plus the solution for it."""
    first: ClientHello = parse_structure("ClientHello", session.client_hello[1:], "REG-2")
    solution = solve(message.cookie, session.client_hello, message.difficulty)
    answer = Extension(ExtensionType.COOKIE, build(PuzzleSolution(message.cookie, solution)))
    second = replace(first, extensions=last_but_pre_shared_key(first.extensions, answer))
    return replace(session, client_hello=build_message(MessageType.CLIENT_HELLO, second))


def second_client_hello(session: Session) -> Session:
    """PUZ-4, PUZ-6."""
    return session.emit(Send(MessageType.CLIENT_HELLO, session.client_hello))
