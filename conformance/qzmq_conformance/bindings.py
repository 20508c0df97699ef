"""Area `bindings`: greetings and frames, right and wrong, and peers that do not speak QZMQ at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from qzmq_conformance.case import Case, Failed, once
from qzmq_conformance.fault import flip
from qzmq_conformance.handshake import SEALING
from qzmq_conformance.peer import Deviation
from qzmq_conformance.scene import ROLES, Scene, check_alive
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.messages import ClientHello, build
from qzmq_ref.policy import MAX_RECORD
from qzmq_ref.records import OVERHEAD
from qzmq_ref.registries import CipherSuite, Extension, MessageType

Change = Callable[[bytes], bytes]
MAX_HANDSHAKE_MESSAGE = 2**17
MAX_SUITES = (2**16 - 4) // 4


def cases() -> Iterator[Case]:
    """Both bindings, both roles: what frames a message knows nothing of suites."""
    return once(_of_mode)


def _of_mode(mode: str) -> Iterator[Case]:
    for role in ROLES:
        for raw in (False, True):
            scene = Scene(mode, role, raw=raw)
            yield from _greetings(scene)
            yield from _frames(scene)
            yield from _sizes(scene)


def prefix(scene: Scene) -> str:
    """The beginning of an id."""
    return f"bindings/{scene.mode}/{scene.role}/{'raw' if scene.raw else 'zmtp'}"


# ---------------------------------------------------------------------- greetings


def _greetings(scene: Scene) -> Iterator[Case]:
    for name, (requirement, change) in (_WRONG_RAW if scene.raw else _WRONG_ZMTP).items():
        yield Case(f"{prefix(scene)}/greeting/{name}", (requirement,), partial(_refused, scene, change))
    for name, (requirement, change) in _RIGHT.items() if not scene.raw else ():
        yield Case(f"{prefix(scene)}/greeting/{name}", (requirement,), partial(_accepted, scene, change))
    for name, octets in _STRANGERS.items():
        requirement = "RAW-2" if scene.raw else "ZMTP-2"
        yield Case(f"{prefix(scene)}/stranger/{name}", (requirement,), partial(_refused, scene, _instead(octets)))
    yield Case(f"{prefix(scene)}/octet-by-octet", ("RAW-4" if scene.raw else "ZMTP-7",), partial(octet_by_octet, scene))
    other = replace(scene, raw=not scene.raw)
    crossed = partial(_refused, scene, _instead(other.peer_greeting))
    yield Case(f"{prefix(scene)}/stranger/other-binding", ("PAT-2",), crossed)
    if scene.role == "client":
        requirement = "RAW-4" if scene.raw else "ZMTP-7"
        yield Case(f"{prefix(scene)}/greeting/first", (requirement,), partial(_speaks_after_greeting, scene))


def _instead(octets: bytes) -> Change:
    return lambda _: octets


def _set(position: int, octets: bytes) -> Change:
    return lambda greeting: greeting[:position] + octets + greeting[position + len(octets) :]


_MECHANISMS = (b"NULL", b"PLAIN", b"CURVE", b"GSSAPI", b"qzmq", b"QZMQ2", b"QZM")
_WRONG_ZMTP: Mapping[str, tuple[str, Change]] = {
    "signature-start": ("ZMTP-2", _set(0, b"\x01")),
    "signature-end": ("ZMTP-2", _set(9, b"\x7e")),
    "version-1": ("ZMTP-3", _set(10, b"\x01")),
    "version-2": ("ZMTP-3", _set(10, b"\x02\x01")),
    "version-3.0": ("ZMTP-3", _set(10, b"\x03\x00")),
    **{f"mechanism-{name.decode()}": ("ZMTP-4", _set(12, name.ljust(20, b"\0"))) for name in _MECHANISMS},
    "mechanism-padding": ("ZMTP-4", _set(31, b"\x01")),
    "as-server-same": ("ZMTP-5", lambda greeting: _set(32, bytes([1 - greeting[32]]))(greeting)),
    "as-server-2": ("ZMTP-5", _set(32, b"\x02")),
}
_RIGHT: Mapping[str, tuple[str, Change]] = {
    "version-3.2": ("ZMTP-3", _set(11, b"\x02")),
    "version-4.0": ("ZMTP-3", _set(10, b"\x04\x00")),
    "padding": ("ZMTP-6", _set(1, b"\x11\x22\x33\x44\x55\x66\x77\x88")),
    "filler": ("ZMTP-6", _set(33, bytes(range(31)))),
}
_WRONG_RAW: Mapping[str, tuple[str, Change]] = {
    **{f"octet-{position}": ("RAW-2", flip(position)) for position in (0, 1, 2, 3, 4, 5, 7)},
    "role-same": ("RAW-3", lambda greeting: _set(6, b"C" if greeting[6:7] == b"S" else b"S")(greeting)),
    "role-unknown": ("RAW-3", _set(6, b"X")),
}
_STRANGERS: Mapping[str, bytes] = {
    "http": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "tls": bytes.fromhex("16030102000100"),
    "ssh": b"SSH-2.0-OpenSSH_9.9\r\n",
    "zeros": bytes(64),
    "newline": b"\n",
}


def _refused(scene: Scene, change: Change, stage: Stage) -> None:
    """A greeting that is refused in silence: of the target there is at most its own greeting."""
    with scene.play(stage) as peer:
        right = peer.binding.greeting()
        peer.link.send(change(right))
        peer.link.expect_end(but=scene.target_greeting)
        stage.check_unreached()


def _accepted(scene: Scene, change: Change, stage: Stage) -> None:
    """An unusual greeting: the session comes about, with these octets in its prologue."""
    with scene.play(stage) as peer:
        peer.greeting = change(peer.binding.greeting())
        peer.bring("established")
        check_alive(scene, peer)


def octet_by_octet(scene: Scene, stage: Stage) -> None:
    """The transport may cut anywhere: every octet of the peer in a segment of its own."""
    with scene.play(stage) as peer:
        peer.link.segment = 1
        peer.bring("established")
        check_alive(scene, peer)


def _speaks_after_greeting(scene: Scene, stage: Stage) -> None:
    """While the last octet of the server's greeting is missing, a client has sent its own greeting and no more."""
    with scene.play(stage) as peer:
        greeting = peer.binding.greeting()
        peer.link.send(greeting[:-1])
        peer.link.take(len(greeting))
        if not peer.link.is_silent(0.2) or peer.link.unread:
            raise Failed(f"{peer.link.unread[:32].hex()} after half a greeting", "nothing before the whole greeting")


