"""Area `puzzle`: HelloRetry and the second ClientHello, by a target that asks and by one that is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import Fault, accepted, changing, expect_opaque_alert, flip, refused, resized, updating
from qzmq_conformance.keys import policy
from qzmq_conformance.peer import Edit
from qzmq_conformance.retried import SECOND, RetriedClientPeer, RetryingServerPeer
from qzmq_conformance.scene import PUZZLE, Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake import puzzle
from qzmq_ref.handshake.messages import build
from qzmq_ref.handshake.puzzle import PuzzleSolution
from qzmq_ref.policy import MAX_DIFFICULTY
from qzmq_ref.registries import Extension, ExtensionType, MessageType

Extensions = tuple[Extension, ...]
OWN_BOUND = 6  # bits


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        asking, asked = Scene(mode, "server", retry=True), Scene(mode, "client", retry=True)
        for fault in (*_of_solutions(), *_of_second_hellos()):
            yield fault.case("puzzle", asking)
        for scene in (asking, replace(asking, retry=False)):
            name = "unasked" if not scene.retry else "too-early"
            cookie = (Extension(ExtensionType.COOKIE, build(PuzzleSolution(bytes(32), 0))),)
            yield refused(name, "PUZ-5", "ClientHello", content=changing(extensions=cookie)).case("puzzle", scene)
        for fault in _of_retries():
            yield fault.case("puzzle", asked)
        bounded = replace(asked, policy=replace(policy(mode), max_difficulty=OWN_BOUND))
        for fault in _of_bounds():
            yield fault.case("puzzle", bounded)
        for scene, plays in ((asking, _ASKING), (asked, _ASKED)):
            for name, (rules, alert, play) in plays.items():
                yield Case(f"puzzle/{mode}/{scene.role}/{name}", rules, partial(play, scene), alert)


# ---------------------------------------------------------------------- the target asks


def _of_solutions() -> Iterator[Fault]:
    """A cookie that is not the server's."""
    for name, change in (("flip", flip(0)), ("flip-last", flip(-1)), ("cut", resized(16)), ("grown", resized(64))):
        yield refused(f"cookie-{name}", "PUZ-4", "PuzzleSolution", content=updating("cookie", change))


def _extending(change: Callable[[Extensions], Extensions]) -> Edit:
    return updating("extensions", change)


def _of_second_hellos() -> Iterator[Fault]:
    """A second ClientHello that is not the first one plus the cookie, which the honest peer puts last."""
    more = Extension(0x0A0A, b"")
    early = Extension(ExtensionType.EARLY_DATA, b"")
    changes: dict[str, Edit] = {
        "random": updating("random", flip(0)),
        "suites-dropped": updating("suites", lambda suites: suites[:1]),
        "suites-turned": updating("suites", lambda suites: suites[::-1]),
        "no-cookie": _extending(lambda found: found[:-1]),
        "cookie-first": _extending(lambda found: (found[-1], *found[:-1])),
        "extension-behind-cookie": _extending(lambda found: (*found, more)),
        "extension-added": _extending(lambda found: (more, *found)),
        "extension-dropped": _extending(lambda found: found[1:]),
        "extension-changed": _extending(lambda found: (replace(found[0], extension_data=b"?"), *found[1:])),
        "early-data": _extending(lambda found: (*found[:-1], early, found[-1])),
    }
    for name, edit in changes.items():
        yield refused(name, "PUZ-4", SECOND, content=edit)
    yield refused("cookie-twice", "REG-7", SECOND, content=_extending(lambda found: (*found, found[-1])))
    yield refused("version", "HS-2", SECOND, content=changing(version=2))


def _asking(scene: Scene, stage: Stage, check: Callable[[RetriedClientPeer], None]) -> None:
    """The target has asked; then the check."""
    with scene.play(stage) as peer:
        peer.bring("wait_second_client_hello")
        assert isinstance(peer, RetriedClientPeer)
        check(peer)


def _unsolved(scene: Scene, stage: Stage) -> None:
    """A solution that is none; the rest is right."""

    def check(peer: RetriedClientPeer) -> None:
        peer.solve = lambda cookie, hello, difficulty: next(
            number for number in count() if not puzzle.solves(cookie, hello, difficulty, number)
        )
        peer.send_second_hello()
        peer.expect_alert("illegal_parameter", sealed=False)

    _asking(scene, stage, check)


def _nearly(scene: Scene, stage: Stage) -> None:
    """A solution of one bit less than the puzzle asks for."""

    def check(peer: RetriedClientPeer) -> None:
        peer.solve = lambda cookie, hello, difficulty: next(
            number
            for number in count()
            if puzzle.solves(cookie, hello, difficulty - 1, number)
            and not puzzle.solves(cookie, hello, difficulty, number)
        )
        peer.send_second_hello()
        peer.expect_alert("illegal_parameter", sealed=False)

    _asking(scene, stage, check)


