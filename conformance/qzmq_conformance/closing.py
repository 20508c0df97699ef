"""Area `close`: ends in order and out of order, by the peer, by the target's application, and by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed, once
from qzmq_conformance.handshake import SEALING, rows_for, send_sample, stations
from qzmq_conformance.keys import policy
from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref.handshake.session import known
from qzmq_ref.registries import AlertDescription, MessageType

CLOSE_NOTIFY = bytes([AlertDescription.CLOSE_NOTIFY])
TIMEOUT = 1.0  # seconds; a policy may lower the five of SEC-2
SOON = 2.0  # seconds within which the end of an application shows, well below the five of SEC-2
READ = 0.2  # seconds
Play = Callable[[Peer], None]


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        for role in ROLES:
            scene, prefix = Scene(mode, role), f"close/{mode}/{role}"
            for name, (rules, play) in _BY_PEER.items():
                yield Case(f"{prefix}/peer/{name}", rules, partial(_established, scene, play))
            for station, state in stations(mode, role):
                play = partial(_end_of_stream, station, state)
                yield Case(f"{prefix}/end-of-stream/{state}", ("CLS-4", "SEC-4"), play)
                yield from _canceled_by_application(replace(station, alone=True), state, prefix)
            yield from _by_application(replace(scene, alone=True), prefix)
    yield from once(_timeouts)


# ---------------------------------------------------------------------- by the peer


def _established(scene: Scene, play: Play, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)
        play(peer)


def _close(peer: Peer) -> None:
    """The target answers with its own close_notify (HS-41)."""
    peer.send_sealed(MessageType.SEALED_ALERT, CLOSE_NOTIFY)
    peer.expect_alert("close_notify", sealed=True)


def _data_then_close(peer: Peer) -> None:
    """What came before the close is delivered."""
    octets = token()
    peer.send_sealed(MessageType.DATA, frame(octets))
    _close(peer)
    peer.stage.await_reached(octets)


def _close_then_data(peer: Peer) -> None:
    """What comes after it is not read."""
    sealing = known(peer.sealer)
    close = sealing.seal(MessageType.SEALED_ALERT, CLOSE_NOTIFY)
    data = sealing.seal(MessageType.DATA, frame(peer.stage.token))
    peer.link.send(b"".join(peer.header(len(message)) + message for message in (close, data)))
    peer.expect_alert("close_notify", sealed=True)


def _data_then_cut(peer: Peer) -> None:
    """A cut after whole records: they stay delivered, the target closes."""
    octets = token()
    peer.send_sealed(MessageType.DATA, frame(octets))
    peer.read_data()
    peer.link.finish_sending()
    peer.link.expect_end()
    peer.stage.await_reached(octets)


def _cut_in_a_record(peer: Peer) -> None:
    """Half a record is nothing: the target closes and sends no alert."""
    message = known(peer.sealer).seal(MessageType.DATA, frame(peer.stage.token))
    peer.link.send((peer.header(len(message)) + message)[:-1])
    peer.link.finish_sending()
    peer.expect_end()


_BY_PEER: Mapping[str, tuple[tuple[str, ...], Play]] = {
    "close": (("HS-41", "CLS-2"), _close),
    "data-then-close": (("CLS-2",), _data_then_close),
    "close-then-data": (("CLS-1",), _close_then_data),
    "data-then-cut": (("CLS-4",), _data_then_cut),
    "cut-in-a-record": (("CLS-4", "REC-9"), _cut_in_a_record),
}


def _end_of_stream(scene: Scene, state: str, stage: Stage) -> None:
    """The peer's stream ends without a word, in any state: the target closes."""
    with scene.play(stage) as peer:
        peer.bring(state)
        peer.link.finish_sending()
        peer.expect_end()


# ---------------------------------------------------------------------- by the clock


def _impatient(scene: Scene) -> Scene:
    return replace(scene, policy=replace(policy(scene.mode), handshake_timeout=TIMEOUT))


def _timeouts(mode: str) -> Iterator[Case]:
    """A peer that falls silent in each state before established, or in its greeting."""
    for role in ROLES:
        yield from _timeouts_of(Scene(mode, role), f"close/{mode}/{role}/timeout")


