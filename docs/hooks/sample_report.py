"""MkDocs hook: a sample of the report, played while the site is built: the reference beside one with a fault in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

from qzmq_conformance.pages import Report, render
from qzmq_conformance.results import Run, read

ROOT = Path(__file__).parents[2]
CASES = ("handshake/hybrid/*", "records/hybrid/*/order/*")
FAULT = "order-unchecked"
ADAPTERS = {
    "Reference": "python -m qzmq_conformance.reference",
    f"Reference, {FAULT}": f"python -m tests.faulty_reference {FAULT}",
}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the sample, with links to the specification beside it."""
    for name, text in sample().items():
        files.append(File.generated(config, f"report/{name}", content=text))
    return files


@cache
def sample() -> Mapping[str, str]:
    """The files of the report: played once, however often the site is built."""
    return dict(render(Report(tuple(_runs()), "../spec")))


def _runs() -> Iterator[Run]:
    chosen = [word for case in CASES for word in ("--case", case)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with TemporaryDirectory() as folder:
        for name, adapter in ADAPTERS.items():
            file = str(Path(folder) / "result.json")
            command = [sys.executable, "-m", "qzmq_conformance.main", *chosen, "--patience", "1", "--json", file]
            played = subprocess.run(  # noqa: S603  (nothing of it is from outside)
                [*command, "--adapter", adapter],
                cwd=ROOT,
                env=os.environ | {"PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            if played.returncode not in (0, 1):
                raise PluginError(f"the sample report: {played.stdout}{played.stderr}")
            yield replace(read([file])[0], name=name)
