"""Kind `puzzle`: the first ClientHello, the server's puzzle, and the second ClientHello that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from qzmq_conformance.keys import policy
from qzmq_conformance.vectors.meeting import Setting, sent
from qzmq_conformance.vectors.shape import (
    HEX,
    INTEGER,
    Fields,
    Group,
    Kind,
    Layout,
    Recipe,
    Refusal,
    Source,
    constant,
    refusal,
)
from qzmq_ref.alerts import alert_name
from qzmq_ref.handshake import puzzle, resume
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import ClientHello, HelloRetry, build_message
from qzmq_ref.handshake.outputs import Ended
from qzmq_ref.handshake.puzzle import PuzzleSolution
from qzmq_ref.handshake.session import Session
from qzmq_ref.handshake.tickets import ClientTicket
from qzmq_ref.registries import CipherSuite, Extension, ExtensionType, MessageType
from qzmq_ref.spec.schema import load

LIGHT = policy("classical").suites[0]
MOST = 16
"""Bits that the client of every test is willing to solve."""
TICKETS = ("", "ticket", "early")
Second = Callable[["Puzzled"], ClientHello]
"""Makes a second ClientHello, right or wrong."""


def groups(source: Source) -> Iterator[Group]:
    """Right answers of every difficulty that is quickly found; wrong answers; wrong puzzles."""
    right = [_right(source, bits, offer, i) for bits in range(13) for offer in TICKETS for i in range(5)]
    wrong = [recipe for offer in TICKETS for i in range(4) for recipe in _wrong_answers(source, offer, i)]
    fields = constant(max_difficulty=MOST)
    yield Group("Puzzle", fields, (*right, *wrong, *_wrong_puzzles(source)))


class Puzzled:
    """A client that was asked, and the server that asked it."""

    def __init__(self, source: Source, bits: int, offer: str, number: int) -> None:
        self.bits = bits
        setting = Setting(LIGHT)
        name = f"puzzle/{bits}/{offer}/{number}"
        client, server = setting.configuration(source, "client"), setting.configuration(source, "server")
        client = replace(client, policy=replace(client.policy, early_data=True, max_difficulty=MOST))
        server = replace(server, policy=replace(server.policy, retry="always", difficulty=bits))
        ticket = ClientTicket(
            source.octets(f"{name}/identity", 32),
            source.octets(f"{name}/psk", 32),
            LIGHT,
            b"",
            b"",
            b"",
            None,
            100,
        )
        offered: dict[str, Any] = {"offered": ticket} if offer else {}
        early = {"early": b"early"} if offer == "early" else {}
        session = Session(client, setting.prologue, source.entropy(f"{name}/client")).but(**offered, **early)
        self.psk = ticket.psk if offer else b""
        self.client = step(session, "(begin)")
        self.first = self.client.client_hello
        fresh = Session(server, setting.prologue, source.entropy(f"{name}/server"))
        self.server = step(fresh, "client_hello", self.first[1:], "plain")
        self.retry = sent(self.server, MessageType.HELLO_RETRY)

    @property
    def base(self) -> ClientHello:
        """The first ClientHello, as the second one begins."""
        return puzzle.without_early(load().parse(ClientHello, self.first[1:]))

    @property
    def cookie(self) -> bytes:
        """What the server drew."""
        return load().parse(HelloRetry, self.retry[1:]).cookie

    def solution(self, *, right: bool = True) -> int:
        """The least number that solves the puzzle, or that does not."""
        covered = puzzle.puzzled(self.base)
        return next(n for n in count() if puzzle.solves(self.cookie, covered, self.bits, n) == right)

    def answer(self, solution: int) -> ClientHello:
        """The second ClientHello with a solution."""
        return puzzle.with_solution(self.base, PuzzleSolution(self.cookie, solution))

    def fields(self, retry: bytes, second: bytes) -> Fields:
        """The fields of a test."""
        told = {"prologue": self.client.prologue, "client_hello": self.first, "hello_retry": retry}
        optional = {"second_client_hello": second, "psk": self.psk}
        shown = {name: octets.hex() for name, octets in optional.items() if octets}
        return {**{name: octets.hex() for name, octets in told.items()}, **shown}


def _right(source: Source, bits: int, offer: str, number: int) -> Recipe:
    def make() -> Fields:
        puzzled = Puzzled(source, bits, offer, number)
        client = step(puzzled.client, "hello_retry", puzzled.retry[1:], "plain")
        _agree(step(puzzled.server, "client_hello", client.client_hello[1:], "plain"), None)
        return puzzled.fields(puzzled.retry, client.client_hello)

    return Recipe(f"{bits} bits{', with ' + offer if offer else ''}, {number}", make, flags=(_flag(offer),))


def _flag(offer: str) -> str:
    return {"": "Plain", "ticket": "Ticket", "early": "EarlyData"}[offer]


def _wrong_answers(source: Source, offer: str, number: int) -> Iterator[Recipe]:
    wrong: dict[str, tuple[str, Second]] = {
        "a wrong solution": ("PUZ-1", lambda at: at.answer(at.solution(right=False))),
        "no cookie": ("PUZ-4", lambda at: at.base),
        "another cookie": ("PUZ-4", partial(_edited_cookie, lambda cookie: bytes([cookie[0] ^ 1]) + cookie[1:])),
        "a shorter cookie": ("PUZ-4", partial(_edited_cookie, lambda cookie: cookie[:-1])),
        "another random": ("PUZ-4", lambda at: replace(at.answer(at.solution()), random=bytes(32))),
        "one suite more": ("PUZ-4", partial(_with_suites, lambda suites: (*suites, CipherSuite(1, 1, 1, 1)))),
        "the suites turned round": ("PUZ-4", partial(_with_suites, lambda suites: suites[::-1])),
        "an extension more": ("PUZ-4", partial(_with_extensions, lambda found: (Extension(0x1A1B, b""), *found))),
        "an extension less": ("PUZ-4", partial(_with_extensions, lambda found: found[1:])),
    }
    if offer:
        wrong["the cookie behind the ticket"] = ("PUZ-4", partial(_with_extensions, _cookie_last))
        wrong["the ticket gone"] = ("PUZ-4", partial(_with_extensions, lambda found: found[:-1]))
    if offer == "early":
        early = Extension(ExtensionType.EARLY_DATA, b"")
        wrong["early data still there"] = ("PUZ-4", partial(_with_extensions, lambda found: (early, *found)))
    for comment, (rule, second) in wrong.items():
        why = refusal(rule)
        make = partial(_answered, source, offer, number, second, why)
        yield Recipe(f"{comment}{', with ' + offer if offer else ''}, {number}", make, why, ("Answer",))


def _answered(source: Source, offer: str, number: int, second: Second, why: Refusal) -> Fields:
    puzzled = Puzzled(source, 6, offer, number)
    hello = second(puzzled)
    ticketed = bool(hello.extensions) and hello.extensions[-1].extension_type == ExtensionType.PRE_SHARED_KEY
    octets = resume.bound(puzzled.client if ticketed else puzzled.client.but(offered=None), hello)
    _agree(step(puzzled.server, "client_hello", octets[1:], "plain"), why)
    return puzzled.fields(puzzled.retry, octets)


def _edited_cookie(change: Callable[[bytes], bytes], at: Puzzled) -> ClientHello:
    return puzzle.with_solution(at.base, PuzzleSolution(change(at.cookie), at.solution()))


def _with_suites(change: Callable[[Any], Any], at: Puzzled) -> ClientHello:
    hello = at.answer(at.solution())
    return replace(hello, suites=change(hello.suites))


def _with_extensions(change: Callable[[Any], Any], at: Puzzled) -> ClientHello:
    hello = at.answer(at.solution())
    return replace(hello, extensions=change(hello.extensions))


def _cookie_last(found: Any) -> Any:
    return (*found[:-2], found[-1], found[-2])


def _wrong_puzzles(source: Source) -> Iterator[Recipe]:
    for bits in (MOST + 1, MOST + 2, 19, 20, 21, 64, 255):
        yield _wrong_puzzle(source, f"{bits} bits", "PUZ-3", {"difficulty": bits})
    for version in (0, 2, 255):
        yield _wrong_puzzle(source, f"version {version}", "PUZ-7", {"version": version})
    why = refusal("PUZ-5")
    for number in range(4):
        yield Recipe(
            f"a cookie that nobody asked for, {number}", partial(_unasked, source, number, why), why, ("Unasked",)
        )


def _wrong_puzzle(source: Source, comment: str, rule: str, changes: dict[str, int]) -> Recipe:
    why = refusal(rule)

    def make() -> Fields:
        puzzled = Puzzled(source, 6, "", 0)
        retry = replace(load().parse(HelloRetry, puzzled.retry[1:]), **changes)  # type: ignore[arg-type]
        octets = build_message(MessageType.HELLO_RETRY, retry)
        _agree(step(puzzled.client, "hello_retry", octets[1:], "plain"), why)
        return puzzled.fields(octets, b"")

    return Recipe(comment, make, why, ("Retry",))


def _unasked(source: Source, number: int, why: Refusal) -> Fields:
    """The second ClientHello of another connection, as the first one here."""
    puzzled = Puzzled(source, 6, "", number)
    octets = build_message(MessageType.CLIENT_HELLO, puzzled.answer(puzzled.solution()))
    server = Session(Setting(LIGHT).configuration(source, "server"), puzzled.client.prologue, source.entropy("unused"))
    _agree(step(server, "client_hello", octets[1:], "plain"), why)
    return {"prologue": puzzled.client.prologue.hex(), "client_hello": octets.hex()}


def _agree(session: Session, why: Refusal | None) -> None:
    """The reference's machine says what the test says."""
    ended = next((out.alert for out in session.outputs if isinstance(out, Ended)), None)
    said = alert_name(ended.description) if ended else ""
    if said != (why.alert if why else ""):
        raise AssertionError(f"the reference says {ended}, the test {why}")


KIND = Kind(
    name="puzzle",
    purpose="The client puzzle: HelloRetry, solutions, and what the second ClientHello may change (PUZ-1 to PUZ-7).",
    header=(
        "All messages begin with their type octet. With psk the client offers that ticket, and the second ClientHello",
        "has a new binder. Whoever receives the last message accepts or refuses it; the client solves max_difficulty.",
    ),
    notes={
        "Answer": "The second ClientHello is not the right one.",
        "EarlyData": "The first ClientHello announces early data, the second does not.",
        "Plain": "Without a ticket.",
        "Retry": "The client refuses the puzzle.",
        "Ticket": "The client offers a ticket: the binder is zero in what the solution is for.",
        "Unasked": "The server did not ask.",
    },
    layouts={
        "Puzzle": Layout(
            {"max_difficulty": INTEGER},
            {"prologue": HEX, "client_hello": HEX, "hello_retry?": HEX, "second_client_hello?": HEX, "psk?": HEX},
        )
    },
    groups=groups,
)
