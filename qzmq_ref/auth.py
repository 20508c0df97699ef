"""What zmq.auth is to CURVE: key files, NAME.key public and NAME.key_secret not, and authenticators that know QZMQ.

The files are written as CURVE's are (ZPL, ZeroMQ RFC 4), so zmq.auth.load_certificate and load_certificates read
them too.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

import zmq
import zmq.auth.asyncio
import zmq.auth.thread
from zmq.auth import CURVE_ALLOW_ANY, Authenticator

from qzmq_ref import z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.asyncio import Context as AsyncioContext
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.metadata import build_metadata
from qzmq_ref.patterns import MECHANISM, foreign_properties
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId
from qzmq_ref.socket import Context
from qzmq_ref.socket.security import KeyText, keypair, pins

PUBLIC_SUFFIX = ".key"
PRIVATE_SUFFIX = ".key_secret"
KEY_LENGTH = 40

QZMQ_ALLOW_ANY = CURVE_ALLOW_ANY
"""For `configure_qzmq`: every client, also one without a key."""

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

    def text(self) -> str:
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


def create_keys(name: str | Path, policy: Policy | str = "default", comment: str = "") -> tuple[Path, Path]:
    """Make a key pair for `policy` (POL-3) and return the paths of the public and of the secret file (SEC-8).

    LocalError if either exists, or if `comment` is not one line without quotation marks.
    """
    if not comment.isprintable() or '"' in comment:
        raise LocalError("a comment is one line of printable characters without quotation marks: choose another one")
    chosen = Policy.preset(policy) if isinstance(policy, str) else policy
    public, secret = keypair(chosen)
    public_path, secret_path = Path(f"{name}{PUBLIC_SUFFIX}"), Path(f"{name}{PRIVATE_SUFFIX}")
    write_pair(
        (public_path, Key(chosen.signature, public, None, comment).text()),
        (secret_path, Key(chosen.signature, public, secret, comment).text()),
    )
    return public_path, secret_path


def write_pair(public: tuple[Path, str], secret: tuple[Path, str]) -> None:
    """Create both files with their texts, or neither; the secret one with mode 0600 from the start.

    LocalError if either exists, or if the directory cannot be written.
    """
    _write(*secret, 0o600)
    try:
        _write(*public, 0o644)
    except LocalError:
        secret[0].unlink()
        raise


def _write(path: Path, text: str, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise LocalError(f"{path} exists and is not overwritten: choose another name, or move it away") from None
    except OSError as error:
        raise LocalError(
            f"{path} cannot be created ({error.strerror}): choose a directory that can be written"
        ) from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def load_key(path: str | Path) -> Key:
    """The key in a file that `create_keys` or `qzmq keygen` wrote.

    LocalError if it is none, if it was changed so that its halves do not belong together, or if it holds a secret
    and others than its owner may read it.
    """
    fields = dict(_ASSIGNMENT.findall(read_file(Path(path))))
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
        check_private(Path(path))
        if SigningKey.from_seed(algorithm, z85.decode(secret), provider()).pin != z85.decode(public):
            raise LocalError(f"{path}: public-key does not belong to secret-key: restore the file as it was made")
    return Key(algorithm, public, secret, fields.get("comment", ""))


def load_public_keys(directory: str | Path) -> frozenset[bytes]:
    """The public keys of all NAME.key files in a directory, for `qzmq_clientkeys`. LocalError as `load_key`."""
    if not Path(directory).is_dir():
        raise LocalError(f"{directory} is not a directory: name one that holds the clients' {PUBLIC_SUFFIX} files")
    return frozenset(load_key(path).public for path in Path(directory).glob(f"*{PUBLIC_SUFFIX}"))


def read_file(path: Path) -> str:
    """The text of a key file; LocalError if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise LocalError(f"there is no {path}: `qzmq keygen` makes key files and certificates") from None
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


def check_private(path: Path) -> None:
    """LocalError if others than its owner may read the file."""
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise LocalError(f"{path} holds a secret that others may read: chmod 600 {path}, or make a new key")


Judge: TypeAlias = Callable[[str, bytes], bool | Awaitable[bool]]
"""Called with a domain and a client's public key, says whether the client may come in."""


