"""MkDocs hook: a sample of the matrix, played while the site is built: the reference, and who sends in the clear."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
LIAR = "in-the-clear=python -m tests.lying_adapter plaintext"
CELLS = (
    "null/*/reference+reference/*",
    "*/hybrid/reference+reference/*",
    "patterns/hybrid/in-the-clear+in-the-clear/*",
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the sample."""
    for name, text in sample().items():
        files.append(File.generated(config, f"matrix/{name}", content=text))
    return files


@cache
def sample() -> Mapping[str, str]:
    """The files of the report: played once, however often the site is built."""
    chosen = [word for cell in CELLS for word in ("--only", cell)]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    with TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "qzmq_ref.cli", "interop", "--implementation", LIAR, *chosen, "--html", folder]
        played = subprocess.run(  # noqa: S603  (nothing of it is from outside)
            command, cwd=ROOT, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
        )
        if played.returncode not in (0, 1):
            raise PluginError(f"the sample matrix: {played.stdout}{played.stderr}")
        return {path.name: path.read_text(encoding="utf-8") for path in Path(folder).iterdir()}
