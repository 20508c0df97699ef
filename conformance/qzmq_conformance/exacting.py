"""Cases that surviving faults asked for: what only a right message in a wrong wrapping, or a patient peer, can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import MODES, Case, Failed, once
from qzmq_conformance.fault import accepted, changing, refused
from qzmq_conformance.handshake import SEALING
from qzmq_conformance.keys import key, policy
from qzmq_conformance.metadata import SOCKET_TYPE, metadata
from qzmq_conformance.peer import Deviation, Peer
from qzmq_conformance.scene import ROLES, Scene, check_alive, frame
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import token
from qzmq_ref import z85
from qzmq_ref.handshake import grease
from qzmq_ref.handshake.messages import build
from qzmq_ref.metadata import Property
from qzmq_ref.records import OVERHEAD
from qzmq_ref.registries import (
    AlertDescription,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    MessageType,
    SigId,
)

FLEETING = ("decrypt_error", "illegal_parameter", "unexpected_message", "user_canceled")
FINAL = ("access_denied", "certificate_required", "internal_error", "handshake_failure")
MAX_SHORT = 255  # octets of a frame in the short form
NAME = b"\x04QZMQ"


def cases() -> Iterator[Case]:
    """In each role that the rule is about, and in every mode if it matters."""
    yield from once(_alike)
    for mode in MODES:
        for role in ROLES:
            yield from _identities(Scene(mode, role, policy=replace(policy(mode), identity_is_pin=True)))
        asking = Scene(mode, "server", mutual=True)
        yield Case(f"suites/{mode}/server/asks-for-every-signature", ("POL-4",), partial(_asks_for_all, asking))
        other = Scene(mode, "client", mutual=True)
        yield Case(f"suites/{mode}/client/key-not-asked-for", ("POL-5", "REG-12"), partial(_keeps_its_key, other))


def _alike(mode: str) -> Iterator[Case]:
    """What is alike in every mode."""
    yield from _refusals(Scene(mode, "client"))
    for role in ROLES:
        yield from _wrappings(Scene(mode, role))
        yield from _sizes_sent(Scene(mode, role))
        for raw in (False, True):
            scene, binding = Scene(mode, role, raw=raw), "raw" if raw else "zmtp"
            label, rule = f"bindings/{mode}/{role}/{binding}/greets-at-once", "RAW-1" if raw else "ZMTP-1"
            yield Case(label, (rule,), partial(_greets_at_once, scene))


# ---------------------------------------------------------------------- bindings


def _greets_at_once(scene: Scene, stage: Stage) -> None:
    """The target speaks to a peer that has not said a word."""
    with scene.play(stage) as peer:
        found = peer.link.take(len(scene.target_greeting))
        if found != scene.target_greeting:
            raise Failed(found.hex(), scene.target_greeting.hex())


_WRAPPINGS: Mapping[str, Callable[[int], bytes]] = {
    "flags-0x05": lambda size: bytes([0x05, len(NAME) + size]) + NAME,
    "flags-0x14": lambda size: bytes([0x14, len(NAME) + size]) + NAME,
    "flags-0x44": lambda size: bytes([0x44, len(NAME) + size]) + NAME,
    "flags-0x16": lambda size: bytes([0x16]) + (len(NAME) + size).to_bytes(8) + NAME,
    "name-QZMR": lambda size: bytes([0x06]) + (len(NAME) + size).to_bytes(8) + b"\x04QZMR",
    "name-qzmq": lambda size: bytes([0x06]) + (len(NAME) + size).to_bytes(8) + b"\x04qzmq",
}
"""Headers that are wrong before a message that is right; the short ones only where the message is short."""


def _wrappings(scene: Scene) -> Iterator[Case]:
    for state in scene.states:
        for name, header in _WRAPPINGS.items():
            play = partial(_wrapped, scene, state, header)
            label = f"bindings/{scene.mode}/{scene.role}/zmtp/frame/{state}/due-{name}"
            yield Case(label, ("ZMTP-8",), play, "unexpected_message")


def _wrapped(scene: Scene, state: str, header: Callable[[int], bytes], stage: Stage) -> None:
    """The message that is due, in a frame that holds no QZMQ message."""
    with scene.play(stage) as peer:
        peer.bring(state)
        peer.header = lambda size: header(size) if header(0)[0] & 0x02 else header(min(size, MAX_SHORT - len(NAME)))
        if state == "established":
            peer.send_sealed(MessageType.DATA, frame(stage.token))
        else:
            peer.speak(state)
        peer.expect_alert("unexpected_message", sealed=state in SEALING)


def _sizes_sent(scene: Scene) -> Iterator[Case]:
    """The longest frame of the short form, the shortest of the long one, and a small one."""
    for size in (MAX_SHORT, MAX_SHORT + 1, MAX_SHORT // 2):
        label = f"bindings/{scene.mode}/{scene.role}/zmtp/frame/sends-{size}"
        yield Case(label, ("ZMTP-9",), partial(_form_of_a_size, scene, size))


def _form_of_a_size(scene: Scene, size: int, stage: Stage) -> None:
    """The application's octets fill a frame of that size; the target must frame them as the rule says."""
    octets = token().ljust(size - len(NAME) - OVERHEAD - len(frame(b"")), b".")
    with scene.play(stage) as peer:
        peer.bring("established")
        peer.send_sealed(MessageType.DATA, frame(octets))
        if peer.read_data() != frame(octets):
            raise Failed("the application's octets in several records", "one record")
        expected = peer.binding.header(len(peer.last)) + peer.last
        if not peer.link.received.endswith(expected):
            raise Failed(peer.link.received[-len(expected) :][:16].hex(), expected[:16].hex())


