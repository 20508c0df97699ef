"""Area `early`: early data, released once or not at all, by a target that takes it and by one that sends it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import changing, flip
from qzmq_conformance.peer import Deviation, Peer, describe
from qzmq_conformance.resumption import expect_resumed
from qzmq_conformance.returning import CLOSE_NOTIFY, Returning, early
from qzmq_conformance.roles import ClientPeer, Early, ServerPeer
from qzmq_conformance.scene import Meet, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref.handshake.messages import EarlyDataAnswer, EarlyDataStatus, build
from qzmq_ref.handshake.outputs import EarlyAnswered
from qzmq_ref.handshake.session import known
from qzmq_ref.handshake.tickets import EARLY_STREAM, MAX_EARLY_OCTETS, MAX_EARLY_RECORDS
from qzmq_ref.records import HEADER, OVERHEAD
from qzmq_ref.registries import Extension, ExtensionType, MessageType

Records = Callable[[bytes], tuple[Early, ...]]
"""Makes the early records of a case, for application octets that must not arrive."""

SMALL = 20  # octets
PAUSE = 0.6  # seconds
NOTICED = 0.25  # seconds
TRIES = 8


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        server = Returning(mode, "server", early_data=True)
        others = {
            "accepted": server,
            "rejected": replace(server, elsewhere=Returning(mode, "server")),
            "unknown": replace(server, forgotten=True),
        }
        for status, scene in others.items():
            yield from _bounds(scene, status)
            yield from _counts(scene, status)
            if status != "accepted":
                play = partial(_discarded, scene, status)
                yield Case(f"early/{mode}/server/{status}/discarded", ("RES-15", "RES-16", "RES-17", "HS-71"), play)
        for name, count in (("one-record", 1), ("three-records", 3), ("most-records", MAX_EARLY_RECORDS)):
            play = partial(_accepted, server, count)
            yield Case(f"early/{mode}/server/accepted/{name}", ("RES-14", "RES-15", "RES-16", "HS-70"), play)
        yield Case(f"early/{mode}/server/accepted/most-octets", ("RES-14",), partial(_most_octets, server))
        for name, (rules, alert, records) in _WRONG.items():
            yield Case(f"early/{mode}/server/{name}", rules, partial(_wrong, server, alert, records), alert)
        play = partial(_after_client_key, server)
        yield Case(f"early/{mode}/server/after-client-key", ("REC-5", "RES-14"), play, "illegal_parameter")
        play = partial(_unannounced, replace(server, early_data=False))
        yield Case(f"early/{mode}/server/unannounced", ("REC-1", "RES-16"), play, "unexpected_message")
        play = partial(_replayed, replace(server, alone=True))
        yield Case(f"early/{mode}/server/replayed", ("RES-4", "RES-16", "RES-15"), play)
        yield from _with_puzzle(replace(server, retry=True))
        yield from _of_client(mode)


# ---------------------------------------------------------------------- the target is the server


def announce(peer: Peer, *records: Early) -> ClientPeer:
    assert isinstance(peer, ClientPeer)
    peer.offer(known(peer.session.offered), *records)
    return peer


def expect_status(peer: Peer, expected: str) -> None:
    (status,) = [output.status for output in peer.session.outputs if isinstance(output, EarlyAnswered)]
    if status != {"unknown": "undetermined"}.get(expected, expected):
        raise Failed(f"early data {status}", expected)


def _expect_data(peer: Peer, octets: bytes) -> None:
    """The next application octets of the target are these."""
    received = b""
    while len(received) < len(octets):
        received += peer.read_data()
    if received != octets:
        raise Failed(received[:64].hex(), octets[:64].hex())


def _accepted(scene: Returning, count: int, stage: Stage) -> None:
    """Octets in as many records, in order, reach the application, whose answer follows the handshake."""
    octets = frame(token() + bytes(100))
    size = -(-len(octets) // count)
    with scene.play(stage) as peer:
        announce(peer, *(early(octets[at : at + size]) for at in range(0, count * size, size)))
        peer.bring("established")
        expect_resumed(peer, True)
        expect_status(peer, "accepted")
        _expect_data(peer, octets)
        check_alive(scene, peer)


def _most_octets(scene: Returning, stage: Stage) -> None:
    octets = frame(token() + bytes(MAX_EARLY_OCTETS - len(frame(bytes(256))) - len(token()) + 256))
    assert len(octets) == MAX_EARLY_OCTETS
    with scene.play(stage) as peer:
        announce(peer, early(octets))
        peer.bring("established")
        _expect_data(peer, octets)
        check_alive(scene, peer)


def _discarded(scene: Returning, status: str, stage: Stage) -> None:
    """Not one octet reaches the application, not even junk ends the session, and the count is still right."""
    with scene.play(stage) as peer:
        announce(peer, early(frame(stage.token)), _junk, early(b""))
        peer.bring("established")
        expect_resumed(peer, status == "rejected")
        expect_status(peer, status)
        check_alive(scene, peer)
        stage.check_unreached()


def _junk(_: object) -> bytes:
    """A record that nobody can open."""
    return HEADER.pack(MessageType.DATA, 0, 0, EARLY_STREAM, 7) + bytes(100)


def _bounds(scene: Returning, status: str) -> Iterator[Case]:
    """One record or one octet too many."""
    beyond: dict[str, Records] = {
        "records": lambda _: (early(b""),) * (MAX_EARLY_RECORDS + 1),
        "octets": lambda octets: (early(octets + bytes(MAX_EARLY_OCTETS + 1 - len(octets))),),
        "octets-in-two": lambda _: (early(bytes(MAX_EARLY_OCTETS)), early(b"\0")),
    }
    rules = ("RES-14",) if status == "accepted" else ("RES-14", "RES-17")
    for name, records in beyond.items():
        label = f"early/{scene.mode}/server/{status}/too-many-{name}"
        yield Case(label, rules, partial(_wrong, scene, "unexpected_message", records), "unexpected_message")


def _counts(scene: Returning, status: str) -> Iterator[Case]:
    """An `early_count` that is not the number of records."""
    for count in (0, 1, 3):
        label = f"early/{scene.mode}/server/{status}/count-{count}-of-2"
        yield Case(label, ("HS-15", "RES-17"), partial(_miscounted, scene, count), "illegal_parameter")


def _miscounted(scene: Returning, count: int, stage: Stage) -> None:
    with scene.play(stage, Deviation("ClientAuth", content=changing(early_count=count))) as peer:
        announce(peer, early(b""), early(b""))
        peer.bring("wait_client_key")
        peer.speak("wait_client_key")
        peer.expect_alert("illegal_parameter", sealed=True)


def _wrong(scene: Returning, alert: str, records: Records, stage: Stage) -> None:
    """A record that ends the session before ClientKey. The ServerHello is on its way by then."""
    with scene.play(stage) as peer:
        announce(peer, *records(frame(stage.token)))
        peer.bring("wait_client_key")
        peer.expect_alert(alert, sealed=False)


def _altered(octets: bytes) -> tuple[Early, ...]:
    return (lambda sealing: flip(-1)(early(octets)(sealing)),)


_WRONG: dict[str, tuple[tuple[str, ...], str, Records]] = {
    "bad-tag": (("RES-16", "REC-8"), "bad_record_mac", _altered),
    "repeated": (("REC-6",), "unexpected_message", lambda octets: (early(b""), early(octets, seq=0))),
    "gap": (("REC-6",), "unexpected_message", lambda octets: (early(octets, seq=1),)),
    "generation-1": (("REC-7",), "illegal_parameter", lambda octets: (early(octets, epoch=0x0100),)),
    "data-stream": (("REC-1",), "unexpected_message", lambda octets: (early(octets, stream_id=1),)),
}


def _after_client_key(scene: Returning, stage: Stage) -> None:
    """The stream of early data on an established session."""
    with scene.play(stage) as peer:
        peer.bring("established")
        peer.send_sealed(MessageType.DATA, frame(stage.token), stream_id=EARLY_STREAM)
        peer.expect_alert("illegal_parameter", sealed=True)


def _unannounced(scene: Returning, stage: Stage) -> None:
    """Early records without early_data in ClientHello."""
    with scene.play(stage) as peer:
        assert isinstance(peer, ClientPeer)
        peer.early = (early(frame(stage.token)),)
        peer.bring("wait_client_key")
        peer.expect_alert("unexpected_message", sealed=False)


def _replayed(scene: Returning, stage: Stage) -> None:
    """The whole first flight, sent again by somebody who saw it: no octet is released a second time."""
    octets = token()
    with scene.meetings(stage) as meet:
        prepare = scene.first(meet)
        with meet() as peer:
            prepare(peer)
            peer = announce(peer, early(frame(octets)))
            peer.bring("wait_client_key")
            expect_status(peer, "accepted")
            flight = [entry.octets for entry in stage.entries if entry.sender == "peer" and entry.framed][-2:]
            peer.exchange_keys()
            _expect_data(peer, frame(octets))
            application = known(peer.application)
        _replay(meet, prepare, flight)
        while (message := application.take()).parts[-1] != octets:
            pass  # of the first session
        try:
            message = application.take(within=0.2)
        except Failed:
            return
        raise Failed(f"the application got {message.parts[-1]!r} again", "nothing more")


def _replay(meet: Meet, prepare: Callable[[Peer], None], flight: list[bytes]) -> None:
    """The attacker has no key: ServerHello is as far as it gets. It names the data's fate (RES-15)."""
    with meet() as peer:
        prepare(peer)
        peer.bring("start")
        for message in flight:
            peer.send_message(message)
        assert isinstance(peer, ClientPeer)
        peer.session = peer.session.but(client_hello=flight[0], early=b"announced")
        peer.read_server_hello()
        expect_resumed(peer, False)
        expect_status(peer, "unknown")