def _fresh(scene: Scene, stage: Stage) -> None:
    """Two puzzles have no part of a cookie in common, and are as hard as the policy says."""
    cookies: set[bytes] = set()

    def check(peer: RetriedClientPeer) -> None:
        drawn = peer.retry.cookie
        if cookies & {drawn[:16], drawn[-16:]}:
            raise Failed(f"cookie {drawn.hex()} again", "a fresh one")
        if peer.retry.difficulty != PUZZLE:
            raise Failed(f"difficulty {peer.retry.difficulty}", str(PUZZLE))
        cookies.update({drawn[:16], drawn[-16:]})

    for _ in range(2):
        _asking(scene, stage, check)


def _remembers_too_much(scene: Scene, stage: Stage) -> None:
    """The client's transcript holds the first ClientHello and HelloRetry too: the server cannot open `sealed_auth`."""

    def check(peer: RetriedClientPeer) -> None:
        first = peer.session.client_hello + peer.session.received
        peer.send_second_hello()
        message = peer.read_server_hello()
        peer.session = peer.session.but(client_hello=first + peer.session.client_hello)
        peer.encapsulate(message)
        peer.send_client_key()
        expect_opaque_alert(peer)

    _asking(scene, stage, check)


# ---------------------------------------------------------------------- the target is asked


def _of_retries() -> Iterator[Fault]:
    """What a client need not solve, and what it must."""
    for version in (0, 2, 255):
        yield refused(f"version-{version}", "PUZ-7", "HelloRetry", content=changing(version=version))
    for difficulty in (MAX_DIFFICULTY + 1, 255):
        edit = changing(difficulty=difficulty)
        yield refused(f"difficulty-{difficulty}", "PUZ-3", "HelloRetry", content=edit)
    for size in (16, 64):
        edit = updating("cookie", resized(size))
        yield accepted(f"cookie-of-{size}", "PUZ-4", "HelloRetry", content=edit)


def _of_bounds() -> Iterator[Fault]:
    """A client's own bound."""
    for difficulty in (0, 1, OWN_BOUND):
        yield accepted(f"difficulty-{difficulty}", "PUZ-3", "HelloRetry", content=changing(difficulty=difficulty))
    beyond = changing(difficulty=OWN_BOUND + 1)
    yield refused(f"difficulty-{OWN_BOUND + 1}", "PUZ-3", "HelloRetry", content=beyond)


def _asked(scene: Scene, stage: Stage, check: Callable[[RetryingServerPeer], None]) -> None:
    """The target's second ClientHello has come, and is right; then the check."""
    with scene.play(stage) as peer:
        peer.bring("wait_server_hello")
        assert isinstance(peer, RetryingServerPeer)
        check(peer)


def _twice(scene: Scene, stage: Stage) -> None:
    """A second HelloRetry."""

    def check(peer: RetryingServerPeer) -> None:
        peer.exchange_puzzle()
        peer.send_hello_retry()
        peer.expect_alert("unexpected_message", sealed=False)

    _asked(scene, stage, check)


def _signs_too_much(scene: Scene, stage: Stage) -> None:
    """The server's transcript holds the first ClientHello and HelloRetry too."""

    def check(peer: RetryingServerPeer) -> None:
        first = peer.session.client_hello
        peer.exchange_puzzle()
        retry = bytes([MessageType.HELLO_RETRY]) + build(peer.retry)
        peer.session = peer.session.but(client_hello=first + retry + peer.session.client_hello)
        peer.send_server_hello()
        peer.expect_alert("decrypt_error", sealed=False)

    _asked(scene, stage, check)


Play = Callable[[Scene, Stage], None]
_ASKING: dict[str, tuple[tuple[str, ...], str, Play]] = {
    "wrong-solution": (("PUZ-1", "HS-65"), "illegal_parameter", _unsolved),
    "one-bit-short": (("PUZ-1",), "illegal_parameter", _nearly),
    "fresh": (("PUZ-2", "PUZ-3", "HS-64"), "", _fresh),
    "transcript": (("PUZ-6", "HS-9"), "decrypt_error", _remembers_too_much),
}
_ASKED: dict[str, tuple[tuple[str, ...], str, Play]] = {
    "second-hello-retry": (("PUZ-2", "HS-18"), "unexpected_message", _twice),
    "transcript": (("PUZ-6", "HS-6"), "decrypt_error", _signs_too_much),
}
