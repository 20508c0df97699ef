"""The reference behind the protocol of `qzmq_conformance.target`: `python -m qzmq_conformance.reference`."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

import zmq

import qzmq_ref
from qzmq_conformance.security import Security
from qzmq_ref.spec.tables import tables

SEND_WITHIN = 5.0  # seconds a message waits for a peer before it is dropped
PROPERTIES = (
    "Socket-Type",
    *(row["Property"] for row in tables()["added-properties"]),
    "X-Own",
    "X-QZMQ-Other",
    "__Other",
)
ZAP = "inproc://zeromq.zap.01"
_RETRY = 5  # milliseconds between two attempts to send
_UNREACHABLE = (zmq.EAGAIN, zmq.EHOSTUNREACH)


@dataclass
class Held:
    """A socket, and the messages its pattern does not let go yet with the time after which each is dropped."""

    socket: zmq.Socket[bytes]
    echo: bool
    waiting: deque[tuple[float, list[bytes]]] = field(default_factory=deque)


class Station:
    """Sockets by number, served by one loop: requests from standard input, messages from the sockets."""

    def __init__(self, emit: Callable[[Mapping[str, Any]], None]) -> None:
        self._emit = emit
        self._contexts: dict[tuple[bool, bool], zmq.Context[zmq.Socket[bytes]]] = {}
        self._handlers: list[zmq.Socket[bytes]] = []
        self._held: dict[int, Held] = {}
        self._opened = 0
        self._poller = zmq.Poller()
        self._verbs: dict[str, Callable[[Mapping[str, Any]], Mapping[str, Any]]] = {
            "describe": self.describe,
            "open": self.open,
            "send": self.send,
            "close": self.close,
        }

    def run(self, requests: int) -> None:
        """Serves until `requests`, a file descriptor, is at its end; then closes everything."""
        self._poller.register(requests, zmq.POLLIN)
        buffered = b""
        while True:
            ready = dict(self._poller.poll(_RETRY if self._waiting() else None))
            if requests in ready:
                octets = os.read(requests, 1 << 16)
                if not octets:
                    break
                *lines, buffered = (buffered + octets).split(b"\n")
                for line in lines:
                    self._answer(json.loads(line))
            self._serve(ready)
        for held in self._held.values():
            held.socket.close(linger=0)
        for handler in self._handlers:
            handler.close(linger=0)
        for context in self._contexts.values():
            context.term()

    def _serve(self, ready: Collection[object]) -> None:
        """What the sockets that are ready have to say."""
        for handler in self._handlers:
            if handler in ready:
                judge(handler)
        for number in [number for number, held in self._held.items() if held.socket in ready]:
            self._receive(number)
        self._flush()

    def describe(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"name": "qzmq_ref", "version": version("qzmq-ref"), "libzmq": zmq.zmq_version()}

    def open(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        security = request["security"]
        context = self._context(bool(security), judged=bool(security and security["zap"]))
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
        self._opened += 1
        self._held[self._opened] = Held(socket, request["echo"])
        self._poller.register(socket, zmq.POLLIN)
        return {"socket": self._opened, "endpoint": socket.getsockopt_string(zmq.LAST_ENDPOINT)}

    def _context(self, secured: bool, *, judged: bool) -> zmq.Context[zmq.Socket[bytes]]:
        """One for each kind; where there is a ZAP handler, every socket of the Context asks it."""
        if (secured, judged) not in self._contexts:
            context = self._contexts[secured, judged] = qzmq_ref.Context() if secured else zmq.Context()
            if judged:
                handler = context.socket(zmq.ROUTER)
                handler.bind(ZAP)
                self._handlers.append(handler)
                self._poller.register(handler, zmq.POLLIN)
        return self._contexts[secured, judged]

    def send(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        parts = [bytes.fromhex(part) for part in request["message"]]
        self._held[request["socket"]].waiting.append((time.monotonic() + SEND_WITHIN, parts))
        return {}

    def close(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        held = self._held.pop(request["socket"])
        self._poller.unregister(held.socket)
        held.socket.close(linger=0)
        return {}

    def _answer(self, request: Mapping[str, Any]) -> None:
        try:
            verb = self._verbs.get(request["verb"])
            answer = verb(request) if verb else {"error": "unsupported"}
        except Exception as error:  # noqa: BLE001  (every failure is the answer)
            answer = {"error": f"{type(error).__name__}: {error}"}
        self._emit({"id": request["id"], **answer})

    def _receive(self, number: int) -> None:
        held = self._held[number]
        while int(held.socket.get(zmq.EVENTS)) & zmq.POLLIN:
            frames = held.socket.recv_multipart(zmq.NOBLOCK, copy=False)
            parts = [frame.bytes for frame in frames]
            self._emit(
                {"socket": number, "message": [part.hex() for part in parts], "properties": _properties(frames[-1])}
            )
            if held.echo and (parts[-1] or held.socket.type != zmq.STREAM):  # STREAM's are notifications
                held.waiting.append((time.monotonic(), parts))

    def _waiting(self) -> bool:
        return any(held.waiting for held in self._held.values())

    def _flush(self) -> None:
        """Sends what waits; what its pattern still refuses is kept until its time is over."""
        for held in self._held.values():
            while held.waiting:
                deadline, parts = held.waiting[0]
                try:
                    held.socket.send_multipart(parts, zmq.NOBLOCK)
                except zmq.ZMQError as error:
                    if error.errno in _UNREACHABLE and time.monotonic() < deadline:
                        break
                held.waiting.popleft()


def _properties(frame: zmq.Frame) -> dict[str, str]:
    """What libzmq tells the application of the peer; a property that is not there has no entry."""
    found = {}
    for name in PROPERTIES:
        with contextlib.suppress(zmq.ZMQError):
            found[name] = str(frame.get(name))
    return found


def judge(handler: zmq.Socket[bytes]) -> None:
    """Answers one question of ZAP (RFC 27) as the domain in it says."""
    client, delimiter, version_, number, domain, *_ = handler.recv_multipart()
    if domain != b"silent":
        user = b"judged" if domain == b"200" else b""
        handler.send_multipart([client, delimiter, version_, number, domain, b"as told", user, b""])


def _secure(socket: zmq.Socket[bytes], security: Security) -> None:
    """The attributes an application sets; empty ones are left alone."""
    attributes = {
        "qzmq_policy": security.policy,
        "qzmq_server": security.server,
        "qzmq_secretkey": security.secret_key,
        "qzmq_serverkey": security.server_key,
        "qzmq_clientkeys": security.client_keys,
        "qzmq_ca": security.ca,
        "qzmq_servername": security.server_name,
    }
    for name, value in attributes.items():
        if value not in ("", None):
            setattr(socket, name, value)
    if security.zap:
        socket.set(zmq.ZAP_DOMAIN, security.zap.encode())


def _emit(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Serves requests on standard input until its end."""
    Station(_emit).run(sys.stdin.fileno())


if __name__ == "__main__":
    main()
