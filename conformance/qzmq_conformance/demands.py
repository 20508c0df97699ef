"""What the target's application asks of its sessions: keys in the middle of traffic, keying material, no ticket."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from qzmq_conformance import rekeying
from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.peer import Peer
from qzmq_conformance.returning import close
from qzmq_conformance.roles import ServerPeer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application, token
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.messages import ClientHello, KeyUpdate, KeyUpdateKind, parse_body
from qzmq_ref.handshake.session import known
from qzmq_ref.registries import ExtensionType, MessageType

STEPS = 3
MESSAGES = 4  # before, between and after what is asked for
EXPORTS = (("EXPERIMENTAL qzmq conform", b"", 32), ("x", b"context", 1), ("x" * 249, bytes(300), 255))


def cases() -> Iterator[Case]:
    """Both roles; generations and keying material in every mode, for they follow from its algorithms."""
    for role in ROLES:
        step = _scene("hybrid", role, "rekey_on_demand")
        yield Case(f"rotation/hybrid/{role}/on-demand/steps", ("ROT-2", "ROT-3"), partial(_steps, step))
        withheld = partial(_withheld, _scene("hybrid", role, "export"))
        yield Case(f"exporter/hybrid/{role}/withheld", ("KS-6",), withheld)
        for mode in MODES:
            generation = partial(_generation, _scene(mode, role, "rekey_on_demand", "rekey"))
            yield Case(f"rotation/{mode}/{role}/on-demand/generation", ("ROT-8", "ROT-14"), generation)
            exporter = partial(_exporter, _scene(mode, role, "export"))
            yield Case(f"exporter/{mode}/{role}/equal", ("KS-6",), exporter)
    resumption = _scene("hybrid", "client", "resume_on_demand", "resumption")
    yield Case("resumption/hybrid/client/on-demand", ("RES-7", "RES-11"), partial(_on_demand, resumption))


def _scene(mode: str, role: str, *features: str) -> Scene:
    return Scene(mode, "server" if role == "server" else "client", alone=True, features=features)


# ---------------------------------------------------------------------- rekey


def _steps(scene: Scene, stage: Stage) -> None:
    """The target steps, again and again, while messages are on their way."""
    with scene.play(stage) as peer:
        application = _established(scene, peer)
        first = known(peer.reader).epoch
        sent = b""
        for _ in range(STEPS):
            sent += _say(peer)
            application.rekey(generation=False)
        _expect_echo(peer, sent + _say(peer))
        if (epoch := known(peer.reader).epoch) != first + STEPS:
            raise Failed(f"epoch 0x{epoch:04x}", f"0x{first + STEPS:04x}, {STEPS} steps on")


def _generation(scene: Scene, stage: Stage) -> None:
    """A client offers, a server requests; records of the old generation are on their way meanwhile."""
    with scene.play(stage) as peer:
        application = _established(scene, peer)
        peer.overheard = bytearray()
        sent = _say(peer)
        application.rekey(generation=True)
        sent += _say(peer)
        if scene.role == "server":
            _answer_request(peer)
        else:
            rekeying.take_offer(peer)
            rekeying.send_ack(peer)
        rekeying.send_empty(peer)
        _expect_echo(peer, sent + _say(peer), bytes(peer.overheard))
        rekeying.expect_generation(peer, 2)


def _answer_request(peer: Peer) -> None:
    message: KeyUpdate = peer.read(MessageType.KEY_UPDATE)
    if (message.kind, message.generation) != (KeyUpdateKind.REQUEST, 2):
        raise Failed(f"{message.kind.name.lower()} of generation {message.generation}", "a request of generation 2")
    rekeying.send_offer(peer)
    rekeying.take_ack(peer)


# ---------------------------------------------------------------------- export


def _exporter(scene: Scene, stage: Stage) -> None:
    """Both ends have the same keying material, for any label, context and length."""
    with scene.play(stage) as peer:
        application = _established(scene, peer)
        exp, h = known(peer.generation).exp, peer.session.hash
        for label, context, length in EXPORTS:
            expected = keyschedule.exporter(h, exp, label.encode(), context, length)
            if (found := application.export(label, context, length)) != expected:
                raise Failed(f"{found.hex()} for {label!r}", expected.hex())
        check_alive(scene, peer)


def _withheld(scene: Scene, stage: Stage) -> None:
    """There is nothing to export before the session is established (KS-6)."""
    with scene.play(stage) as peer:
        peer.bring(scene.states[-2])
        application = known(peer.application)
        answer = stage.target.channel.answer(
            "control", socket=application.socket, action="export", label="x", context="", length=32
        )
        if "error" not in answer:
            raise Failed(str(dict(answer)), "an error: the session is not established")


# ---------------------------------------------------------------------- resume


def _on_demand(scene: Scene, stage: Stage) -> None:
    """A client with tickets comes back without one, and with one when it may again."""
    with scene.meetings(stage) as meet:
        for ticket, offered in ((False, False), (True, False), (True, True)):
            with meet() as peer:
                peer.bring("wait_server_hello")
                _expect_offer(peer, offered=offered)
                for step in peer.steps()[1:]:
                    step()
                if isinstance(peer, ServerPeer):
                    peer.issue()
                check_alive(scene, peer)
                known(peer.application).resume(ticket=ticket)
                close(peer)


def _expect_offer(peer: Peer, *, offered: bool) -> None:
    hello: ClientHello = parse_body(MessageType.CLIENT_HELLO, peer.session.client_hello[1:])
    found = any(each.extension_type == ExtensionType.PRE_SHARED_KEY for each in hello.extensions)
    if (found, peer.session.resumed) != (offered, offered):
        raise Failed(f"a ClientHello {'with' if found else 'without'} a ticket", "with one" if offered else "without")


# ---------------------------------------------------------------------- traffic


def _established(scene: Scene, peer: Peer) -> Application:
    """The target's application, once it has a session."""
    peer.bring("established")
    check_alive(scene, peer)
    return known(peer.application)


def _say(peer: Peer) -> bytes:
    """Messages that the target's application will return."""
    octets = [frame(token()) for _ in range(MESSAGES)]
    for each in octets:
        peer.send_sealed(MessageType.DATA, each)
    return b"".join(octets)


def _expect_echo(peer: Peer, sent: bytes, so_far: bytes = b"") -> None:
    """All of it comes back, in order."""
    received = so_far
    while len(received) < len(sent):
        received += peer.read_data()
    if received != sent:
        raise Failed(f"the application's answer {received[:64].hex()}", sent[:64].hex())
