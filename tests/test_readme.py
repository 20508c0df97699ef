"""The README's program runs as it stands and prints what the README says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_quick_start_prints_what_it_should() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    (printed,) = re.findall(r"^It prints `(.*?)`", README, re.MULTILINE)
    output = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=50)
    assert output.stdout.strip() == printed


def test_the_folders_that_it_names_are_there() -> None:
    folders = re.findall(r"^\| `(.*?)/`", README, re.MULTILINE)
    assert folders
    assert all((Path(__file__).parents[1] / folder).is_dir() for folder in folders)
