"""The client puzzle of a server under load (spec/puzzle.md)."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import count

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.extensions import last_but_pre_shared_key, listed_extensions
from qzmq_ref.handshake.messages import (
    ClientHello,
    EarlyDataStatus,
    HelloRetry,
    PreSharedKey,
    build,
    build_message,
    parse_structure,
)
from qzmq_ref.handshake.outputs import EarlyAnswered, Send
from qzmq_ref.handshake.resume import bound
from qzmq_ref.handshake.session import Session
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


def puzzle_is_due(session: Session, _: object = None) -> bool:
    """Guard of HS-64."""
    configuration = session.configuration
    retry = configuration.policy.retry
    return retry == "always" or (retry == "under_load" and configuration.under_load())


def make_puzzle(session: Session, message: ClientHello) -> Session:
    """PUZ-2; the first hello is kept to hold the second against it (PUZ-4), early records stay closed (RES-17)."""
    early = any(extension.extension_type == ExtensionType.EARLY_DATA for extension in message.extensions)
    status = EarlyDataStatus.UNKNOWN if early else None
    return session.but(cookie=session.entropy(COOKIE), client_hello=session.received, early_status=status)


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
    first: ClientHello = parse_structure("ClientHello", session.client_hello[1:], "REG-2")
    base, answer = without_early(first), listed_extensions(message.extensions, MessageType.CLIENT_HELLO)
    solution: PuzzleSolution | None = answer.get(ExtensionType.COOKIE)
    if (
        solution is None
        or not hmac.compare_digest(solution.cookie, session.cookie)
        or zero_binder(message) != zero_binder(with_solution(base, solution))
    ):
        detail = "the second ClientHello is not the first plus the cookie"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PUZ-4", detail)
    if not solves(session.cookie, puzzled(base), session.configuration.policy.difficulty, solution.solution):
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PUZ-1", "the solution of the puzzle is wrong")
    return session.but(early_status=None)


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
    """PUZ-4: the first ClientHello plus the solution for it; early octets are undetermined now (RES-19)."""
    if session.early:
        session = session.but(early=b"").emit(EarlyAnswered("undetermined"))
    first: ClientHello = parse_structure("ClientHello", session.client_hello[1:], "REG-2")
    base = without_early(first)
    solution = PuzzleSolution(message.cookie, solve(message.cookie, puzzled(base), message.difficulty))
    return session.but(client_hello=bound(session, with_solution(base, solution)))


def second_client_hello(session: Session) -> Session:
    """PUZ-4, PUZ-6."""
    return session.emit(Send(MessageType.CLIENT_HELLO, session.client_hello))


# ---------------------------------------------------------------------- both


def puzzled(hello: ClientHello) -> bytes:
    """The octets that a solution is for: the second ClientHello without its cookie, its binder zero."""
    return build_message(MessageType.CLIENT_HELLO, zero_binder(hello))


def with_solution(hello: ClientHello, solution: PuzzleSolution) -> ClientHello:
    """The hello with its cookie extension last, or before pre_shared_key (PUZ-4)."""
    cookie = Extension(ExtensionType.COOKIE, build(solution))
    return replace(hello, extensions=last_but_pre_shared_key(hello.extensions, cookie))


def without_early(hello: ClientHello) -> ClientHello:
    """The hello without early_data (PUZ-4)."""
    kept = tuple(e for e in hello.extensions if e.extension_type != ExtensionType.EARLY_DATA)
    return replace(hello, extensions=kept)


def zero_binder(hello: ClientHello) -> ClientHello:
    """The hello with the octets of its binder, if it has one, set to zero."""
    if not hello.extensions or hello.extensions[-1].extension_type != ExtensionType.PRE_SHARED_KEY:
        return hello
    key: PreSharedKey = parse_structure("PreSharedKey", hello.extensions[-1].extension_data, "REG-10")
    zeroed = replace(hello.extensions[-1], extension_data=build(replace(key, binder=bytes(len(key.binder)))))
    return replace(hello, extensions=(*hello.extensions[:-1], zeroed))
