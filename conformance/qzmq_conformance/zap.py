"""Area `zap`: a target, a server, that asks its ZAP handler about each client. The handler answers as it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.early import announce, expect_status
from qzmq_conformance.keys import key, policy
from qzmq_conformance.resumption import expect_resumed
from qzmq_conformance.returning import Returning, early
from qzmq_conformance.scene import Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_ref import z85
from qzmq_ref.handshake.session import known
from qzmq_ref.spec.tables import requirements, tables

TIMEOUT = 1.0  # seconds
STATUS_RULES = {"300": "ZAP-7", "400": "ZAP-8", "500": "ZAP-9"}
ASKING = ("ZAP-1", "ZAP-4", "HS-80")


def cases() -> Iterator[Case]:
    """The target is the server; clients that are known, and clients that are not."""
    for mode in MODES:
        scene = Scene(mode, "server", mutual=True, zap="200")
        for name, (rules, change, play) in _PLAYS.items():
            yield Case(f"zap/{mode}/server/{name}", (*ASKING, *rules), partial(play, change(scene)))
        for row in tables()["zap-status"]:
            if row["Alert"]:
                rules = (*ASKING, STATUS_RULES[row["Status"]], "HS-82")
                play = partial(_refused, replace(scene, zap=row["Status"]), row["Alert"])
                yield Case(f"zap/{mode}/server/status-{row['Status']}", rules, play, row["Alert"])
        impatient = replace(policy(mode), handshake_timeout=TIMEOUT)
        for name, rule, wrong, waits in (
            ("no-status", "ZAP-11", replace(scene, zap="201"), 0.0),
            ("silent", "ZAP-3", replace(scene, zap="silent", policy=impatient), TIMEOUT),
            ("stranger", "CERT-4", replace(scene, who="stranger"), 0.0),
        ):
            (alert,) = set(requirements()[rule].alerts)
            play = partial(_refused, wrong, alert)
            yield Case(f"zap/{mode}/server/{name}", (*ASKING, rule), play, alert, waits)
        closed = partial(_closed_meanwhile, replace(scene, zap="silent", alone=True))
        yield Case(f"zap/{mode}/server/closed-meanwhile", (*ASKING, "HS-83", "CLS-5"), closed, "user_canceled")
        back = Returning(mode, "server", mutual=True, zap="200", elsewhere=replace(scene, zap="400"))
        refused = partial(_refused, back, "access_denied")
        yield Case(f"zap/{mode}/server/refused-when-back", ("ZAP-4", "ZAP-8"), refused, "access_denied")


def _refused(scene: Scene, alert: str, stage: Stage) -> None:
    """The alert takes the place of Finished."""
    with scene.play(stage) as peer:
        peer.bring("wait_client_key")
        peer.speak("wait_client_key")
        peer.expect_alert(alert, sealed=True)


def _closed_meanwhile(scene: Scene, stage: Stage) -> None:
    """The application closes while nobody has answered yet."""
    with scene.play(stage) as peer:
        peer.bring("wait_client_key")
        peer.speak("wait_client_key")
        if not peer.link.is_silent(0.2):
            raise Failed(peer.link.unread[:64].hex(), "nothing before the handler has spoken")
        peer.close_application()
        peer.expect_alert("user_canceled", sealed=True)


def _admitted(scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring("established")
        if peer.session.requested_signatures is None:
            raise Failed("no client_auth_request", "the question who the client is (ZAP-2)")
        check_alive(scene, peer)


def _named(scene: Scene, stage: Stage) -> None:
    """The application reads the handler's user id, and the pin beside it."""
    with scene.play(stage) as peer:
        peer.bring("established")
        check_alive(scene, peer)
        pin = z85.encode(key("other", scene.chosen.signature).pin).decode()
        properties = known(peer.application).properties()
        if (found := (properties.get("User-Id"), properties.get("X-QZMQ-Peer"))) != ("judged", pin):
            raise Failed(str(found), f"judged, {pin}")


def _back(resumed: bool, scene: Scene, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring("established")
        expect_resumed(peer, resumed)
        check_alive(scene, peer)


def _early(scene: Scene, stage: Stage) -> None:
    """Nothing is released before the handler has spoken."""
    with scene.play(stage) as peer:
        announce(peer, early(frame(stage.token)))
        peer.bring("established")
        expect_resumed(peer, True)
        expect_status(peer, "rejected")
        check_alive(scene, peer)
        stage.check_unreached()


def _returning(*, mutual: bool, early_data: bool = False) -> Callable[[Scene], Scene]:
    return lambda scene: Returning(scene.mode, "server", mutual=mutual, zap=scene.zap, early_data=early_data)


Play = Callable[[Scene, Stage], None]
_PLAYS: dict[str, tuple[tuple[str, ...], Callable[[Scene], Scene], Play]] = {
    "known": (("ZAP-3", "HS-81"), lambda scene: scene, _admitted),
    "anonymous": (("ZAP-2", "HS-81"), lambda scene: replace(scene, mutual=False), _admitted),
    "named": (("ZAP-5", "HS-81"), lambda scene: replace(scene, alone=True), _named),
    "back": (("ZAP-4", "RES-6"), _returning(mutual=True), partial(_back, True)),
    "back-anonymous": (("ZAP-10",), _returning(mutual=False), partial(_back, False)),
    "early": (("ZAP-10", "RES-15"), _returning(mutual=True, early_data=True), _early),
}
