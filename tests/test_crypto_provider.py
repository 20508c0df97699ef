"""The choice of a provider."""

from __future__ import annotations

import subprocess
import sys

import pytest

from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto import provider


@pytest.mark.parametrize("name", ["openssl", "pure"])
def test_a_provider_knows_its_name(name: str) -> None:
    assert provider(name).name == name


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(LocalError, match="'openssl' or 'pure'"):
        provider("liboqs")


def test_the_pure_libraries_are_loaded_only_when_asked_for() -> None:
    """Importing them takes longer than a whole handshake."""
    program = "import sys, qzmq_ref.crypto; print({'kyber_py', 'dilithium_py'} & set(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout == "set()\n"
