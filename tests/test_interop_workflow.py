"""The workflow to copy: what it uses is there, and gets what it takes; nothing is pasted into a script."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
WORKFLOW: Mapping[str, Any] = yaml.safe_load((ROOT / "interop" / "github" / "qzmq.yml").read_text())
CHECKOUT = "./qzmq/"


def steps() -> Iterator[Mapping[str, Any]]:
    for job in WORKFLOW["jobs"].values():
        yield from job["steps"]


def test_the_actions_of_this_repository_get_what_they_take() -> None:
    used = [step for step in steps() if step.get("uses", "").startswith(CHECKOUT)]
    assert used
    for step in used:
        action = yaml.safe_load((ROOT / step["uses"].removeprefix(CHECKOUT) / "action.yml").read_text())
        required = {name for name, one in action["inputs"].items() if one.get("required")}
        assert required <= step["with"].keys() <= action["inputs"].keys()


def test_its_scripts_name_files_that_are_there_and_no_expressions() -> None:
    scripts = [step["run"] for step in steps() if "run" in step]
    named = [word.removeprefix("qzmq/") for script in scripts for word in script.split() if word.startswith("qzmq/")]
    assert "interop/go-luxfi/build.sh" in named
    assert all((ROOT / name).exists() for name in named)
    assert not any("${{" in script for script in scripts)


def test_it_may_read_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
