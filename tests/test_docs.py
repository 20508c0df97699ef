"""The guide tells the truth: every code block of a page runs, in order, in one directory."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from qzmq_conformance.capabilities import FEATURES
from qzmq_ref.spec.tables import requirements

GUIDE = Path(__file__).parents[1] / "docs" / "guide"
PAGES = sorted(GUIDE.glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS = {"qzmq": f'"{sys.executable}" -m qzmq_ref.cli', "python": f'"{sys.executable}"'}


@dataclass(frozen=True)
class Block:
    """A fence and where it stands."""

    page: Path
    line: int
    language: str
    text: str

    def run(self, names: dict[str, Any]) -> None:
        """Run it; Python blocks of a page share `names`, and a traceback shows the page's own line."""
        if self.language == "python":
            exec(compile("\n" * self.line + self.text, str(self.page), "exec"), names)  # noqa: S102
        elif self.language == "sh":
            subprocess.run(["bash", "-euc", self.text], check=True, timeout=50)
        elif self.language == "yaml":
            assert yaml.safe_load(self.text)
        elif self.language != "text":
            pytest.fail(f"{self.page.name}:{self.line}: a block in {self.language!r} cannot be run")


def blocks(page: Path) -> Iterator[Block]:
    """The fences of a page, in order."""
    text = page.read_text()
    for match in BLOCK.finditer(text):
        yield Block(page, text.count("\n", 0, match.start()) + 1, match[1], match[2])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, command in COMMANDS.items():
        (folder / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    names: dict[str, Any] = {"__name__": page.stem}
    try:
        for block in blocks(page):
            block.run(names)
    finally:  # what a page started in the background, it also ends; unless it failed
        for left in tmp_path.glob("*.pid"):
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(left.read_text()), signal.SIGTERM)


def test_troubleshooting_knows_every_alert() -> None:
    """Whatever a rule answers, the guide says what to do about it."""
    page = (GUIDE / "troubleshooting.md").read_text()
    sent = {alert for requirement in requirements().values() for alert in requirement.alerts}
    assert {alert for alert in sent if f"`{alert}`" not in page} == set()


def test_adapter_page_knows_every_feature() -> None:
    page = (GUIDE / "adapter.md").read_text()
    assert [name for name, meaning in FEATURES.items() if f"| `{name}` | {meaning} |" not in page] == []


def test_guide_names_requirements_that_exist() -> None:
    named = {identifier for page in PAGES for identifier in re.findall(r"`([A-Z]+-\d+)`", page.read_text())}
    assert named <= requirements().keys()
