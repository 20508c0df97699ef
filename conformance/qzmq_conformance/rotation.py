"""Area `rotation`: generations. Every legal order of offer, request, ack and data; every violation, well protected."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from qzmq_conformance import rekeying
from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import changing, updating
from qzmq_conformance.faults import wrong_ciphertexts, wrong_kem_keys
from qzmq_conformance.keys import policy
from qzmq_conformance.peer import HONEST, Deviation, Edit, Peer, describe
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref.handshake.messages import KeyUpdate, KeyUpdateAck, KeyUpdateKind, build
from qzmq_ref.handshake.rekey import LAST_GENERATION
from qzmq_ref.handshake.session import known
from qzmq_ref.policy import Limits
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import requirements

Play = Callable[[Scene, Peer], None]
REKEY_STEP = 192
AGE = 2.0  # seconds; long enough for a new generation not to be due again before the case is over
WRONG_GENERATIONS = (0, 1, 3, 255)
"""What no side may ask for in generation 1."""


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        for role in ROLES:
            scene = Scene(mode, role)
            for name, (rules, play) in {**_LEGAL, **_OF_ROLE[role]}.items():
                yield Case(f"rotation/{mode}/{role}/{name}", rules, partial(_play, scene, play))
            offers = _of_offers(mode) if role == "server" else (*_of_requests(), *_of_acks(mode))
            for wrong in (*offers, *_epochs()):
                yield wrong.case(scene)
            for name, (rules, change, play) in _DUE.items():
                limited = replace(scene, policy=replace(policy(mode), limits=change))
                yield Case(f"rotation/{mode}/{role}/due/{name}", rules, partial(_play, limited, play), waits=AGE)
        play = partial(_closing, Scene(mode, "client", alone=True))
        yield Case(f"rotation/{mode}/client/closing", ("HS-47", "ROT-14"), play)
    for role in ROLES:  # 254 exchanges: only with the fastest KEM
        last = Scene("classical", role)
        yield Wrong("last-generation", "ROT-16", _after_the_last).case(last)


def _play(scene: Scene, play: Play, stage: Stage) -> None:
    """The exchange, after which the session must still be alive."""
    with scene.play(stage) as peer:
        peer.bring("established")
        play(scene, peer)
        check_alive(scene, peer)


# ---------------------------------------------------------------------- legal


def _once(scene: Scene, peer: Peer) -> None:
    check_alive(scene, peer)
    rekeying.whole_generation(peer)
    check_alive(scene, peer)
    rekeying.expect_generation(peer, 2)


def _again(scene: Scene, peer: Peer) -> None:
    for _ in range(3):
        rekeying.whole_generation(peer)
        check_alive(scene, peer)


def _steps_between(scene: Scene, peer: Peer) -> None:
    """Steps begin at 0 again (ROT-14)."""
    for _ in range(2):
        known(peer.sealer).step()
        check_alive(scene, peer)
        rekeying.whole_generation(peer)


def _data_meets_offer(_: Scene, peer: Peer) -> None:
    """Data that the client sent before it knew of the ack: the old generation holds until the new one begins."""
    octets = frame(token())
    rekeying.send_offer(peer)
    peer.send_sealed(MessageType.DATA, octets)
    rekeying.take_ack(peer)
    rekeying.expect_first_record(peer)
    if peer.read_data() != octets:
        raise Failed("something else", "the application's answer")
    rekeying.send_empty(peer)


def _step_after_offer(_: Scene, peer: Peer) -> None:
    """The old generation may even step until the new one begins."""
    rekeying.send_offer(peer)
    known(peer.sealer).step()
    peer.send_sealed(MessageType.DATA, b"")
    rekeying.take_ack(peer)
    rekeying.send_empty(peer)
    rekeying.expect_first_record(peer)


def _data_meets_request(_: Scene, peer: Peer) -> None:
    """Data behind the request is answered in the old generation, as long as there is no ack."""
    rekeying.request(peer)
    octets = frame(token())
    peer.send_sealed(MessageType.DATA, octets)
    rekeying.take_offer(peer)
    if peer.read_data() != octets:
        raise Failed("something else", "the application's answer")
    rekeying.expect_generation(peer, 1)
    rekeying.send_ack(peer)
    rekeying.send_empty(peer)
    rekeying.expect_first_record(peer)


def _second_request(_: Scene, peer: Peer) -> None:
    """A request that meets an offer is ignored: one offer, and no more after the ack."""
    rekeying.request(peer)
    rekeying.request(peer)
    rekeying.take_offer(peer)
    rekeying.send_ack(peer)
    rekeying.send_empty(peer)
    rekeying.expect_first_record(peer)


def _fresh(_: Scene, peer: Peer) -> None:
    """No two offers, or answers, have a part of a key in common."""
    first, second = (rekeying.whole_generation(peer) for _round in range(2))
    if {first[:32], first[-32:]} & {second[:32], second[-32:]}:
        raise Failed("the same KEM key in two offers, or ciphertext in two answers", "fresh ones")


_LEGAL: dict[str, tuple[tuple[str, ...], Play]] = {
    "once": (("ROT-8", "ROT-14", "KS-8", "REC-10"), _once),
    "again": (("ROT-8", "ROT-14"), _again),
    "steps-between": (("ROT-14", "ROT-3"), _steps_between),
    "fresh": (("ROT-13",), _fresh),
}
_OF_ROLE: dict[str, dict[str, tuple[tuple[str, ...], Play]]] = {
    "server": {
        "data-meets-offer": (("ROT-14", "HS-55"), _data_meets_offer),
        "step-after-offer": (("ROT-14", "ROT-12"), _step_after_offer),
    },
    "client": {
        "data-meets-request": (("ROT-10", "HS-52", "HS-53"), _data_meets_request),
        "second-request": (("ROT-10", "HS-51"), _second_request),
    },
}


# ---------------------------------------------------------------------- due


def _asks(_: Scene, peer: Peer) -> None:
    """The target asks of its own accord: a client offers, a server requests; it has only one open."""
    if peer.session.configuration.role == "client":
        message: KeyUpdate = peer.read(MessageType.KEY_UPDATE)
        if (message.kind, message.generation) != (KeyUpdateKind.REQUEST, 2):
            raise Failed(str(message), "a request for generation 2")
        _check_patient(peer)
        rekeying.send_offer(peer)
        rekeying.take_ack(peer)
    else:
        rekeying.take_offer(peer)
        _check_patient(peer)
        rekeying.send_ack(peer)
    rekeying.send_empty(peer)
    rekeying.expect_first_record(peer)


def _check_patient(peer: Peer) -> None:
    """Until it is answered, the target does not ask again."""
    if not peer.link.is_silent(0.6):
        raise Failed(peer.link.unread[:32].hex(), "nothing while what it asked for is open")


def _asks_in_time(scene: Scene, peer: Peer) -> None:
    peer.link.patience += AGE
    _asks(scene, peer)


def _asks_after_steps(scene: Scene, peer: Peer) -> None:
    for _ in range(REKEY_STEP):
        known(peer.sealer).step()
        peer.send_sealed(MessageType.DATA, b"")
    _asks(scene, peer)


_DUE: dict[str, tuple[tuple[str, ...], Limits, Play]] = {
    "by-age": (("ROT-15", "HS-50", "HS-54", "ROT-9", "ROT-11"), Limits(generation_seconds=AGE), _asks_in_time),
    "by-steps": (("ROT-15",), Limits(step_seconds=599.0), _asks_after_steps),
}
"""A policy that differs from the default is looked after every second, not every minute."""


# ---------------------------------------------------------------------- wrong


@dataclass(frozen=True)
class Wrong:
    """An exchange that must end with the alert of its requirement. `play` leads up to it, and sends what is wrong."""

    name: str
    requirement: str
    play: Play
    deviation: Deviation = HONEST

    @property
    def alert(self) -> str:
        """What the requirement's sentence names."""
        return requirements()[self.requirement].alerts[0]

    def case(self, scene: Scene) -> Case:
        """In one mode and role."""
        label = f"rotation/{scene.mode}/{scene.role}/{self.name}"
        return Case(label, (self.requirement, "ALR-2"), partial(self._play, scene), self.alert)

    def _play(self, scene: Scene, stage: Stage) -> None:
        with scene.play(stage, self.deviation) as peer:
            peer.bring("established")
            check_alive(scene, peer)
            self.play(scene, peer)
            peer.expect_alert(self.alert, sealed=True)


