"""The GitHub action and the page about CI: what the one declares the other uses, and the steps do as they say."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[1]
ACTION: Mapping[str, Any] = yaml.safe_load((ROOT / "conformance" / "action.yml").read_text())
STEPS: tuple[Mapping[str, Any], ...] = tuple(ACTION["runs"]["steps"])
PAGE = (ROOT / "docs" / "guide" / "ci.md").read_text()
EXPRESSION = re.compile(r"\$\{\{ (\w+)\.([\w.-]+) \}\}")


def references(kind: str, text: str) -> set[str]:
    """What expressions of that kind name in a text."""
    return {name for found, name in EXPRESSION.findall(text) if found == kind}


def test_every_input_is_used_and_every_step_that_is_named_is_there() -> None:
    text = (ROOT / "conformance" / "action.yml").read_text()
    assert references("inputs", text) == ACTION["inputs"].keys()
    assert {name.split(".")[0] for name in references("steps", text)} <= {step.get("id") for step in STEPS}


def test_no_input_is_pasted_into_a_script() -> None:
    scripts = [step for step in STEPS if "run" in step]
    assert scripts
    for step in scripts:
        assert "${{" not in step["run"]
        assert step["shell"] == "bash"


def test_the_page_gives_the_action_only_what_it_takes() -> None:
    workflow, *_ = (
        yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    )
    (given,) = (
        step["with"] for step in workflow["jobs"]["conformance"]["steps"] if step.get("uses", "").startswith(".")
    )
    required = {name for name, one in ACTION["inputs"].items() if one.get("required")}
    assert required <= given.keys() <= ACTION["inputs"].keys()


@pytest.mark.parametrize(("fault", "status"), [("alert-in-the-clear", 1), ("dead", 2)])
def test_the_step_that_plays_fails_as_the_suite_does_and_leaves_its_report(
    fault: str, status: int, tmp_path: Path
) -> None:
    command = tmp_path / "qzmq" / "bin" / "qzmq"
    command.parent.mkdir(parents=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m qzmq_ref.cli "$@"\n')
    command.chmod(0o755)
    (step,) = (step for step in STEPS if step.get("id") == "conform")
    given = {
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "ADAPTER": f"{sys.executable} -m tests.faulty_reference {fault}",
        "CASES": "handshake/classical/server/established/client_hello\nhandshake/classical/server/whole\n",
        "KNOWN": "",
        "RATCHET": str(tmp_path / "capabilities.json"),
    }
    assert step["env"].keys() == given.keys() - {"RUNNER_TEMP", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}
    played = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        env=os.environ | given,
        check=False,
        capture_output=True,
        timeout=50,
    )
    assert played.returncode == status, played.stderr.decode()
    folder = Path((tmp_path / "output").read_text().strip().removeprefix("report="))
    assert (tmp_path / "summary").read_text().startswith("QZMQ conformance: ")
    if status < 2:
        assert json.loads((folder / "result.json").read_text())["failed"] == status
        assert {path.name for path in folder.iterdir()} == {"result.json", "result.xml", "html", "shown.txt"}
        assert (folder / "html" / "index.html").exists()
        assert f"2 cases, {status} failed" in (tmp_path / "summary").read_text()