def _with_puzzle(scene: Returning) -> Iterator[Case]:
    """Early records that meet a HelloRetry: forgotten, within the same bounds."""
    prefix = f"early/{scene.mode}/server/puzzle"
    yield Case(f"{prefix}/discarded", ("RES-19", "PUZ-4", "HS-72"), partial(_forgotten, scene))
    for name, records in {"records": (early(b""),) * (MAX_EARLY_RECORDS + 1), "octets": (_large,)}.items():
        play = partial(_too_many_before, scene, records)
        yield Case(f"{prefix}/too-many-{name}", ("RES-14", "HS-72"), play, "unexpected_message")


def _large(_: object) -> bytes:
    return HEADER.pack(MessageType.DATA, 0, 0, EARLY_STREAM, 0) + bytes(MAX_EARLY_OCTETS + 1 + OVERHEAD - HEADER.size)


def _forgotten(scene: Returning, stage: Stage) -> None:
    with scene.play(stage) as peer:
        announce(peer, early(frame(stage.token)), _junk)
        peer.bring("established")
        expect_resumed(peer, True)
        check_alive(scene, peer)
        stage.check_unreached()


def _too_many_before(scene: Returning, records: tuple[Early, ...], stage: Stage) -> None:
    with scene.play(stage) as peer:
        announce(peer, *records)
        peer.bring("wait_second_client_hello")
        peer.expect_alert("unexpected_message", sealed=False)


