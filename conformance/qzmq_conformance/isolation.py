"""Area `isolation`: what nobody authenticated has no effect beyond its own connection, and nothing leaves too early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.fault import changing
from qzmq_conformance.keys import key
from qzmq_conformance.metadata import metadata
from qzmq_conformance.peer import Deviation, Peer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref import z85
from qzmq_ref.handshake.session import known
from qzmq_ref.metadata import Property
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import tables

Ending = Callable[[Peer], None]
ADDED = tuple(row["Property"] for row in tables()["added-properties"])
INTERNAL_ERROR = bytes([AlertDescription.INTERNAL_ERROR])


def cases() -> Iterator[Case]:
    """Both roles in every mode, where the rule is about both."""
    for mode in MODES:
        client, server = Scene(mode, "client", mutual=True), Scene(mode, "server")
        for name, ending in _UNAUTHENTIC.items():
            yield Case(
                f"isolation/{mode}/client/reconnects-after-{name}", ("ALR-5",), partial(_reconnects, client, ending)
            )
        yield Case(f"isolation/{mode}/client/silent-before-trust", ("HS-17",), partial(_silent, client))
        stranger = partial(_distrusts, replace(client, who="stranger"))
        yield Case(f"isolation/{mode}/client/distrusts", ("HS-17", "CERT-3"), stranger, "certificate_unknown")
        yield Case(f"isolation/{mode}/server/neighbour", ("SEC-4",), partial(_neighbour, server))
        yield Case(f"isolation/{mode}/server/logged", ("SEC-9",), partial(_logged, server), "unexpected_message")
        for role in ROLES:
            for who in ("other", ""):
                if who or role == "server":
                    scene = Scene(mode, role, mutual=bool(who), alone=True)
                    label = f"isolation/{mode}/{role}/properties-of-{who or 'anonymous'}"
                    yield Case(label, ("PAT-5", "PAT-6", "PAT-10"), partial(_properties, scene))


# ---------------------------------------------------------------------- the client comes back


def _plain_alert(peer: Peer) -> None:
    peer.bring("wait_server_hello")
    peer.send_message(bytes([MessageType.ALERT]) + INTERNAL_ERROR)


def _plain_alert_later(peer: Peer) -> None:
    peer.bring("wait_finished")
    peer.send_message(bytes([MessageType.ALERT]) + INTERNAL_ERROR)


def _garbage(peer: Peer) -> None:
    peer.bring("wait_server_hello")
    peer.send_message(b"\xff garbage")


def _wrong_greeting(peer: Peer) -> None:
    peer.link.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def _cut(peer: Peer) -> None:
    peer.bring("wait_finished")
    peer.link.finish_sending()


_UNAUTHENTIC: Mapping[str, Ending] = {
    "alert": _plain_alert,
    "late-alert": _plain_alert_later,
    "garbage": _garbage,
    "wrong-greeting": _wrong_greeting,
    "cut": _cut,
}
"""Ways to end a connection that prove nothing about who ended it."""


def _reconnects(scene: Scene, ending: Ending, stage: Stage) -> None:
    """The target connects again, and then all is well."""
    with scene.meetings(stage) as meet:
        with meet() as peer:
            ending(peer)
        with meet() as peer:
            peer.bring("established")
            check_alive(scene, peer)


# ---------------------------------------------------------------------- nothing too early


def _silent(scene: Scene, stage: Stage) -> None:
    """The application has already spoken, but until the server has proved itself there is only a ClientHello."""
    with scene.play(stage) as peer:
        known(peer.application).send(stage.token)
        peer.bring("wait_server_hello")
        if not peer.link.is_silent(0.1):
            raise Failed(peer.link.unread[:64].hex(), "nothing until the server has proved itself")


def _distrusts(scene: Scene, stage: Stage) -> None:
    """Nor does a server that nobody trusts ever see more."""
    with scene.play(stage) as peer:
        known(peer.application).send(stage.token)
        peer.bring("wait_server_hello")
        peer.speak("wait_server_hello")
        peer.expect_alert("certificate_unknown", sealed=False)


# ---------------------------------------------------------------------- nobody else notices


def _neighbour(scene: Scene, stage: Stage) -> None:
    """A session lives on while others of the same socket end badly."""
    with scene.play(stage) as quiet:
        quiet.bring("established")
        for octets in (b"\xff garbage", bytes([MessageType.ALERT]) + INTERNAL_ERROR):
            with scene.play(stage) as loud:
                loud.bring("wait_client_key")
                loud.send_message(octets)
        check_alive(scene, quiet)


def _logged(scene: Scene, stage: Stage) -> None:
    """One line on standard error: the rule, the peer's address, the alert, and no octet of the application."""
    with scene.play(stage) as peer:
        peer.bring("established")
        peer.send_sealed(MessageType.DATA, frame(stage.token), seq=7)
        peer.expect_alert("unexpected_message", sealed=True)
        words = ("REC-6", peer.link.address, "unexpected_message")
        if not stage.target.logged(*words):
            raise Failed("no such line", f"a line with {', '.join(words)} on standard error")
        if stage.target.logged(stage.token.decode(), within=0):
            raise Failed("application octets in the log", "none")


def _properties(scene: Scene, stage: Stage) -> None:
    """The application reads the authenticated peer from the message, and nothing that the peer made up."""
    structure = "ClientAuth" if scene.role == "server" else "Finished"
    forged = (Property(name.encode(), b"forged") for name in (*ADDED, "x-qzmq-Other", "__Other", "Peer-Address"))
    forgery = metadata(Property(b"socket-TYPE", b"DEALER"), *forged, Property(b"X-Own", b"own"))
    with scene.play(stage, Deviation(structure, content=changing(metadata=forgery))) as peer:
        peer.bring("established")
        peer.send_sealed(MessageType.DATA, frame(token()))
        told = known(peer.application).properties()
        found = {name: told.get(name) for name in (*ADDED, "Socket-Type", "X-Own", "X-QZMQ-Other", "__Other")}
        expected = {
            **_added(scene, peer),
            "Socket-Type": "DEALER",
            "X-Own": "own",
            "X-QZMQ-Other": None,
            "__Other": None,
        }
        if found != expected:
            raise Failed(str(found), str(expected))


def _added(scene: Scene, peer: Peer) -> dict[str, str | None]:
    """The values of table `added-properties`."""
    known_peer = scene.role == "client" or scene.mutual
    pin = z85.encode(key(scene.who, scene.chosen.signature).pin).decode() if known_peer else None
    return {
        "User-Id": pin,
        "X-QZMQ-Peer": pin,
        "X-QZMQ-Peer-Address": peer.link.address.split(":")[0],
        "X-QZMQ-Mechanism": "QZMQ",
        "X-QZMQ-Suite": str(peer.session.suite),
    }
