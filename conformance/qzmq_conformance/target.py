"""The implementation under test as a black box: a process that opens application sockets when told to.

The process reads one JSON object a line on its standard input and writes one a line on its standard output:

    {"id": 7, "verb": "open", "pattern": "ROUTER", "bind": true, "endpoint": "tcp://127.0.0.1:*", "security": {...}}
    {"id": 7, "socket": 3, "endpoint": "tcp://127.0.0.1:40001"}          the answer, or {"id": 7, "error": "..."}
    {"socket": 3, "message": ["6869"], "properties": {"User-Id": "..."}} unasked: a message reached the application

Verbs: describe, open, send, close. Message parts are lower-case hexadecimal; `properties` is what the application can
read of the peer. The end of standard input ends the process; its standard error is its log.
"""

from __future__ import annotations

import json
import os
import queue
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from qzmq_conformance.case import Failed, Undriven
from qzmq_conformance.security import Security

REFERENCE = (sys.executable, "-m", "qzmq_conformance.reference")


Options = Mapping[str, str | int]


class Message(NamedTuple):
    """What reached an application: the parts, and the peer's properties by name."""

    parts: tuple[bytes, ...]
    properties: Mapping[str, str]


ANSWER_WITHIN = 10.0  # seconds
_TOKEN = re.compile(rb"known-octets-[0-9a-f]{24}")


def token() -> bytes:
    """Application octets that occur nowhere else: 37 octets to look for in the application and on the wire."""
    return b"known-octets-" + secrets.token_hex(12).encode()


class Target:
    """A running implementation. Context manager; leaving it ends the process."""

    def __init__(self, command: Sequence[str] = REFERENCE) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the process)
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, bufsize=0
            )
        except OSError as error:
            self._log.close()
            raise Undriven(f"{command[0]} does not start: {error}") from None
        self._lock = threading.Lock()
        self._writing = threading.Lock()  # another one: whoever waits for that pipe must not stop the reader of this
        self._answers: dict[int, Future[Mapping[str, Any]]] = {}
        self._inboxes: dict[int, queue.SimpleQueue[Message]] = {}
        self._tokens: set[bytes] = set()
        self._asked = 0
        self._gone = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        self._process.stdout.close()
        self._log.close()

    def describe(self) -> Mapping[str, Any]:
        """Name and version of the implementation."""
        return self.ask("describe", wants=("name",))

    def open(
        self,
        pattern: str,
        endpoint: str = "tcp://127.0.0.1:*",
        *,
        bind: bool,
        security: Security | None,
        options: Options | None = None,
        echo: bool = False,
    ) -> Application:
        """A new socket, bound or connected; without `security` plain ZMTP NULL. `echo`: it returns what it receives.

        `options` are libzmq's, by name: a number, or octets as text. Raises `Undriven` if the target refuses.
        """
        answer = self.ask(
            "open",
            pattern=pattern,
            endpoint=endpoint,
            bind=bind,
            security=security.to_json() if security else None,
            options=dict(options or {}),
            echo=echo,
            wants=("socket", "endpoint"),
        )
        return Application(self, answer["socket"], answer["endpoint"])

    def reached(self, octets: bytes) -> bool:
        """Whether a message that contained this `token` reached any application socket of the target."""
        return octets in self._tokens

    def ask(self, verb: str, *, wants: Sequence[str] = (), **arguments: object) -> Mapping[str, Any]:
        """The answer to one request, with what it `wants` in it; `Undriven` if there is none, or it is an error."""
        answer: Future[Mapping[str, Any]] = Future()
        assert self._process.stdin is not None
        with self._lock:
            if self._gone:
                raise Undriven(f"{self._gone}\n{self.log()}")
            self._asked += 1
            number = self._asked
            self._answers[number] = answer
        request = json.dumps({"id": number, "verb": verb, **arguments}).encode() + b"\n"
        try:
            with self._writing:
                self._process.stdin.write(request)
        except OSError as error:
            raise Undriven(f"the target's process is gone: {error}\n{self.log()}") from error
        try:
            found = answer.result(ANSWER_WITHIN)
        except TimeoutError:
            raise Undriven(f"no answer to {verb} within {ANSWER_WITHIN:.0f} s\n{self.log()}") from None
        if "error" in found:
            raise Undriven(f"{verb}: {found['error']}")
        if missing := set(wants) - found.keys():
            raise Undriven(f"{verb}: the answer lacks {', '.join(sorted(missing))}")
        return found

    def inbox(self, socket: int) -> queue.SimpleQueue[Message]:
        """The messages that reached this application socket and were not taken yet."""
        with self._lock:
            return self._inboxes.setdefault(socket, queue.SimpleQueue())

    def log(self) -> str:
        """The last 2,000 characters of the process's standard error."""
        return self._standard_error()[-2000:]

    def logged(self, *words: str, within: float = 1.0) -> bool:
        """Whether a line with all these words comes up on the process's standard error in time."""
        deadline = time.monotonic() + within
        while not any(all(word in line for word in words) for line in self._standard_error().splitlines()):
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        return True

    def _standard_error(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def _read(self) -> None:
        assert self._process.stdout is not None
        buffered, why = b"", "the target's process ended"
        try:
            while octets := self._process.stdout.read(1 << 16):
                *lines, buffered = (buffered + octets).split(b"\n")
                for line in lines:
                    self._take(json.loads(line))
        except (ValueError, LookupError, TypeError) as error:
            why = f"the target does not speak the protocol of targets: {error!r}"
        with self._lock:
            self._gone = why
            for answer in self._answers.values():
                answer.set_result({"error": f"{why}\n{self.log()}"})
            self._answers.clear()

    def _take(self, line: Mapping[str, Any]) -> None:
        if "id" in line:
            with self._lock:
                answer = self._answers.pop(line["id"])
            answer.set_result(line)
            return
        parts = tuple(bytes.fromhex(part) for part in line["message"])
        for part in parts:
            self._tokens.update(_TOKEN.findall(part))
        self.inbox(line["socket"]).put(Message(parts, line.get("properties", {})))


@dataclass
class Application:
    """One application socket inside a target. Context manager; leaving it closes the socket."""

    target: Target
    socket: int
    endpoint: str
    closed: bool = False

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of a tcp:// endpoint."""
        host, _, port = self.endpoint.removeprefix("tcp://").rpartition(":")
        return host, int(port)

    def send(self, *parts: bytes) -> None:
        """Hands a message to the application socket, which sends it as soon as its pattern allows."""
        self.target.ask("send", socket=self.socket, message=[part.hex() for part in parts])

    def receive(self, within: float = 5.0) -> tuple[bytes, ...]:
        """The parts of the next message that reached the application; `Failed` if none comes in time."""
        return self.take(within).parts

    def take(self, within: float = 5.0) -> Message:
        """The next message that reached the application; `Failed` if none comes in time."""
        try:
            return self.target.inbox(self.socket).get(timeout=within)
        except queue.Empty:
            raise Failed(f"no message reached the application within {within} s") from None

    def close(self) -> None:
        """Closes the socket; closing it again does nothing."""
        if not self.closed:
            self.closed = True
            self.target.ask("close", socket=self.socket)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