# ---------------------------------------------------------------------- the target is the client


@dataclass(frozen=True)
class Speaking(Returning):
    """A scene whose target, a client, has something to say between its two sessions."""

    reconnect_ivl: ClassVar[int] = int(1000 * PAUSE)
    """Time enough for the application to speak before the client comes back."""

    def between(self, peer: Peer) -> None:
        """The application says the case's octets, when libzmq has noticed that the first session is over."""
        time.sleep(NOTICED)
        known(peer.application).send(peer.stage.token)


def _of_client(mode: str) -> Iterator[Case]:
    """Each answer of a server to early data."""
    client = Speaking(mode, "client", early_data=True)
    generous = Deviation("NewTicket", content=changing(early_octets=MAX_EARLY_OCTETS))
    frugal = replace(client, peer_policy=replace(client.chosen, early_data=False))
    small = Deviation("NewTicket", content=changing(early_octets=SMALL))
    scenes: dict[str, tuple[tuple[str, ...], Speaking, Any]] = {
        "accepted": (("RES-14", "RES-18", "HS-15"), client, _spoke_early),
        "rejected": (("RES-18",), replace(frugal, issued=generous), _speaks_again),
        "unknown": (("RES-18",), replace(client, forgotten=True), _does_not_repeat),
        "puzzle": (("RES-19", "RES-18", "PUZ-4"), replace(client, retry=True), _does_not_repeat),
        "not-allowed": (("RES-14",), frugal, _speaks_later),
        "not-wanted": (("RES-14",), replace(client, early_data=False, issued=generous), _speaks_later),
        "small": (("RES-14",), replace(client, issued=small), _speaks_within),
    }
    for name, (rules, scene, play) in scenes.items():
        yield Case(f"early/{mode}/client/{name}", rules, partial(_insist, partial(play, scene)), waits=PAUSE)
    for status in (EarlyDataStatus.ACCEPTED, EarlyDataStatus.REJECTED):
        play = partial(_insist, partial(_answered_without_ticket, replace(client, forgotten=True), status))
        label = f"early/{mode}/client/{status.name.lower()}-without-ticket"
        yield Case(label, ("RES-15", "ALR-1"), play, "illegal_parameter", waits=PAUSE)