def _changed(name: str, requirement: str, play: Callable[[Peer], object], structure: str, content: Edit) -> Wrong:
    def lead(_: Scene, peer: Peer) -> None:
        play(peer)

    return Wrong(name, requirement, lead, Deviation(structure, content=content))


def _acknowledge(peer: Peer) -> None:
    """All of an exchange that the target's client takes part in, up to the ack."""
    rekeying.request(peer)
    rekeying.take_offer(peer)
    rekeying.send_ack(peer)


def _of_offers(mode: str) -> Iterator[Wrong]:
    """What a client may not offer."""
    request = KeyUpdate(KeyUpdateKind.REQUEST, 2, b"")
    yield _changed("request-by-client", "ROT-7", rekeying.send_offer, "KeyUpdate", lambda _: request)
    for generation in WRONG_GENERATIONS:
        edit = changing(generation=generation)
        yield _changed(f"offer-of-{generation}", "ROT-8", rekeying.send_offer, "KeyUpdate", edit)
    for name, _, change in wrong_kem_keys(mode):
        yield _changed(f"offer-{name}", "ROT-12", rekeying.send_offer, "KeyUpdate", updating("body", change))
    yield Wrong("offer-twice", "ROT-9", _offer_twice)


def _offer_twice(_: Scene, peer: Peer) -> None:
    """A second offer before the first has its ack: for the server, one of its present generation."""
    rekeying.send_offer(peer)
    peer.send_sealed(MessageType.KEY_UPDATE, peer.session.offer)
    rekeying.take_ack(peer)


