"""An adapter but for the library that it drives: write a `Library`, and `serve` it.

Nothing is imported that Python does not bring along, so this file is also what to translate for a library in another
language: `Adapter` is the whole protocol, and the methods of `Library` are what an application does with a socket. Four
of them are enough to begin with; the others refuse until they are written.
"""

# ruff: noqa: ARG002  (what a library does not have, it asks for all the same)

from __future__ import annotations

import itertools
import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

PROTOCOL = 1
Request: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Mapping[str, Any]
Socket = TypeVar("Socket")


class Unsupported(Exception):
    """The library does not have what was asked for. Raise it for nothing else: an error is an error."""


class Refused(Exception):
    """A vector is not what the specification allows: the alert that the library would send, by its name.

    `at` is which of the vector's messages or records it refuses, from 0, where there are several.
    """

    def __init__(self, alert: str, at: int | None = None, requirement: str = "") -> None:
        super().__init__(alert)
        told = {"alert": alert, "at": at, "requirement": requirement}
        self.answer = {name: value for name, value in told.items() if value not in (None, "")}


class Library(ABC, Generic[Socket]):
    """The implementation under test. `about` is its name and version; claim in `capabilities` what it has."""

    about: Mapping[str, str]
    capabilities: Mapping[str, Sequence[str]]

    @abstractmethod
    def open(self, request: Request) -> tuple[Socket, str]:
        """A new socket of `pattern`, bound to or connected with `endpoint`, and the endpoint with its port.

        `security` is null for plain ZMTP NULL. `case` is what this is for: stop here to look at one case.
        """

    @abstractmethod
    def send(self, socket: Socket, parts: Sequence[bytes]) -> bool:
        """Sends a message if the socket takes it at once; whether it did."""

    @abstractmethod
    def receive(self, socket: Socket) -> tuple[Sequence[bytes], Mapping[str, str]] | None:
        """The next message that is there already, and what the application can read of the peer beside it."""

    def readable(self, sockets: Collection[Socket]) -> Collection[Socket]:
        """Those that may have something to receive: fewer than all, if one call of the library can tell."""
        return sockets

    @abstractmethod
    def close(self, socket: Socket) -> None:
        """Closes the socket, and drops what it has not sent."""

    def end(self) -> None:
        """What is left to do when all sockets are closed."""

    def vector(self, kind: str, operation: str, given: Request) -> Answer:
        """What the library makes of a test vector; `Refused` if it must not go on."""
        raise Unsupported(f"operation {operation} on vectors of kind {kind}")

    def events(self, socket: Socket) -> tuple[Sequence[Answer], Mapping[str, int]]:
        """What became of this socket's connections since the last time, and what there is to count, if anything is."""
        raise Unsupported("verb events")

    def rekey(self, socket: Socket, *, generation: bool) -> None:
        """Takes a step of every session's sending key, or asks for a new generation."""
        raise Unsupported("action rekey")

    def resume(self, socket: Socket, *, ticket: bool) -> None:
        """Whether the next connection of a client may offer a ticket."""
        raise Unsupported("action resume")

    def export(self, socket: Socket, label: str, context: bytes, length: int) -> bytes:
        """Keying material of the socket's one session."""
        raise Unsupported("action export")


class Adapter(Generic[Socket]):
    """Serves one request after the other; sockets are known by number."""

    def __init__(self, library: Library[Socket], emit: Callable[[Answer], None]) -> None:
        self._library = library
        self._emit = emit
        self._sockets: dict[int, Socket] = {}
        self._numbers = itertools.count(1)
        verbs = (self.describe, self.open, self.send, self.recv, self.control, self.events, self.vector)
        self._verbs: dict[str, Callable[[Request], Answer]] = {verb.__name__: verb for verb in verbs}

    def run(self, lines: Iterable[str]) -> None:
        """Serves until `shutdown` or the end of the lines; then closes everything."""
        for request in map(json.loads, lines):
            if request["verb"] == "shutdown":
                self._emit({"id": request["id"]})
                break
            self._answer(request)
        for socket in self._sockets.values():
            self._library.close(socket)
        self._library.end()

    def describe(self, _: Request) -> Answer:
        """Who this is, and what it has."""
        return {"protocol": PROTOCOL, **self._library.about, "capabilities": self._library.capabilities}

    def open(self, request: Request) -> Answer:
        """A socket, unless it needs a feature that was not claimed."""
        if unknown := sorted(set(request["features"]) - set(self._library.capabilities["features"])):
            raise Unsupported(f"feature {', '.join(unknown)}")
        socket, endpoint = self._library.open(request)
        number = next(self._numbers)
        self._sockets[number] = socket
        return {"socket": number, "endpoint": endpoint}

    def send(self, request: Request) -> Answer:
        """The suite asks again while it is not sent."""
        parts = [bytes.fromhex(part) for part in request["parts"]]
        return {"sent": self._library.send(self._sockets[request["socket"]], parts)}

    def recv(self, _: Request) -> Answer:
        """Whatever has reached any socket since the last time."""
        messages: list[Answer] = []
        numbers = {socket: number for number, socket in self._sockets.items()}
        for socket in self._library.readable(numbers.keys()):
            while received := self._library.receive(socket):
                parts, properties = received
                octets = [part.hex() for part in parts]
                messages.append({"socket": numbers[socket], "parts": octets, "properties": properties})
        return {"messages": messages}

    def control(self, request: Request) -> Answer:
        """One action on one socket. `case`: another case begins on it; stop here to look at one case."""
        library, socket = self._library, self._sockets[request["socket"]]
        match request["action"]:
            case "close":
                library.close(self._sockets.pop(request["socket"]))
            case "rekey":
                library.rekey(socket, generation=request["generation"])
            case "resume":
                library.resume(socket, ticket=request["ticket"])
            case "export":
                context = bytes.fromhex(request["context"])
                return {"octets": library.export(socket, request["label"], context, request["length"]).hex()}
            case "case":
                pass
            case unknown:
                raise Unsupported(f"action {unknown}")
        return {}

    def events(self, _: Request) -> Answer:
        """What has happened on every socket since the last time."""
        events: list[Answer] = []
        counters: list[Answer] = []
        for number, socket in self._sockets.items():
            happened, counted = self._library.events(socket)
            events += ({"socket": number, **event} for event in happened)
            counters += [{"socket": number, **counted}] if counted else []
        return {"events": events, "counters": counters}

    def vector(self, request: Request) -> Answer:
        """One operation on one test vector."""
        if request["kind"] not in self._library.capabilities["vectors"]:
            raise Unsupported(f"vectors of kind {request['kind']}")
        try:
            return {"output": self._library.vector(request["kind"], request["operation"], request["input"])}
        except Refused as refused:
            return {"refused": refused.answer}

    def _answer(self, request: Request) -> None:
        try:
            verb = self._verbs.get(request["verb"])
            answer: Answer = verb(request) if verb else {"unsupported": f"verb {request['verb']}"}
        except Unsupported as lacking:
            answer = {"unsupported": str(lacking)}
        except Exception as error:  # noqa: BLE001  (every failure is the answer)
            answer = {"error": f"{type(error).__name__}: {error}"}
        self._emit({"id": request["id"], **answer})


def emit(answer: Answer) -> None:
    """One line on standard output."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def serve(library: Library[Socket]) -> None:
    """Serves requests on standard input until its end."""
    Adapter(library, emit).run(sys.stdin)