class NotEarly(Failed):
    """The application's octets missed the first flight, which no rule forbids."""


def _insist(play: Callable[[Stage], None], stage: Stage) -> None:
    """Plays until the target had something to say early, a few times at most."""
    for _ in range(TRIES - 1):
        try:
            play(stage)
        except NotEarly:
            continue
        return
    play(stage)


def _answered_without_ticket(scene: Speaking, status: EarlyDataStatus, stage: Stage) -> None:
    """Early data accepted or rejected by a server that did not take the ticket."""
    answer = Extension(ExtensionType.EARLY_DATA, build(EarlyDataAnswer(status)))
    with scene.play(stage, Deviation("ServerHello", content=changing(extensions=(answer,)))) as peer:
        peer.bring("wait_server_hello")
        if peer.session.early_status is None:
            raise NotEarly("no early data", "some")
        peer.speak("wait_server_hello")
        peer.expect_alert("illegal_parameter", sealed=False)


def _established(peer: Peer) -> tuple[int, bytes]:
    """The second session; the number of early records, and what was in them if the server took them."""
    peer.bring("established")
    assert isinstance(peer, ServerPeer)
    return peer.early_seen, b"".join(peer.early)


def _expect_early(found: tuple[int, bytes], octets: bytes) -> None:
    if not found[0]:
        raise NotEarly("no early data", "some")
    if found[1] != octets:
        raise Failed(f"early data {found[1].hex()}", octets.hex())


def _spoke_early(scene: Speaking, stage: Stage) -> None:
    """What the application said came early, and does not come again."""
    with scene.play(stage) as peer:
        _expect_early(_established(peer), frame(stage.token))
        check_alive(scene, peer)


def _speaks_again(scene: Speaking, stage: Stage) -> None:
    """The server took the ticket, so nobody else can release these octets: they come again."""
    with scene.play(stage) as peer:
        _expect_early(_established(peer), b"")
        _expect_data(peer, frame(stage.token))
        check_alive(scene, peer)


def _does_not_repeat(scene: Speaking, stage: Stage) -> None:
    """Nobody knows what became of the octets: they do not come again before anything else, whether the session goes on
    or not."""
    with scene.play(stage) as peer:
        _expect_early(_established(peer), b"")
        octets = frame(token())
        peer.send_sealed(MessageType.DATA, octets)
        answered = b""
        while answered != octets and (found := peer.read_message()) != (MessageType.SEALED_ALERT, CLOSE_NOTIFY):
            kind, body = found
            answered += body
            if kind != MessageType.DATA or not octets.startswith(answered):
                raise Failed(describe(kind, body), "the answer to what the peer said later, or close_notify")


def _speaks_later(scene: Speaking, stage: Stage) -> None:
    """No early data; the octets come once the session is established."""
    with scene.play(stage) as peer:
        records, _ = _established(peer)
        if records:
            raise Failed(f"{records} early records", "none")
        _expect_data(peer, frame(stage.token))
        check_alive(scene, peer)


def _speaks_within(scene: Speaking, stage: Stage) -> None:
    """No more early octets than the ticket allows; every octet comes once."""
    with scene.play(stage) as peer:
        _, octets = _established(peer)
        if len(octets) > SMALL:
            raise Failed(f"{len(octets)} early octets", f"at most {SMALL}")
        _expect_data(peer, frame(stage.token)[len(octets) :])
        check_alive(scene, peer)