def _timeouts_of(scene: Scene, prefix: str) -> Iterator[Case]:
    for station, state in stations(scene.mode, scene.role):
        if state != "established":
            play = partial(_falls_silent, _impatient(station), state)
            yield Case(f"{prefix}/{state}", ("SEC-2", "CLS-5"), play, "user_canceled", waits=TIMEOUT)
    patient, impatient = partial(_silent, scene, b""), _impatient(scene)
    waits = scene.chosen.handshake_timeout
    yield Case(f"{prefix}/no-greeting-by-default", ("SEC-2",), patient, waits=waits)
    for name, rule, cut, octets in (
        ("no-greeting", "ZMTP-1", impatient, b""),
        ("half-a-greeting", "ZMTP-1", impatient, b"\xff\0\0\0\0"),
        ("half-a-greeting-raw", "RAW-1", replace(impatient, raw=True), b"QZMQ"),
    ):
        yield Case(f"{prefix}/{name}", ("SEC-2", rule), partial(_silent, cut, octets), waits=TIMEOUT)


def _falls_silent(scene: Scene, state: str, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        peer.expect_alert("user_canceled", sealed=state in SEALING)


def _silent(scene: Scene, octets: bytes, stage: Stage) -> None:
    """No whole greeting: the target closes in time and sends nothing but its own."""
    with scene.play(stage) as peer:
        peer.link.send(octets)
        peer.link.patience = scene.chosen.handshake_timeout + SOON
        peer.link.expect_end(but=scene.target_greeting)


# ---------------------------------------------------------------------- by the application


def _canceled_by_application(scene: Scene, state: str, prefix: str) -> Iterator[Case]:
    """The application closes its socket in a state before established: the row `(close)` of the table."""
    if state != "established":
        rows = tuple(row["ID"] for row in rows_for(scene.role, state, "(close)"))
        canceled = partial(_canceled, scene, state)
        yield Case(f"{prefix}/application/{state}", (*rows, "CLS-5"), canceled, "user_canceled")


def _by_application(scene: Scene, prefix: str) -> Iterator[Case]:
    """The application closes its socket before the first message, or once established: the rows of `closing`."""
    if scene.role == "client":
        yield Case(f"{prefix}/application/start", ("HS-28",), partial(_closed_at_start, scene))
    for name, (rules, play) in _CLOSING.items():
        yield Case(f"{prefix}/application/closing-{name}", ("HS-43", *rules), partial(_closing, scene, play))
    for kind in MessageType:
        label = f"{prefix}/application/closing/{kind.name.lower()}"
        rows = [row for row in rows_for(scene.role, "closing", kind.name.lower()) if not row["Guard"]]
        if not rows:
            yield Case(label, ("HS-18", "CLS-1"), partial(_closing, scene, partial(_unexpected, kind)))
        elif not rows[0]["Action"]:
            yield Case(label, (rows[0]["ID"], "CLS-3"), partial(_closing, scene, partial(_ignored, kind)))


def _canceled(scene: Scene, state: str, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        if state == "start":
            time.sleep(READ)  # a server does not show that it has read the greeting
        peer.close_application()
        peer.link.patience = SOON
        peer.expect_alert("user_canceled", sealed=state in SEALING)


def _closed_at_start(scene: Scene, stage: Stage) -> None:
    """A client that has not seen the server's greeting has nothing to take back."""
    with scene.play(stage) as peer:
        peer.link.take(len(scene.target_greeting))
        peer.close_application()
        peer.expect_end()


def _closing(scene: Scene, play: Play, stage: Stage) -> None:
    """The target said close_notify; it now only waits for the peer's."""
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)
        peer.close_application()
        kind, body = peer.read_message()
        if (kind, body) != (MessageType.SEALED_ALERT, CLOSE_NOTIFY):
            raise Failed(f"message type 0x{kind:02x} {body[:32].hex()}", "close_notify")
        play(peer)
        peer.expect_end()


def _answer(peer: Peer) -> None:
    peer.send_sealed(MessageType.SEALED_ALERT, CLOSE_NOTIFY)


def _ignored(kind: MessageType, peer: Peer) -> None:
    """What is still on its way is read and forgotten."""
    send_sample(peer, kind)
    _answer(peer)


def _end(peer: Peer) -> None:
    peer.link.finish_sending()


def _other_alert(peer: Peer) -> None:
    peer.send_sealed(MessageType.SEALED_ALERT, bytes([AlertDescription.INTERNAL_ERROR]))


_CLOSING: Mapping[str, tuple[tuple[str, ...], Play]] = {
    "answered": (("HS-45", "CLS-3"), _answer),
    "end-of-stream": (("CLS-3",), _end),
    "other-alert": (("HS-45", "ALR-4"), _other_alert),
}


def _unexpected(kind: MessageType, peer: Peer) -> None:
    """No alert follows a close_notify; the target closes."""
    send_sample(peer, kind)
