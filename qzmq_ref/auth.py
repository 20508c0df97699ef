"""Key files, the counterpart of zmq.auth's certificates: NAME.key is public, NAME.key_secret is not.

They are written as CURVE's are (ZPL, ZeroMQ RFC 4), so zmq.auth.load_certificate and load_certificates read them too.
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field
from pathlib import Path

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId
from qzmq_ref.socket.security import keypair

PUBLIC_SUFFIX = ".key"
PRIVATE_SUFFIX = ".key_secret"
KEY_LENGTH = 40

_PUBLIC_BANNER = """\
#   QZMQ public key: the pin of its owner. Give it to the peers that shall trust it,
#   in a way that lets them know whose it is.
"""
_PRIVATE_BANNER = """\
#   QZMQ secret key: whoever reads this file can pass for its owner.
#   Keep it where it is used, readable by its owner only.
"""
_ASSIGNMENT = re.compile(r'^\s*([\w-]+)\s*=\s*"(.*)"\s*$', re.MULTILINE)


@dataclass(frozen=True)
class Key:
    """What a key file holds. Keys are 40 Z85 characters each; `secret` is None in a public file."""

    algorithm: SigId
    public: bytes
    secret: bytes | None = field(default=None, repr=False)
    comment: str = ""

    def _text(self) -> str:
        """As it stands in a file."""
        lines = [
            _PRIVATE_BANNER if self.secret else _PUBLIC_BANNER,
            "metadata",
            f'    algorithm = "{self.algorithm.name}"',
        ]
        lines += [f'    comment = "{self.comment}"'] if self.comment else []
        lines += ["qzmq", f'    public-key = "{self.public.decode()}"']
        lines += [f'    secret-key = "{self.secret.decode()}"'] if self.secret else []
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> None:
        """Create the file, with mode 0600 from the start if it holds a secret. LocalError if there is one already."""
        mode = 0o600 if self.secret else 0o644
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        except FileExistsError:
            raise LocalError(f"{path} exists and is not overwritten: choose another name, or move it away") from None
        except OSError as error:
            raise LocalError(
                f"{path} cannot be created ({error.strerror}): choose a directory that can be written"
            ) from None
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self._text())


def create_keys(name: str | Path, policy: Policy | str = "default", comment: str = "") -> tuple[Path, Path]:
    """Make a key pair for `policy` (POL-3) and return the paths of the public and of the secret file (SEC-8).

    LocalError if either exists, or if `comment` is not one line without quotation marks.
    """
    if not comment.isprintable() or '"' in comment:
        raise LocalError("a comment is one line of printable characters without quotation marks: choose another one")
    chosen = Policy.preset(policy) if isinstance(policy, str) else policy
    public, secret = keypair(chosen)
    public_path, secret_path = Path(f"{name}{PUBLIC_SUFFIX}"), Path(f"{name}{PRIVATE_SUFFIX}")
    Key(chosen.signature, public, secret, comment).write(secret_path)
    try:
        Key(chosen.signature, public, None, comment).write(public_path)
    except LocalError:
        secret_path.unlink()
        raise
    return public_path, secret_path


def load_key(path: str | Path) -> Key:
    """The key in a file that `create_keys` or `qzmq keygen` wrote.

    LocalError if it is none, if it was changed so that its halves do not belong together, or if it holds a secret
    and others than its owner may read it.
    """
    fields = dict(_ASSIGNMENT.findall(_read(Path(path))))
    if "algorithm" not in fields:
        raise LocalError(f"{path} is not a QZMQ key file: make one with `qzmq keygen NAME`")
    if fields["algorithm"] not in SigId.__members__:
        raise LocalError(
            f"{path} is for an algorithm this version does not know: make a new key with `qzmq keygen NAME`"
        )
    algorithm = SigId[fields["algorithm"]]
    public = _checked(path, "public-key", fields.get("public-key", ""))
    secret = _checked(path, "secret-key", fields["secret-key"]) if "secret-key" in fields else None
    if secret is not None:
        _check_private(Path(path))
        if SigningKey.from_seed(algorithm, z85.decode(secret), provider()).pin != z85.decode(public):
            raise LocalError(f"{path}: public-key does not belong to secret-key: restore the file as it was made")
    return Key(algorithm, public, secret, fields.get("comment", ""))


def load_public_keys(directory: str | Path) -> frozenset[bytes]:
    """The public keys of all NAME.key files in a directory, for `qzmq_clientkeys`. LocalError as `load_key`."""
    if not Path(directory).is_dir():
        raise LocalError(f"{directory} is not a directory: name one that holds the clients' {PUBLIC_SUFFIX} files")
    return frozenset(load_key(path).public for path in Path(directory).glob(f"*{PUBLIC_SUFFIX}"))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LocalError(f"there is no key file {path}: make one with `qzmq keygen NAME`") from None
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(
            f"{path} cannot be read as a key file ({type(error).__name__}): check its name and owner"
        ) from None


def _checked(path: str | Path, name: str, text: str) -> bytes:
    """A key as it stands in the file; the message never repeats it."""
    key = text.encode()
    try:
        if len(key) == KEY_LENGTH and z85.decode(key):
            return key
    except ValueError:
        pass
    raise LocalError(f"{path}: {name} is not {KEY_LENGTH} Z85 characters: restore the file as it was made")


def _check_private(path: Path) -> None:
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise LocalError(f"{path} holds a secret that others may read: chmod 600 {path}, or make a new key")
