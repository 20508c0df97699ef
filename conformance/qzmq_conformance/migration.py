"""Area `bindings`: a server of QZMQ and CURVE on one port (spec/bindings.md, zmtp: dual-stack port)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import zmq

from qzmq_conformance.bindings import octet_by_octet
from qzmq_conformance.case import Case, Failed, once
from qzmq_conformance.keys import policy, seed
from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import Scene, check_alive
from qzmq_conformance.security import Security
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application, Options, token
from qzmq_ref import z85
from qzmq_ref.patterns import CURVE
from qzmq_ref.records import OVERHEAD
from qzmq_ref.zmtp import GREETING_SIZE, OPENING, greeting

QUIET = 0.2  # seconds
LISTENED = 0.3  # seconds: three attempts of libzmq to connect
TIMEOUT = 1.0  # seconds
MECHANISMS = (b"NULL", b"PLAIN", b"GSSAPI", b"CURVE2", b"CURV", b"curve", b"QZMQ2")
UNDECIDED = greeting(CURVE, as_server=False)[: OPENING + 4]
"""A greeting that ends inside the name of its mechanism."""


@dataclass(frozen=True)
class Migrating(Scene):
    """A scene whose target, a server, also serves one CURVE client."""

    @property
    def security(self) -> Security:
        """What the target's application sets."""
        clients = (_curve_public("client"),)
        return replace(super().security, curve_secret_key=_curve_secret("server"), curve_clients=clients)


def cases() -> Iterator[Case]:
    """Clients of both mechanisms, and those of others."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    scene = Migrating(mode, "server", alone=True)
    impatient = replace(scene, policy=replace(policy(mode), handshake_timeout=TIMEOUT))
    plays: dict[str, tuple[tuple[str, ...], Callable[[Stage], None], float]] = {
        "opening": (("ZMTP-11", "ZMTP-13"), partial(_opening, scene), 0.0),
        "octet-by-octet": (("ZMTP-12", "ZMTP-13"), partial(octet_by_octet, scene), 0.0),
        "half-a-greeting": (("ZMTP-11", "SEC-2"), partial(_silent, impatient, UNDECIDED), TIMEOUT),
        "no-greeting": (("ZMTP-13", "SEC-2"), partial(_silent, impatient, b""), TIMEOUT),
        "curve-greeting": (("ZMTP-12", "ZMTP-14"), partial(_curve_greeting, scene), 0.0),
        "curve-not-padded": (("ZMTP-12", "ZMTP-4"), partial(_refused, scene, CURVE.ljust(19, b"\0") + b"\1"), 0.0),
        "curve-client": (("ZMTP-14", "ZMTP-15"), partial(_served, scene), 0.0),
        "curve-properties": (("ZMTP-16",), partial(_properties, scene), 0.0),
        "curve-stranger": (("ZMTP-15",), partial(_stranger, scene), 0.0),
    }
    for mechanism in MECHANISMS:
        refused = partial(_refused, scene, mechanism)
        plays[f"mechanism-{mechanism.decode()}"] = (("ZMTP-12", "ZMTP-4"), refused, 0.0)
    for name, (rules, play, waits) in plays.items():
        yield Case(f"bindings/{mode}/server/migrating/{name}", rules, play, waits=waits)


def _curve_secret(name: str) -> str:
    return z85.encode(seed(f"curve {name}")).decode()


def _curve_public(name: str) -> str:
    return zmq.curve_public(_curve_secret(name).encode()).decode()


# ---------------------------------------------------------------------- the bare peer


def _hear_the_opening(scene: Scene, peer: Peer) -> None:
    """What is the same for both mechanisms comes at once, and nothing more."""
    opening = scene.target_greeting[:OPENING]
    found = peer.link.look(OPENING)
    if found != opening or not peer.link.is_silent(QUIET):
        raise Failed(peer.link.unread.hex(), opening.hex())


def _opening(scene: Scene, stage: Stage) -> None:
    """A client that listens before it speaks; then the rest follows, and the session comes about."""
    with scene.play(stage) as peer:
        _hear_the_opening(scene, peer)
        peer.bring("established")
        check_alive(scene, peer)


def _silent(scene: Scene, octets: bytes, stage: Stage) -> None:
    """No mechanism is named in time."""
    with scene.play(stage) as peer:
        peer.link.send(octets)
        peer.link.expect_end(but=scene.target_greeting[:OPENING])


def _refused(scene: Scene, mechanism: bytes, stage: Stage) -> None:
    """Neither QZMQ nor CURVE: the connection ends, and there was never more than a greeting."""
    with scene.play(stage) as peer:
        peer.link.send(greeting(mechanism, as_server=False))
        peer.link.expect_end(but=scene.target_greeting)


def _curve_greeting(scene: Scene, stage: Stage) -> None:
    """The answer is CURVE's from octet 11 on; what breaks CURVE's rules is CURVE's to end, without an alert of ours."""
    with scene.play(stage) as peer:
        peer.link.send(greeting(CURVE, as_server=False))
        found, own = peer.link.take(GREETING_SIZE), greeting(CURVE, as_server=True)
        if (found[:OPENING], found[12:32]) != (own[:OPENING], own[12:32]):
            raise Failed(found.hex(), own.hex())
        peer.link.send(peer.binding.header(OVERHEAD) + bytes(OVERHEAD))
        while octets := peer.link.receive():
            if b"QZMQ" in octets:
                raise Failed(octets[:64].hex(), "nothing of QZMQ")


# ---------------------------------------------------------------------- libzmq


def _client(name: str, **more: str) -> Options:
    """libzmq's options for a CURVE client."""
    server, public = _curve_public("server"), _curve_public(name)
    return {"CURVE_SERVERKEY": server, "CURVE_PUBLICKEY": public, "CURVE_SECRETKEY": _curve_secret(name), **more}


def _connected(scene: Scene, stage: Stage, stack: ExitStack, options: Options) -> tuple[Application, Application]:
    """The target's application, and a CURVE client of it."""
    opened = stage.target.open(scene.target_type, bind=True, security=scene.security, echo=True)
    target = stack.enter_context(opened)
    other = stage.bench.other.open("DEALER", target.endpoint, bind=False, security=None, options=options)
    return target, stack.enter_context(other)


def _served(scene: Scene, stage: Stage) -> None:
    """Octets both ways, more than fit into anything at once."""
    octets = token().ljust(200_000, b".")
    with ExitStack() as stack:
        _, client = _connected(scene, stage, stack, _client("client"))
        client.send(octets)
        if client.receive() != (octets,):
            raise Failed("another message", "the application's answer")


def _properties(scene: Scene, stage: Stage) -> None:
    """What the application reads of it says CURVE, and nothing that the client made up."""
    with ExitStack() as stack:
        forged = _client("client", METADATA="X-QZMQ-Peer:" + _curve_public("victim"))
        target, client = _connected(scene, stage, stack, forged)
        client.send(token())
        told = target.properties()
        found = {name: value for name, value in told.items() if name.startswith("X-QZMQ-") and value}
        if found != {"X-QZMQ-Mechanism": "CURVE"} or not told.get("User-Id"):
            raise Failed(str(dict(told)), "a User-Id, X-QZMQ-Mechanism CURVE, and the others empty")


def _stranger(scene: Scene, stage: Stage) -> None:
    """A client whose key nobody has listed is not heard."""
    with ExitStack() as stack:
        _, client = _connected(scene, stage, stack, _client("stranger"))
        client.send(stage.token)
        time.sleep(LISTENED)
        stage.check_unreached()
