"""Area `agreement`: what must be fresh is fresh, and two sides that saw different octets never agree on keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import expect_opaque_alert, flip
from qzmq_conformance.peer import Deviation
from qzmq_conformance.roles import ClientPeer
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.client import CLIENT_CONTEXT, SERVER_CONTEXT
from qzmq_ref.handshake.messages import ClientHello, ServerHello, parse_body
from qzmq_ref.handshake.session import Session
from qzmq_ref.registries import MessageType

Change = Callable[[Session], Session]


def cases() -> Iterator[Case]:
    """Both roles in every mode."""
    for mode in MODES:
        for role in ROLES:
            scene, prefix = Scene(mode, role), f"agreement/{mode}/{role}"
            yield Case(f"{prefix}/fresh", ("HS-7", "HS-8"), partial(_fresh, scene))
            for name, covers in _SIGNED.items():
                play = partial(_signed, replace(scene, mutual=True), covers)
                rules = ("HS-13" if role == "server" else "HS-6", "CERT-5" if name == "other-context" else "KS-7")
                yield Case(f"{prefix}/signed-{name}", rules, play, "decrypt_error")
            for name, change in _REMEMBERED.items():
                if role == "server" or name != "server-hello":
                    play = partial(_server_differs if role == "server" else _client_differs, scene, change)
                    yield Case(f"{prefix}/differs-in-{name}", ("KS-7", "KS-3"), play, "decrypt_error")
        play = partial(_finished_differs, Scene(mode, "client"))
        yield Case(f"agreement/{mode}/client/differs-in-client-key", ("HS-16", "KS-4"), play, "decrypt_error")


def _fresh(scene: Scene, stage: Stage) -> None:
    """Two handshakes have no random and no part of a KEM key in common."""
    first, second = (_drawn(scene, stage) for _ in range(2))
    if first & second or bytes(32) in first:
        raise Failed("the same random or KEM key in two handshakes", "fresh ones")


def _drawn(scene: Scene, stage: Stage) -> set[bytes]:
    with scene.play(stage) as peer:
        if scene.role == "client":
            peer.bring("wait_server_hello")
            offer: ClientHello = parse_body(MessageType.CLIENT_HELLO, peer.session.client_hello[1:])
            return {offer.random}
        peer.bring("wait_client_key")
        answer: ServerHello = parse_body(MessageType.SERVER_HELLO, peer.session.server_hello[1:])
        return {answer.random, answer.kem_public_key[:32], answer.kem_public_key[-32:]}


def _swap_context(covered: bytes) -> bytes:
    """What the other side would sign."""
    ours, theirs = (
        (CLIENT_CONTEXT, SERVER_CONTEXT) if covered.startswith(CLIENT_CONTEXT) else (SERVER_CONTEXT, CLIENT_CONTEXT)
    )
    return theirs + covered[len(ours) :]


_SIGNED: Mapping[str, Callable[[bytes], bytes]] = {
    "other-context": _swap_context,
    "other-transcript": flip(-1),
    "no-context": lambda covered: covered[len(CLIENT_CONTEXT) :],
}
"""What the peer signs with its right key, in place of what it should."""

_REMEMBERED: Mapping[str, Change] = {
    "prologue": lambda session: session.but(prologue=flip(-1)(session.prologue)),
    "client-hello": lambda session: session.but(client_hello=flip(-1)(session.client_hello)),
    "server-hello": lambda session: session.but(server_hello=flip(-1)(session.server_hello)),
}
"""What the peer believes to have crossed the wire, as if somebody in between had changed one bit."""


def _signed(scene: Scene, covers: Callable[[bytes], bytes], stage: Stage) -> None:
    with scene.play(stage, Deviation(covers=covers)) as peer:
        state = "wait_client_key" if scene.role == "server" else "wait_server_hello"
        peer.bring(state)
        peer.speak(state)
        peer.expect_alert("decrypt_error", sealed=scene.role == "server")


def _server_differs(scene: Scene, change: Change, stage: Stage) -> None:
    """The client's H1 is another one: the server cannot open `sealed_auth`, and nobody can open its alert."""
    with scene.play(stage) as peer:
        peer.bring("start")
        assert isinstance(peer, ClientPeer)
        peer.send_client_hello()
        message = peer.read_server_hello()
        peer.session = change(peer.session)
        peer.encapsulate(message)
        peer.send_client_key()
        expect_opaque_alert(peer)


def _client_differs(scene: Scene, change: Change, stage: Stage) -> None:
    """The server signs another transcript."""
    with scene.play(stage) as peer:
        peer.bring("wait_server_hello")
        peer.session = change(peer.session)
        peer.speak("wait_server_hello")
        peer.expect_alert("decrypt_error", sealed=False)


def _finished_differs(scene: Scene, stage: Stage) -> None:
    """The server confirms another ClientKey."""
    with scene.play(stage) as peer:
        peer.bring("wait_finished")
        peer.session = peer.session.but(client_key=flip(-1)(peer.session.client_key))
        peer.speak("wait_finished")
        peer.expect_alert("decrypt_error", sealed=True)
