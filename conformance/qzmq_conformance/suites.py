"""Area `suites`: every suite of every mode works, and the one that is chosen is the one the rules choose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.scene import ROLES, Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.grease import VALUES as GREASE
from qzmq_ref.handshake.messages import ClientHello, parse_body
from qzmq_ref.policy import Policy, modes
from qzmq_ref.registries import AeadId, CipherSuite, HashId, MessageType

HASHES = (HashId.SHA_256, HashId.SHA_384, HashId.SHA_512)


def cases() -> Iterator[Case]:
    """Every suite in both roles with mutual authentication; choices among several."""
    for mode in MODES:
        for suite in suites_of(mode):
            for role in ROLES:
                scene = Scene(mode, role, mutual=True, policy=Policy((suite,), mode=mode))
                label = f"suites/{mode}/{role}/{str(suite).lower().replace('/', '+')}"
                yield Case(label, ("REG-3", "KS-2", "KS-3", "KS-4", "POL-4"), partial(_whole, scene))
        few = several(mode)
        for count in range(1, len(few) + 1):
            for role, play in (("server", _server_chooses), ("client", _client_offers)):
                scene = Scene(mode, role, policy=Policy(few, mode=mode))
                yield Case(f"suites/{mode}/{role}/choice-{count}", ("HS-3", "POL-2"), partial(play, scene, count))


def suites_of(mode: str) -> list[CipherSuite]:
    """All suites that belong to a mode."""
    row = modes()[mode]
    return [CipherSuite(*parts) for parts in product(sorted(row.kems), sorted(row.signatures), AeadId, HASHES)]


def several(mode: str) -> tuple[CipherSuite, ...]:
    """Suites of one mode that one key can sign, in an order that is not that of their numbers."""
    suites = suites_of(mode)
    same_key = [suite for suite in suites if suite.sig == suites[0].sig]
    return tuple(same_key[::-2])


def _whole(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)


def _server_chooses(scene: Scene, count: int, stage: Stage) -> None:
    """Of the last `count` suites of its policy, offered the other way round, the server takes its own first."""
    offered = scene.chosen.suites[-count:]
    scene = replace(scene, peer_policy=Policy(offered[::-1], mode=scene.mode))
    with scene.play(stage) as peer:
        peer.bring("wait_client_key")
        if peer.session.suite != offered[0]:
            raise Failed(f"suite {peer.session.suite}", str(offered[0]))


def _client_offers(scene: Scene, count: int, stage: Stage) -> None:
    """The client offers its whole policy in its order, GREASE apart, and accepts whichever the server takes."""
    chosen = scene.chosen.suites[-count]
    scene = replace(scene, peer_policy=Policy((chosen,), mode=scene.mode))
    with scene.play(stage) as peer:
        peer.bring("wait_server_hello")
        hello: ClientHello = parse_body(MessageType.CLIENT_HELLO, peer.session.client_hello[1:])
        if (offered := _without_grease(hello.suites)) != scene.chosen.suites:
            raise Failed(f"suites {', '.join(map(str, offered))}", ", ".join(map(str, scene.chosen.suites)))
        for step in peer.steps()[1:]:
            step()
        check_alive(scene, peer)


def _without_grease(suites: Sequence[CipherSuite]) -> tuple[CipherSuite, ...]:
    grease = [CipherSuite(value, value, value, value) for value in GREASE]
    return tuple(suite for suite in suites if suite not in grease)
