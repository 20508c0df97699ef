"""The command `qzmq`, from its arguments to its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from qzmq_ref import cli, examples
from qzmq_ref.auth import load_key


def test_keygen_says_where_and_what(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["keygen", str(tmp_path / "server")]) == 0
    printed = capsys.readouterr().out
    key = load_key(tmp_path / "server.key_secret")
    assert key.secret is not None
    assert key.public.decode() in printed
    assert key.secret.decode() not in printed


def test_keygen_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "server")
    assert cli.main(["keygen", name, "--policy", "performance", "--comment", "mine", "--json"]) == 0
    key = load_key(f"{name}.key")
    assert json.loads(capsys.readouterr().out) == {
        "algorithm": "ED25519",
        "public_key": key.public.decode(),
        "public_file": f"{name}.key",
        "secret_file": f"{name}.key_secret",
    }
    assert key.comment == "mine"


def test_a_local_error_is_one_line_and_status_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = str(tmp_path / "server")
    assert cli.main(["keygen", name]) == 0
    assert cli.main(["keygen", name]) == 2
    assert capsys.readouterr().err.startswith(f"qzmq: {name}.key_secret exists")


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["keygen"], ["keygen", "x", "--policy", "none"], ["spec"]])
def test_a_wrong_call_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(arguments)
    assert raised.value.code == 2
    assert "usage: qzmq" in capsys.readouterr().err


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["--help"])
    assert raised.value.code == 0
    printed = capsys.readouterr().out
    assert all(command in printed for command in ("keygen", "conform", "throughput", "spec"))


@pytest.mark.parametrize(
    ("do", "stale", "status"), [("check", [], 0), ("check", ["rotation"], 1), ("write", ["rotation"], 0)]
)
@pytest.mark.parametrize("as_json", [False, True])
def test_spec_examples(
    do: str,
    stale: list[str],
    status: int,
    as_json: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked: list[bool] = []

    def refresh(*, write: bool) -> list[str]:
        asked.append(write)
        return stale

    monkeypatch.setattr(examples, "refresh", refresh)
    assert cli.main(["spec", "examples", do, *["--json"] * as_json]) == status
    printed = capsys.readouterr().out
    assert asked == [do == "write"]
    if as_json:
        assert json.loads(printed) == {"stale": stale, "written": do == "write"}
    else:
        assert all(page in printed for page in stale)


@pytest.mark.parametrize("command", cli.FORWARDED)
def test_other_packages_get_the_rest_of_the_line(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main([command, "--help"])
    assert raised.value.code == 0
    assert f"usage: qzmq {command}" in capsys.readouterr().out


def test_keygen_loads_no_other_package(tmp_path: Path) -> None:
    program = (
        "import sys; from qzmq_ref import cli; cli.main(['keygen', sys.argv[1]]); "
        "print({'qzmq_conformance', 'qzmq_interop', 'rich', 'kyber_py'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "server")]
    shown = subprocess.run(command, check=True, capture_output=True, text=True)
    assert shown.stdout.splitlines()[-1] == "set()"
