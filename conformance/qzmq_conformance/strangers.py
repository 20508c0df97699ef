"""Area `bindings`: real libzmq sockets of other mechanisms on the other side. Neither side may hear the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from functools import partial

import zmq

from qzmq_conformance.case import Case, Failed, once
from qzmq_conformance.relay import Relay
from qzmq_conformance.scene import ROLES, Scene
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application, Options, token

LISTENED = 0.3  # seconds: three attempts of libzmq to connect


def cases() -> Iterator[Case]:
    """Every mechanism of libzmq against both roles, before any suite matters."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    for role in ROLES:
        for name, options in _mechanisms(serves=role == "client").items():
            play = partial(_unheard, Scene(mode, role, alone=True), options)
            yield Case(f"bindings/{mode}/{role}/zmtp/libzmq-{name}", ("ZMTP-4", "ZMTP-2"), play)


def _mechanisms(*, serves: bool) -> Mapping[str, Options]:
    """libzmq's options for each mechanism, by which side of it the stranger is."""
    server_public, server_secret = (key.decode() for key in zmq.curve_keypair())
    public, secret = (key.decode() for key in zmq.curve_keypair())
    if serves:
        served: Options = {"CURVE_SERVER": 1, "CURVE_SECRETKEY": server_secret}
        return {"null": {}, "plain": {"PLAIN_SERVER": 1}, "curve": served}
    curve: Options = {"CURVE_SERVERKEY": server_public, "CURVE_PUBLICKEY": public, "CURVE_SECRETKEY": secret}
    return {"null": {}, "plain": {"PLAIN_USERNAME": "user", "PLAIN_PASSWORD": "word"}, "curve": curve}


def _unheard(scene: Scene, options: Options, stage: Stage) -> None:
    """Both applications speak; after a while nobody has heard anything, and the target has only ever sent greetings."""
    theirs = token()
    with ExitStack() as stack:
        target, stranger, relay = _joined(scene, options, stage, stack)
        if scene.role == "client":
            target.send(stage.token)
        stranger.send(theirs)
        time.sleep(LISTENED)
        if stage.bench.other.reached(stage.token) or stage.target.reached(theirs):
            raise Failed("a message crossed to a peer of another mechanism", "nothing crosses")
        for sent in relay.recordings()[scene.role == "server" :: 2]:
            if not scene.target_greeting.startswith(sent):
                raise Failed(f"the target sent {sent[:80].hex()}", "its greeting at most")


def _joined(scene: Scene, options: Options, stage: Stage, stack: ExitStack) -> tuple[Application, Application, Relay]:
    """The target, the stranger, and the relay that the one who connects goes through."""
    target, other = partial(stage.target.open, scene.target_type, security=scene.security), stage.bench.other.open
    if scene.role == "server":
        bound = stack.enter_context(target(bind=True))
        relay = stack.enter_context(Relay(bound.address))
        endpoint = f"tcp://127.0.0.1:{relay.port}"
        return bound, stack.enter_context(other("DEALER", endpoint, bind=False, security=None, options=options)), relay
    bound = stack.enter_context(other("DEALER", bind=True, security=None, options=options))
    relay = stack.enter_context(Relay(bound.address))
    return stack.enter_context(target(f"tcp://127.0.0.1:{relay.port}", bind=False)), bound, relay