# ---------------------------------------------------------------------- who may come back


def _refusals(scene: Scene) -> Iterator[Case]:
    """A sealed alert in place of Finished: final, unless somebody on the way could have provoked it."""
    for name in FINAL:
        play = partial(_stays_away, scene, name)
        yield Case(f"isolation/{scene.mode}/client/refused-by-{name}", ("ALR-6",), play, waits=5.0)
    for name in FLEETING:
        yield Case(f"isolation/{scene.mode}/client/reconnects-after-{name}", ("ALR-6",), partial(_returns, scene, name))


def _refuse(peer: Peer, name: str) -> None:
    peer.bring("wait_finished")
    peer.send_sealed(MessageType.SEALED_ALERT, bytes([AlertDescription[name.upper()]]))
    peer.expect_end()


def _stays_away(scene: Scene, name: str, stage: Stage) -> None:
    with scene.meetings(stage) as meet:
        with meet() as peer:
            _refuse(peer, name)
        try:
            with meet():
                raise Failed(f"another connection after {name}", "none: the refusal is final")
        except TimeoutError:
            pass


def _returns(scene: Scene, name: str, stage: Stage) -> None:
    with scene.meetings(stage) as meet:
        with meet() as peer:
            _refuse(peer, name)
        with meet() as peer:
            peer.bring("established")
            check_alive(scene, peer)


# ---------------------------------------------------------------------- what a side says of itself


def _identities(scene: Scene) -> Iterator[Case]:
    """Under a policy that wants the routing identity to be the pin."""
    structure = "ClientAuth" if scene.role == "server" else "Finished"
    known = replace(scene, mutual=True)
    pin = z85.encode(key("other", scene.chosen.signature).pin)

    def called(identity: bytes) -> Callable[[object], object]:
        return changing(metadata=metadata(SOCKET_TYPE, Property(b"Identity", identity)))

    for fault in (
        refused("identity-not-pin", "PAT-9", structure, content=called(b"somebody")),
        refused("identity-begins-like-pin", "PAT-9", structure, content=called(pin[:-1])),
        accepted("identity-is-pin", "PAT-9", structure, content=called(pin)),
        accepted("no-identity", "PAT-9", structure),
    ):
        yield fault.case("metadata", known)
    if scene.role == "server":
        yield refused("identity-of-nobody", "PAT-9", structure, content=called(b"somebody")).case("metadata", scene)
        yield accepted("nobody", "PAT-9", structure).case("metadata", scene)


def _asks_for_all(scene: Scene, stage: Stage) -> None:
    """Every signature algorithm of the mode, and none beside GREASE."""
    with scene.play(stage) as peer:
        peer.bring("wait_client_key")
        found = set(peer.session.requested_signatures or ()) - set(grease.VALUES)
        if found != set(scene.chosen.client_signatures):
            raise Failed(str(sorted(found)), str(sorted(scene.chosen.client_signatures)))


def _keeps_its_key(scene: Scene, stage: Stage) -> None:
    """A server that cannot check the client's key is not shown it; here it lets the client in all the same."""
    own = scene.chosen.signature
    others = tuple(sig for sig in SigId if sig != own)
    request = Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(ClientAuthRequest(others)))
    with scene.play(stage, Deviation("ServerHello", content=changing(extensions=(request,)))) as peer:
        configuration = replace(peer.session.configuration, client_pins=None)
        peer.session = peer.session.but(configuration=configuration)
        peer.bring("established")
        check_alive(scene, peer)
