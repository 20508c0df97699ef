"""Key files: what is written is read back, nothing is overwritten, and a secret is its owner's only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
import zmq.auth
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.auth import Key, create_keys, load_key, load_public_keys
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.policy import Policy, preset_names
from qzmq_ref.registries import SigId


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    return create_keys(tmp_path / "server", comment="the one in the cellar")


@pytest.mark.parametrize("preset", preset_names())
def test_a_pair_is_read_back(tmp_path: Path, preset: str) -> None:
    """POL-3: the algorithm is that of the policy's first suite, the public key the pin of the seed."""
    public_path, secret_path = create_keys(tmp_path / "server", preset, "a # comment = with signs")
    public, secret = load_key(public_path), load_key(secret_path)
    assert public == Key(Policy.preset(preset).signature, public.public, None, "a # comment = with signs")
    assert secret.secret is not None
    assert secret == Key(public.algorithm, public.public, secret.secret, public.comment)
    key = SigningKey.from_seed(secret.algorithm, z85.decode(secret.secret), provider())
    assert z85.encode(key.pin) == public.public


def test_names_and_modes(files: tuple[Path, Path]) -> None:
    """SEC-8."""
    public_path, secret_path = files
    assert [path.name for path in files] == ["server.key", "server.key_secret"]
    assert stat.S_IMODE(secret_path.stat().st_mode) == 0o600
    assert "secret-key" not in public_path.read_text()


def test_a_secret_is_never_readable_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even between its creation and its first octet, under the most generous umask."""
    modes: list[int] = []
    fdopen = os.fdopen

    def observed(descriptor: int, *arguments: str, **options: str) -> object:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return fdopen(descriptor, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fdopen", observed)
    before = os.umask(0)
    try:
        create_keys(tmp_path / "server")
    finally:
        os.umask(before)
    assert modes == [0o600, 0o644]


def test_zmq_auth_reads_them_too(files: tuple[Path, Path]) -> None:
    """A program that kept its CURVE keys in files goes on doing so."""
    key = load_key(files[1])
    assert zmq.auth.load_certificate(files[0]) == (key.public, None)
    assert zmq.auth.load_certificate(files[1]) == (key.public, key.secret)
    assert set(zmq.auth.load_certificates(files[0].parent)) == load_public_keys(files[0].parent) == {key.public}


@pytest.mark.parametrize("ending", [".key", ".key_secret"])
def test_nothing_is_overwritten_or_left_behind(tmp_path: Path, ending: str) -> None:
    """SEC-8."""
    taken = tmp_path / f"server{ending}"
    taken.write_text("precious")
    with pytest.raises(LocalError, match="another name"):
        create_keys(tmp_path / "server")
    assert list(tmp_path.iterdir()) == [taken]
    assert taken.read_text() == "precious"


def test_a_symbolic_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "server.key_secret").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(LocalError, match="another name"):
        create_keys(tmp_path / "server")
    assert not (tmp_path / "elsewhere").exists()


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="choose a directory"):
        create_keys(tmp_path / "missing" / "server")


@pytest.mark.parametrize("comment", ['a "b"', "two\nlines", "bell\a"])
def test_a_comment_that_would_break_the_file_is_refused(tmp_path: Path, comment: str) -> None:
    with pytest.raises(LocalError, match="one line"):
        create_keys(tmp_path / "server", comment=comment)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o644])
def test_a_secret_that_others_may_read_is_refused(files: tuple[Path, Path], mode: int) -> None:
    files[1].chmod(mode)
    with pytest.raises(LocalError, match="chmod 600"):
        load_key(files[1])


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="qzmq keygen"):
        load_key(tmp_path / "server.key")
    with pytest.raises(LocalError, match="name one that holds"):
        load_public_keys(tmp_path / "clients")


def test_a_curve_certificate_is_told_apart(tmp_path: Path) -> None:
    public_path, _ = zmq.auth.create_certificates(tmp_path, "server")
    with pytest.raises(LocalError, match="not a QZMQ key file"):
        load_key(public_path)


@given(octets=st.binary(max_size=300))
def test_any_file_ends_in_a_local_error(tmp_path_factory: pytest.TempPathFactory, octets: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "any.key"
    path.write_bytes(octets)
    with pytest.raises(LocalError):
        load_key(path)


CHANGES = {
    "of another key": ('secret-key = "', f'secret-key = "{"0" * 40}"\n    was = "', "does not belong"),
    "of another algorithm": ("ML_DSA_44", "ML_DSA_65", "does not belong"),
    "of an unknown algorithm": ("ML_DSA_44", "ML_DSA_99", "does not know"),
    "without a public key": ("public-key", "nothing", "public-key is not 40 Z85"),
    "with a short key": ('secret-key = "', 'secret-key = "short"\n    was = "', "secret-key is not 40 Z85"),
    "with other characters": ('secret-key = "', f'secret-key = "{"~" * 40}"\n    was = "', "secret-key is not 40 Z85"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_file_is_refused_without_telling_the_secret(files: tuple[Path, Path], change: str) -> None:
    old, new, message = CHANGES[change]
    secret = load_key(files[1]).secret
    assert secret is not None
    files[1].write_text(files[1].read_text().replace(old, new))
    with pytest.raises(LocalError, match=message) as raised:
        load_key(files[1])
    assert secret.decode() not in str(raised.value)


def test_repr_tells_no_secret() -> None:
    """SEC-7."""
    assert "1" * 40 not in repr(Key(SigId.ML_DSA_44, b"0" * 40, b"1" * 40))
