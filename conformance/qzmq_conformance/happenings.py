"""Area `events`: what the target tells of its connections, by the verb `events`, is what happened on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance import faults, rekeying
from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import CARRIERS, Fault, refused
from qzmq_conformance.keys import key
from qzmq_conformance.peer import Peer
from qzmq_conformance.returning import Returning, close
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application, token
from qzmq_ref import z85
from qzmq_ref.handshake.session import known
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import requirements

EVENTS = ("events",)
INTERNAL_ERROR = bytes([AlertDescription.INTERNAL_ERROR])
Forgery = Callable[[Peer], None]
"""Sends a record that an established target must refuse."""


def cases() -> Iterator[Case]:
    """What succeeded in every mode; what was refused, and how it ended, in one."""
    for role in ROLES:
        for mode in MODES:
            scene = Scene(mode, role, mutual=True, alone=True, features=EVENTS)
            yield Case(f"events/{mode}/{role}/established", ("HS-3", "PAT-5"), partial(_established, scene))
        scene, prefix = Scene("hybrid", role, alone=True, features=EVENTS), f"events/hybrid/{role}"
        back = Returning("hybrid", role, alone=True, features=EVENTS)
        yield Case(f"{prefix}/resumed", ("RES-11",), partial(_resumed, back))
        counting = replace(scene, features=(*EVENTS, "rekey"))
        yield Case(f"{prefix}/counters", ("ROT-2", "ROT-8"), partial(_counted, counting))
        for fault, told_by in _refusals(scene):
            name, rules = fault.requirement, (fault.requirement, "SEC-9")
            yield Case(f"{prefix}/sends/{name}", rules, partial(_refuses, told_by, fault), fault.alert)
        for name, forge in _FORGERIES.items():
            (alert,) = set(requirements()[name].alerts)
            play = partial(_refuses_record, scene, name, forge, alert)
            yield Case(f"{prefix}/sends/{name}", (name, "SEC-9"), play, alert)
        yield Case(f"{prefix}/receives", ("ALR-5",), partial(_receives, scene))
        yield Case(f"{prefix}/closed", ("CLS-2",), partial(_closed, scene))
        yield Case(f"{prefix}/truncated", ("CLS-4",), partial(_truncated, scene))


# ---------------------------------------------------------------------- what succeeded


def _established(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        suite = str(known(peer.session.suite)).lower()
        pin = z85.encode(key(scene.who, scene.chosen.signature).pin).decode()
        _expect(application, "established", suite=suite, mode=scene.mode, peer=pin, resumed=False)


def _resumed(scene: Returning, stage: Stage) -> None:
    """The second session of two."""
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        _expect(application, "established", resumed=False)
        _expect(application, "established", resumed=True)


def _counted(scene: Scene, stage: Stage) -> None:
    """Octets, a step of the peer, a generation; and nothing is told twice."""
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        known(peer.sealer).step()
        check_alive(scene, peer)
        rekeying.whole_generation(peer)
        check_alive(scene, peer)
        application.await_event("established")
        found = {name: application.counters[name] for name in ("steps_received", "generations")}
        if found != (expected := {"steps_received": 1, "generations": 1}):
            raise Failed(str(found), str(expected))
        octets, carried = 3 * len(token()), {application.counters[name] for name in ("octets_sent", "octets_received")}
        if not all(octets <= each < 2 * octets for each in carried):
            raise Failed(f"octets: {carried}", f"about {octets}, with what frames and routes them")


# ---------------------------------------------------------------------- what was refused


def _refusals(scene: Scene) -> Iterator[tuple[Fault, Scene]]:
    """One fault for each requirement of a handshake that this role enforces, and the scene it is played in."""
    mode = scene.mode
    if scene.role == "server":
        found = {each.requirement: each for each in (*faults.of_client_hello(mode), *faults.of_client_key(mode))}
        stranger = refused("stranger", "CERT-4", "ClientAuth")
    else:
        found = {each.requirement: each for each in (*faults.of_server_hello(mode), *faults.of_finished())}
        stranger = refused("stranger", "CERT-3", "ServerHello")
    yield from ((fault, scene) for fault in found.values() if fault.alert and not fault.opaque)
    yield stranger, replace(scene, who="stranger", mutual=True)


def _refuses(scene: Scene, fault: Fault, stage: Stage) -> None:
    with scene.play(stage, fault.deviation) as peer:
        state, sealed = CARRIERS[fault.deviation.structure]
        peer.bring(state)
        peer.speak(state)
        peer.expect_alert(fault.alert, sealed=sealed if fault.sealed is None else fault.sealed)
        _expect(known(peer.application), "alert", direction="sent", alert=fault.alert, requirement=fault.requirement)


def _refuses_record(scene: Scene, rule: str, forge: Forgery, alert: str, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring("established")
        forge(peer)
        peer.expect_alert(alert, sealed=True)
        _expect(known(peer.application), "alert", direction="sent", alert=alert, requirement=rule)


def _data(peer: Peer, **header: int) -> None:
    peer.send_sealed(MessageType.DATA, frame(peer.stage.token), **header)


def _wrong_tag(peer: Peer) -> None:
    record = known(peer.sealer).seal(MessageType.DATA, frame(peer.stage.token))
    peer.send_message(record[:-1] + bytes([record[-1] ^ 1]))


_FORGERIES: Mapping[str, Forgery] = {
    "REC-4": partial(_data, flags=2),
    "REC-5": partial(_data, stream_id=2),
    "REC-6": partial(_data, seq=7),
    "REC-7": partial(_data, epoch=0x0102),
    "REC-8": _wrong_tag,
}


# ---------------------------------------------------------------------- how it ended


def _receives(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        peer.send_sealed(MessageType.SEALED_ALERT, INTERNAL_ERROR)
        _expect(application, "alert", direction="received", alert="internal_error")


def _closed(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        close(peer)
        _expect(application, "ended", reason="closed")


def _truncated(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        application = _alive(scene, peer)
        peer.link.finish_sending()
        _expect(application, "ended", reason="truncated")


def _alive(scene: Scene, peer: Peer) -> Application:
    peer.bring("established")
    check_alive(scene, peer)
    return known(peer.application)


def _expect(application: Application, name: str, **facts: object) -> None:
    """The next event of that name says this."""
    event = application.await_event(name)
    found = {fact: event.get(fact) for fact in facts}
    if found != facts:
        raise Failed(f"{name}: {found}", str(facts))
