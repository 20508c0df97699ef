"""Sidecars as their users run them: `qzmq bridge` in processes of its own, with its log at hand."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Self

import pytest

from qzmq_ref.auth import create_keys

SOURCE = Path(__file__).parent / "programs" / "plain.c"


class Sidecar:
    """A running `qzmq bridge`; `endpoints` are those it listens at. Leaving it sends SIGTERM and waits."""

    def __init__(self, *arguments: str | Path, pairs: int = 1) -> None:
        command = [sys.executable, "-m", "qzmq_ref.cli", "bridge", *map(str, arguments), "--json"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.messages: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.await_log(": listening", pairs)
        listening = (message for message in self.messages if message.endswith(": listening"))
        self.endpoints = [message.removesuffix(": listening") for message in listening]

    @property
    def endpoint(self) -> str:
        """The only one."""
        (endpoint,) = self.endpoints
        return endpoint

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.endpoint.rpartition(":")[2])

    def await_log(self, words: str, times: int = 1) -> None:
        """Wait until that many lines have the words."""
        deadline = time.monotonic() + 20
        while sum(words in message for message in self.messages) < times:
            assert time.monotonic() < deadline, f"no {words!r} in {self.messages}"
            time.sleep(0.01)

    def terminate(self) -> int:
        """SIGTERM; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self._reader.join(5)
        return status

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.messages.append(json.loads(line)["message"])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        assert self.process.stderr is not None
        self._reader.join(5)
        self.process.stderr.close()


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the key files of a server and, under clients/, of a client."""
    directory = tmp_path_factory.mktemp("keys")
    (directory / "clients").mkdir()
    create_keys(directory / "server")
    create_keys(directory / "clients" / "client")
    return directory


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tests/programs/plain.c, compiled."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("NOT RUN: there is no C compiler `cc`; the sidecar is not tested with a C program")
    program = tmp_path_factory.mktemp("programs") / "plain"
    built = subprocess.run([compiler, "-o", program, SOURCE, "-lzmq"], capture_output=True, text=True)
    if built.returncode:
        pytest.skip(f"NOT RUN: install libzmq with its headers (libzmq3-dev) to test with a C program: {built.stderr}")
    return program


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """What a test enters here is left at its end, last first."""
    with ExitStack() as stack:
        yield stack