def _of_requests() -> Iterator[Wrong]:
    """What a server may not ask for."""
    offer = changing(kind=KeyUpdateKind.OFFER, body=b"no key of a server")
    yield _changed("offer-by-server", "ROT-7", rekeying.request, "KeyUpdate", offer)
    for generation in WRONG_GENERATIONS:
        edit = changing(generation=generation)
        yield _changed(f"request-of-{generation}", "ROT-11", rekeying.request, "KeyUpdate", edit)


def _of_acks(mode: str) -> Iterator[Wrong]:
    """What a server may not answer an offer with."""
    for generation in WRONG_GENERATIONS:
        edit = changing(generation=generation)
        yield _changed(f"ack-of-{generation}", "ROT-8", _acknowledge, "KeyUpdateAck", edit)
    for name, _, change in wrong_ciphertexts(mode):
        yield _changed(f"ack-{name}", "ROT-13", _acknowledge, "KeyUpdateAck", updating("kem_ciphertext", change))
    yield Wrong("ack-twice", "HS-18", _acknowledge_twice)


def _acknowledge_twice(_: Scene, peer: Peer) -> None:
    """The offer is no longer open."""
    _acknowledge(peer)
    again = KeyUpdateAck(peer.session.generation + 1, peer.stage.token)
    peer.send_sealed(MessageType.KEY_UPDATE_ACK, build(again))


def _entered(scene: Scene, peer: Peer) -> None:
    """The target has sent or taken the ack, and expects the first record of generation 2."""
    if scene.role == "client":
        _acknowledge(peer)
    else:
        rekeying.send_offer(peer)
        rekeying.take_ack(peer)


def _epochs() -> Iterator[Wrong]:
    """Records after the ack that do not begin the new generation as they should (ROT-14)."""

    def sends(**header: int) -> Play:
        def play(scene: Scene, peer: Peer) -> None:
            _entered(scene, peer)
            peer.send_sealed(MessageType.DATA, frame(peer.stage.token), **header)

        return play

    for epoch in (0x0201, 0x02FF, 0x0300):
        yield Wrong(f"first-epoch-0x{epoch:04x}", "ROT-14", sends(epoch=epoch))
    yield Wrong("back", "ROT-14", _back)
    yield Wrong("old-key", "REC-8", _old_key)
    yield Wrong("first-record-step-1", "ROT-14", _first_step)


def _back(scene: Scene, peer: Peer) -> None:
    """The new generation has begun, and then a record of the old one."""
    old = known(peer.sealer).key
    _entered(scene, peer)
    rekeying.send_empty(peer)
    known(peer.sealer).key = old
    peer.send_sealed(MessageType.DATA, frame(peer.stage.token))


def _old_key(scene: Scene, peer: Peer) -> None:
    """The epoch of the new generation under the key of the old one."""
    old = known(peer.sealer).key
    _entered(scene, peer)
    epoch, known(peer.sealer).key = known(peer.sealer).key.epoch, old
    peer.send_sealed(MessageType.DATA, frame(peer.stage.token), epoch=epoch)


def _first_step(scene: Scene, peer: Peer) -> None:
    _entered(scene, peer)
    known(peer.sealer).step()
    peer.send_sealed(MessageType.DATA, frame(peer.stage.token))


def _after_the_last(_: Scene, peer: Peer) -> None:
    """Every generation there is, then one more: it would be number 0."""
    while peer.session.generation < LAST_GENERATION:
        rekeying.whole_generation(peer)
    kind = KeyUpdateKind.OFFER if peer.session.configuration.role == "client" else KeyUpdateKind.REQUEST
    peer.send_sealed(MessageType.KEY_UPDATE, build(KeyUpdate(kind, 0, b"")))


# ---------------------------------------------------------------------- closing


def _closing(scene: Scene, stage: Stage) -> None:
    """The application closes while an offer has no ack: the ack is still taken, and the close that follows it is of
    the new generation."""
    with scene.play(stage) as peer:
        peer.bring("established")
        rekeying.request(peer)
        rekeying.take_offer(peer)
        peer.close_application()
        close = (MessageType.SEALED_ALERT, bytes([AlertDescription.CLOSE_NOTIFY]))
        if (found := peer.read_message()) != close:
            raise Failed(describe(*found), "close_notify")
        rekeying.send_ack(peer)
        peer.send_sealed(*close)
        peer.expect_end()
