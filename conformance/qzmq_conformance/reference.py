"""The reference's adapter: `python -m qzmq_conformance.reference`. What it answers is in `adapter.schema.json`."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import version
from typing import Any, TypeAlias

import zmq

from qzmq_conformance.capabilities import PROTOCOL, names
from qzmq_conformance.contexts import Contexts
from qzmq_conformance.security import Security
from qzmq_ref.spec.tables import tables

Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]
LACKS = {"features": {"events"}, "vectors": names()["vectors"]}
CAPABILITIES = {place: sorted(known - LACKS.get(place, set())) for place, known in names().items()}
ADDED = [row["Property"] for row in tables()["added-properties"]]
PROPERTIES = ("Socket-Type", "X-Own", "X-QZMQ-Other", "__Other", *ADDED)
SECURITY = ("policy", "server", "secret_key", "server_key", "client_keys", "ca", "server_name")
_UNREACHABLE = (zmq.EAGAIN, zmq.EHOSTUNREACH)


class Unsupported(Exception):
    """What was asked for is not there."""


class Adapter:
    """Sockets by number, served one request after the other."""

    def __init__(self, emit: Callable[[Answer], None]) -> None:
        self._emit = emit
        self._contexts = Contexts()
        self._sockets: dict[int, zmq.Socket[bytes]] = {}
        self._numbers = itertools.count(1)
        self._poller = zmq.Poller()
        verbs = (self.describe, self.open, self.send, self.recv, self.control)
        self._verbs: dict[str, Callable[[Request], Answer]] = {verb.__name__: verb for verb in verbs}

    def run(self, lines: Iterable[str]) -> None:
        """Serves until `shutdown` or the end of the lines; then closes everything."""
        for request in map(json.loads, lines):
            if request["verb"] == "shutdown":
                self._emit({"id": request["id"]})
                break
            self._answer(request)
        for socket in self._sockets.values():
            socket.close(linger=0)
        self._contexts.close()

    def describe(self, _: Request) -> Answer:
        about = {"name": "qzmq_ref", "version": version("qzmq-ref"), "libzmq": zmq.zmq_version()}
        return {"protocol": PROTOCOL, **about, "capabilities": CAPABILITIES}

    def open(self, request: Request) -> Answer:
        if unknown := set(request["features"]) - set(CAPABILITIES["features"]):
            raise Unsupported(f"feature {', '.join(sorted(unknown))}")
        security = request["security"]
        context = self._contexts.get(secured=bool(security), judged=bool(security and security["zap"]))
        socket = context.socket(zmq.SocketType[request["pattern"]])
        try:
            socket.linger = 0
            for option, value in request["options"].items():
                socket.set(zmq.SocketOption[option], value.encode() if isinstance(value, str) else value)
            if security:
                _secure(socket, Security.from_json(security))
            (socket.bind if request["bind"] else socket.connect)(request["endpoint"])
        except BaseException:
            socket.close(linger=0)
            raise
        number = next(self._numbers)
        self._sockets[number] = socket
        self._poller.register(socket, zmq.POLLIN)
        return {"socket": number, "endpoint": socket.getsockopt_string(zmq.LAST_ENDPOINT)}

    def send(self, request: Request) -> Answer:
        parts = [bytes.fromhex(part) for part in request["parts"]]
        try:
            self._sockets[request["socket"]].send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in _UNREACHABLE:
                raise
            return {"sent": False}
        return {"sent": True}

    def recv(self, _: Request) -> Answer:
        ready = dict(self._poller.poll(0))
        messages: list[Answer] = []
        for number, socket in self._sockets.items():
            while socket in ready and int(socket.get(zmq.EVENTS)) & zmq.POLLIN:
                frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
                parts = [frame.bytes.hex() for frame in frames]
                messages.append({"socket": number, "parts": parts, "properties": _properties(frames[-1])})
        return {"messages": messages}

    def control(self, request: Request) -> Answer:
        if request["action"] == "close":
            socket = self._sockets.pop(request["socket"])
            self._poller.unregister(socket)
            socket.close(linger=0)
        elif request["action"] != "case":  # nothing to do for that one: a breakpoint can look at request["case"]
            raise Unsupported(f"action {request['action']}")
        return {}

    def _answer(self, request: Request) -> None:
        try:
            verb = self._verbs.get(request["verb"])
            answer: Answer = verb(request) if verb else {"unsupported": f"verb {request['verb']}"}
        except Unsupported as lacking:
            answer = {"unsupported": str(lacking)}
        except Exception as error:  # noqa: BLE001  (every failure is the answer)
            answer = {"error": f"{type(error).__name__}: {error}"}
        self._emit({"id": request["id"], **answer})


def _properties(frame: zmq.Frame) -> dict[str, str]:
    """What libzmq tells the application of the peer; a property that is not there has no entry."""
    found: dict[str, str] = {}
    for name in PROPERTIES:
        with contextlib.suppress(zmq.ZMQError):
            found[name] = str(frame.get(name))
    return found


def _secure(socket: zmq.Socket[bytes], security: Security) -> None:
    """The attributes an application sets; empty ones are left alone."""
    for name in SECURITY:
        if (value := getattr(security, name)) not in ("", None):
            setattr(socket, f"qzmq_{name.replace('_', '')}", value)
    if security.zap:
        socket.set(zmq.ZAP_DOMAIN, security.zap.encode())


def _emit(line: Answer) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serves requests on standard input until its end."""
    Adapter(_emit).run(sys.stdin)


if __name__ == "__main__":
    main()