# ---------------------------------------------------------------------- frames


def _frames(scene: Scene) -> Iterator[Case]:
    """Frames that hold no QZMQ message, in every state."""
    wrong = _WRONG_RAW_FRAMES if scene.raw else _WRONG_FRAMES
    for state in scene.states:
        for name, octets in wrong.items():
            play = partial(_wrong_frame, scene, state, octets)
            requirement = "RAW-5" if scene.raw else "ZMTP-8"
            yield Case(f"{prefix(scene)}/frame/{state}/{name}", (requirement,), play, "unexpected_message")
    if not scene.raw:
        yield Case(f"{prefix(scene)}/frame/long-form", ("ZMTP-9",), partial(_long_form, scene))


def _command(name: bytes, body: bytes) -> bytes:
    return bytes([0x04, 1 + len(name) + len(body), len(name)]) + name + body


_WRONG_FRAMES: Mapping[str, bytes] = {
    "message": b"\x00\x05hello",
    "message-more": b"\x01\x05hello",
    "message-long": b"\x02" + (5).to_bytes(8) + b"hello",
    "flags-command-more": b"\x05\x09\x04QZMQ....",
    "flags-reserved": b"\x84\x09\x04QZMQ....",
    "flags-0xff": b"\xff\x09\x04QZMQ....",
    "ready": _command(b"READY", b"\x0bSocket-Type\x00\x00\x00\x06DEALER"),
    "error": _command(b"ERROR", b"\x03400"),
    "ping": _command(b"PING", b"\x00\x00"),
    "subscribe": _command(b"SUBSCRIBE", b""),
    "curve-hello": _command(b"HELLO", bytes(194)),
    "name-case": _command(b"qzmq", b"...."),
    "name-longer": _command(b"QZMQ2", b"...."),
    "no-message": _command(b"QZMQ", b""),
    "no-name": b"\x04\x00",
    "size-0-long": b"\x06" + bytes(8),
}
_WRONG_RAW_FRAMES: Mapping[str, bytes] = {"empty": bytes(4)}


def _wrong_frame(scene: Scene, state: str, octets: bytes, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        peer.link.send(octets)
        peer.expect_alert("unexpected_message", sealed=state in SEALING)


def _long_header(size: int) -> bytes:
    return b"\x06" + (5 + size).to_bytes(8) + b"\x04QZMQ"


def _long_form(scene: Scene, stage: Stage) -> None:
    """Small messages behind 8 octets of size, as libzmq too accepts them."""
    with scene.play(stage) as peer:
        peer.header = _long_header
        peer.bring("established")
        check_alive(scene, peer)


# ---------------------------------------------------------------------- sizes


def _sizes(scene: Scene) -> Iterator[Case]:
    """Announced sizes above the limit in force, refused before the octets come; and one message of the largest size."""
    limit_rule = "RAW-6" if scene.raw else "ZMTP-10"
    for state in scene.states:
        limit = MAX_RECORD + OVERHEAD if state == "established" else MAX_HANDSHAKE_MESSAGE
        rules = (limit_rule, "REC-3" if state == "established" else "HS-1", "SEC-1")
        largest = 2**32 - 1 if scene.raw else 2**63 - 6
        for name, size in (("above", limit + 1), ("largest", largest)):
            play = partial(_too_long, scene, state, size)
            yield Case(f"{prefix(scene)}/size/{state}/{name}", rules, play, "record_overflow")
    if scene.role == "server":
        for size in (MAX_HANDSHAKE_MESSAGE - 1, MAX_HANDSHAKE_MESSAGE):
            play = partial(_large_hello, scene, size)
            yield Case(f"{prefix(scene)}/size/start/whole-{size}", (limit_rule, "HS-1"), play)


def _large_hello(scene: Scene, size: int, stage: Stage) -> None:
    """A ClientHello of that many octets, which GREASE fills up (REG-11)."""

    def filled(hello: ClientHello) -> ClientHello:
        suites = (CipherSuite(0xFA, 0xFA, 0xFA, 0xFA),) * (MAX_SUITES - len(hello.suites)) + hello.suites
        full = replace(hello, suites=suites, extensions=(Extension(0xFAFA, b""),))
        return replace(full, extensions=(Extension(0xFAFA, bytes(size - 1 - len(build(full)))),))

    with scene.play(stage, Deviation("ClientHello", content=filled)) as peer:
        peer.bring("established")
        check_alive(scene, peer)


def _too_long(scene: Scene, state: str, size: int, stage: Stage) -> None:
    with scene.play(stage) as peer:
        peer.bring(state)
        header = size.to_bytes(4) if scene.raw else _long_header(size)
        peer.link.send(header + bytes([MessageType.DATA]))
        peer.expect_alert("record_overflow", sealed=state in SEALING)