class _QzmqAuthenticator(Authenticator):
    """What pyzmq's authenticators lack for mechanism QZMQ (spec/zap.md); the rest of them is as it was."""

    _default_context: Any = Context

    def __init__(self, context: zmq.Context[Any] | None = None, *arguments: Any, **options: Any) -> None:
        """As pyzmq's, but without a context the handler is for the sockets of qzmq_ref's own."""
        super().__init__(context or self._default_context.instance(), *arguments, **options)
        self._judges: dict[str, Judge] = {}
        self._mechanism = b""

    def configure_qzmq(
        self, domain: str = "*", location: str | os.PathLike[str] | Iterable[KeyText] | Judge = "."
    ) -> None:
        """Say who may connect in a domain, or with "*" in every domain that is not configured on its own.

        `location` is a directory with the clients' NAME.key files, read now; or their public keys; or a function, or
        coroutine function, of domain and public key; or QZMQ_ALLOW_ANY. Without it nobody is admitted over QZMQ.
        LocalError as `load_public_keys`.
        """
        if callable(location):
            self._judges[domain] = location
        elif location == QZMQ_ALLOW_ANY:
            self._judges[domain] = lambda _domain, _key: True
        else:
            keys = load_public_keys(Path(location)) if isinstance(location, str | os.PathLike) else location
            known = frozenset(z85.encode(pin) for pin in pins("a key of configure_qzmq", keys))
            self._judges[domain] = lambda _domain, key: key in known

    def qzmq_user_id(self, key: bytes) -> str:
        """User-Id of an admitted client: its public key, or `anonymous` without one. Override it to map names."""
        return key.decode() or "anonymous"

    async def handle_zap_message(self, msg: list[bytes]) -> None:
        """Answer one request; of another mechanism as pyzmq does."""
        self._mechanism = b"".join(msg[5:6])
        if self._mechanism != MECHANISM or msg[0] != b"1.0":
            return await super().handle_zap_message(msg)
        domain, address = (frame.decode(self.encoding, "replace") for frame in msg[2:4])
        key = b"".join(z85.encode(sha256(spki).digest()) for spki in msg[6:7])
        try:
            fault = self._address_fault(address) or await self._key_fault(domain, key)
            user_id = "" if fault else self.qzmq_user_id(key)
        except Exception:  # whatever the application's own functions raise
            self.log.exception("QZMQ: a client of domain %r could not be judged", domain)
            return self._send_zap_reply(msg[1], b"500", b"Internal error")
        self.log.debug("QZMQ: domain=%r address=%r key=%r: %s", domain, address, key, fault or "admitted")
        return self._send_zap_reply(msg[1], b"400" if fault else b"200", fault.encode() or b"OK", user_id)

    def _send_zap_reply(
        self, request_id: bytes, status_code: bytes, status_text: bytes, user_id: str = "anonymous"
    ) -> None:
        """As pyzmq's, and a peer of another mechanism cannot say itself what only QZMQ's receivers say (ZMTP-16)."""
        named = user_id.encode(self.encoding, "replace") if status_code == b"200" else b""
        own = () if self._mechanism == MECHANISM else foreign_properties(self._mechanism)
        self.zap_socket.send_multipart([b"1.0", request_id, status_code, status_text, named, build_metadata(own)])

    def _address_fault(self, address: str) -> str:
        """By `allow` and `deny`, which hold for every mechanism."""
        if self._allowed and address not in self._allowed:
            return "Address not allowed"
        return "Address denied" if address in self._denied else ""

    async def _key_fault(self, domain: str, key: bytes) -> str:
        judge = self._judges.get(domain or "*") or self._judges.get("*")
        if judge is None:
            return "Unknown domain"
        verdict = judge(domain, key)
        return "" if (await verdict if isinstance(verdict, Awaitable) else verdict) else "Unknown key"


class ThreadAuthenticator(_QzmqAuthenticator, zmq.auth.thread.ThreadAuthenticator):
    """zmq.auth.thread.ThreadAuthenticator, for QZMQ sockets too."""


class AsyncioAuthenticator(_QzmqAuthenticator, zmq.auth.asyncio.AsyncioAuthenticator):
    """zmq.auth.asyncio.AsyncioAuthenticator, for QZMQ sockets too."""

    _default_context = AsyncioContext
