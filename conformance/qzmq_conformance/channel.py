"""The pipe to an adapter: one JSON object a line, requests with numbers out, answers with the same numbers in.

    {"id": 7, "verb": "send", "case": "close/hybrid/server/...", "socket": 3, "parts": ["6869"]}
    {"id": 7, "sent": true}                     the answer, or one of these two:
    {"id": 7, "unsupported": "verb send"}       it does not have that
    {"id": 7, "error": "no such socket"}        it has it, and it went wrong

What each verb asks and answers is in `adapter.schema.json`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Any

from qzmq_conformance.failure import Failed, Undriven

ANSWER_WITHIN = 10.0  # seconds
END_WITHIN = 5.0  # seconds
Answer = Mapping[str, Any]

CASE: ContextVar[str] = ContextVar("CASE", default="")
"""The id of the case that this thread plays; every request carries it."""


class Channel:
    """A running adapter. `close` ends it."""

    def __init__(self, command: Sequence[str]) -> None:
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
        self._answers: dict[int, Future[Answer]] = {}
        self._asked = 0
        self._gone = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """Asks it to shut down, closes its standard input, and kills it if that is not enough."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(Undriven):  # it is gone already, or the end of its standard input must do
            self._exchange({"verb": "shutdown"}, END_WITHIN)
        self._process.stdin.close()
        try:
            self._process.wait(END_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_WITHIN)
        self._process.stdout.close()
        self._log.close()

    def ask(self, verb: str, *, wants: Sequence[str] = (), **arguments: object) -> Answer:
        """The answer to a request within what the adapter claims, with what it `wants` in it.

        `Failed` if the answer is an error, or `unsupported`; `Undriven` if it is none of the protocol.
        """
        found = self.answer(verb, **arguments)
        if "unsupported" in found:
            raise Failed(f"the adapter answers {verb} with unsupported {found['unsupported']}", "an answer")
        if "error" in found:
            raise Failed(f"the adapter answers {verb} with the error {found['error']}", "an answer")
        if missing := set(wants) - found.keys():
            raise Undriven(f"{verb}: the answer lacks {', '.join(sorted(missing))}")
        return found

    def answer(self, verb: str, **arguments: object) -> Answer:
        """The answer to one request, whatever it is; `Undriven` if there is none."""
        return self._exchange({"verb": verb, "case": CASE.get(), **arguments}, ANSWER_WITHIN)

    def give_up(self, why: str) -> None:
        """Nothing more is asked: each request, present and future, is `Undriven` for this reason."""
        with self._lock:
            self._gone = self._gone or why
            for answer in self._answers.values():
                answer.set_result({})
            self._answers.clear()

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

    def _exchange(self, request: Mapping[str, object], within: float) -> Answer:
        answer: Future[Answer] = Future()
        self._write({"id": self._expect(answer), **request})
        try:
            found = answer.result(within)
        except TimeoutError:
            self.give_up(f"no answer to {request['verb']} within {within:.0f} s")
            found = {}
        if not found:
            raise Undriven(f"{self._gone}\n{self.log()}")
        return found

    def _expect(self, answer: Future[Answer]) -> int:
        with self._lock:
            if self._gone:
                raise Undriven(f"{self._gone}\n{self.log()}")
            self._asked += 1
            self._answers[self._asked] = answer
            return self._asked

    def _write(self, request: Mapping[str, object]) -> None:
        assert self._process.stdin is not None
        line = json.dumps(request).encode() + b"\n"
        try:
            with self._writing:
                self._process.stdin.write(line)
        except OSError as error:
            raise Undriven(f"the adapter's process is gone: {error}\n{self.log()}") from error

    def _standard_error(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def _read(self) -> None:
        assert self._process.stdout is not None
        buffered, why = b"", "the adapter's process ended"
        try:
            while octets := self._process.stdout.read(1 << 16):
                *lines, buffered = (buffered + octets).split(b"\n")
                for line in lines:
                    self._take(line)
        except (ValueError, LookupError, TypeError) as error:
            why = f"what the adapter writes is no answer: {error}"
        self.give_up(why)

    def _take(self, line: bytes) -> None:
        try:
            found = json.loads(line)
            number = found["id"]
        except (ValueError, LookupError, TypeError):
            raise ValueError(line[:200].decode(errors="replace")) from None
        with self._lock:
            answer = self._answers.pop(number)
        answer.set_result(found)
