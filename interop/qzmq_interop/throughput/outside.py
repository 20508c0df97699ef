"""A side that another implementation plays: a program that is told what to measure in lines of JSON.

The protocol is in interop/README.md. The process that runs the program only carries lines, and is idle while the
program's clock runs.
"""

from __future__ import annotations

import json
import subprocess
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Any, Protocol

from qzmq_interop.throughput.contestants import Program
from qzmq_interop.throughput.measures import Plan
from qzmq_interop.throughput.mechanisms import Keys, Mechanism
from qzmq_interop.throughput.side import Role

FAREWELL = 5.0
"""Seconds that a program gets to end after its last line."""


class NotRun(Exception):
    """A side cannot take part: not built, not installed, or its library lacks the mechanism. The message says which."""


class Named(Protocol):
    """A measurement: its name is what the program is told."""

    __name__: str


@dataclass(frozen=True)
class Outside:
    """A running program that has opened its side."""

    process: subprocess.Popen[str]
    errors: deque[str]
    """The last lines of its standard error, as long as `reader` has not come to the end of that."""
    reader: threading.Thread
    link: Connection

    def measure(self, work: Named, plan: Plan) -> tuple[dict[str, float], float]:
        """Figures and processor time as the program reports them. RuntimeError with its words if it fails."""
        self.say({"measure": work.__name__, "plan": asdict(plan)})
        while True:
            match self.hear():
                case {"tell": word}:
                    self.link.send(word)
                case {"hear": True}:
                    self.say({"told": self.link.recv()})
                case {"figures": dict(figures), "cpu": cpu}:
                    return {name: float(value) for name, value in figures.items()}, float(cpu)
                case {"error": text}:
                    raise RuntimeError(text)
                case other:
                    raise RuntimeError(f"the program said {other!r}, which the side protocol does not have")

    def say(self, line: Mapping[str, Any]) -> None:
        """One line to the program."""
        if self.process.stdin is not None:
            self.process.stdin.write(json.dumps(line) + "\n")
            self.process.stdin.flush()

    def hear(self) -> Any:
        """Its next line."""
        line = self.process.stdout.readline() if self.process.stdout is not None else ""
        if not line:
            self.reader.join(1)
            raise RuntimeError(f"the program ended: {' / '.join(map(str.strip, self.errors)) or 'without a word'}")
        return json.loads(line)


@contextmanager
def open_program(program: Program, mechanism: Mechanism, keys: Keys, role: Role, link: Connection) -> Iterator[Outside]:
    """Start the program and open its side. Raises `NotRun` if it cannot be started or will not speak the mechanism."""
    pipe = subprocess.PIPE
    try:
        process = subprocess.Popen(program.command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    except OSError as error:
        raise NotRun(f"{program.name}: {program.command[0]}: {error.strerror}") from None
    errors: deque[str] = deque(maxlen=8)
    reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    outside = Outside(process, errors, reader, link)
    try:
        _open(outside, program, mechanism, keys, role)
        yield outside
    finally:
        _end(process)


def _open(outside: Outside, program: Program, mechanism: Mechanism, keys: Keys, role: Role) -> None:
    suites = [str(suite) for suite in mechanism.suites]
    opening = {"role": role, "mechanism": mechanism.kind, "suites": suites, "keys": keys.as_text(role)}
    try:
        outside.say({"open": opening})
        answer = outside.hear()
    except (RuntimeError, OSError, ValueError) as error:
        raise NotRun(f"{program.name}: {error}") from None
    if "opened" not in answer:
        raise NotRun(f"{program.name}: {answer.get('error', answer)}")


def _end(process: subprocess.Popen[str]) -> None:
    """End of its input asks the program to end."""
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
    try:
        process.wait(FAREWELL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
