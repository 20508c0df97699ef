"""A key log, to read a capture of one's own traffic with. Whoever has it reads everything: for tests, never in earnest.

    qzmq_ref.keylog.enable(context, "keys.log")

before its sockets bind or connect. Only a program can ask for it, by this call; the environment variable
QZMQKEYLOGFILE alone does nothing, it is where the log goes if the call names no file. Each line is
`QZMQ_<SECRET> <client random> <secret>`, hexadecimal, with the names of spec/keyschedule.md: C_HS, S_HS, C_EARLY,
C_AP_1, S_AP_1 and so on, one per generation; steps follow from them.
"""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qzmq_ref.alerts import LocalError
from qzmq_ref.handshake.configuration import KeyLog

if TYPE_CHECKING:
    from qzmq_ref.socket import SecuredContext

ENVIRONMENT = "QZMQKEYLOGFILE"

log = logging.getLogger("qzmq")


class KeyLogFile:
    """An open key log. Lines are appended whole, so that processes may share it."""

    def __init__(self, path: Path) -> None:
        """Open or create, mode 0600 (SEC-8); LocalError for a file that others may read."""
        self.path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_mode & 0o077 or status.st_uid != os.geteuid():
            os.close(self._descriptor)
            raise LocalError(f"SEC-7: {path} is not a file of yours alone: remove it, or choose another")

    def announce(self) -> KeyLog:
        """Warn, once for each endpoint whose secrets are to be written."""
        log.warning("SEC-7: a key log is on: every secret of this endpoint's sessions goes to %s", self.path)
        return self.write

    def write(self, name: str, client_random: bytes, secret: bytes) -> None:
        """Append a line."""
        os.write(self._descriptor, f"QZMQ_{name.upper()} {client_random.hex()} {secret.hex()}\n".encode())


def enable(context: SecuredContext[Any], path: str | Path | None = None) -> None:
    """Write the secrets of every endpoint of this Context that is bound or connected from now on.

    LocalError if neither `path` nor QZMQKEYLOGFILE says where to, or if others could read the file; OSError as
    open(2) raises it.
    """
    chosen = path or os.environ.get(ENVIRONMENT)
    if not chosen:
        raise LocalError(f"SEC-7: nowhere to write the key log: give a path, or set {ENVIRONMENT}")
    context.slot.key_log = KeyLogFile(Path(chosen)).announce
