"""The hop to the program beside the sidecar: plaintext, so ipc or loopback only, and another process's octets."""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Callable

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import Endpoint, parse, resolve_connect
from qzmq_ref.bridge.local import LocalHop
from qzmq_ref.metadata import MAX_METADATA, Property, parse_metadata
from qzmq_ref.zmtp import COMMAND, GREETING_SIZE, LONG_COMMAND, after_ready, check_greeting

log = logging.getLogger("qzmq")

Properties = tuple[Property, ...]

LIMIT = GREETING_SIZE + MAX_METADATA + 2**16
"""Octets that a program may send before it is told of its peer: greeting, READY, and one more read."""

PATIENCE = 5.0
"""Seconds in which a program's greeting and READY must come."""

_READY = b"\x05READY"
_PREFIX = {COMMAND: 2, LONG_COMMAND: 9}


def read_endpoint(text: str, *, bind: bool) -> Endpoint:
    """An endpoint of either side; LocalError instead of the OSErrors of `parse`."""
    try:
        return parse(text, bind=bind)
    except OSError as error:
        raise LocalError(
            f"{text} is no endpoint ({os.strerror(error.errno or 0)}): write tcp://HOST:PORT or ipc://PATH"
        ) from None


def plaintext_endpoint(text: str, *, bind: bool) -> Endpoint:
    """An endpoint of the program's side. LocalError unless it is ipc or loopback (PAT-11)."""
    endpoint = read_endpoint(text, bind=bind)
    if endpoint.transport != "ipc" and not _is_loopback(endpoint):
        raise LocalError(
            f"{text} is plaintext beyond this machine: write ipc://PATH or tcp://127.0.0.1:PORT for the program's side"
        )
    return endpoint


def _is_loopback(endpoint: Endpoint) -> bool:
    if endpoint.host == "*":
        return False
    try:
        address = resolve_connect(endpoint, ipv6=True).address
        return ipaddress.ip_address(str(address[0])).is_loopback
    except (OSError, ValueError):
        return False


class ProgramHop(LocalHop):
    """A LocalHop whose other end is a program of any kind: everything it sends is checked, and in bounded time.

    `told(properties)` is called once its READY has come; in raw there is none, and it is not called. `lost()` also
    follows a fault of the program, which is logged.
    """

    def __init__(self, bridge: Bridge, sock: socket.socket, *, framed: bool, name: str) -> None:
        """`name` is what the log calls the program."""
        self.told: Callable[[Properties], None] | None = None
        self._name = name
        self._known = not framed
        self._patience = bridge.loop.later(PATIENCE, self._too_late)
        super().__init__(bridge, sock, framed=framed)
        if framed:
            self.greet()

    def close(self) -> None:
        """Let go of a connection that has carried nothing."""
        self._patience.cancel()
        super().close()

    def _finish_if_complete(self) -> None:
        try:
            properties = None if self._known else _ready_of(self._received)
            if self._framed and len(self._received) > LIMIT:
                raise _Fault("sends before it was answered")
        except (Alert, _Fault) as fault:
            self._drop(str(fault))
            return
        if properties is None and self._known:
            super()._finish_if_complete()
        elif properties is not None:
            self._known = True
            self._patience.cancel()
            if self.told is not None:
                self.told(properties)

    def _too_late(self) -> None:
        if not self._known:
            self._drop(f"no READY within {PATIENCE:g} s")

    def _drop(self, fault: str) -> None:
        log.error(
            "%s: not a ZMTP 3.1 program without security (%s): let it use libzmq 4.3.3 or later, without CURVE or "
            "PLAIN on this endpoint, or give --raw if it is no ZeroMQ program",
            self._name,
            fault,
        )
        self._hang_up()


class _Fault(Exception):
    """What a program did that no ZMTP program does."""


def _ready_of(octets: bytes) -> Properties | None:
    """The properties of the program's READY, None while it is not whole; Alert or _Fault if it is something else."""
    check_greeting(octets[:GREETING_SIZE], b"NULL", as_server=False)
    frame = octets[GREETING_SIZE:]
    if not frame:
        return None
    if frame[0] not in _PREFIX:
        raise _Fault("no READY behind the greeting")
    end = after_ready(octets)
    if end is None:
        return None
    body = octets[GREETING_SIZE + _PREFIX[frame[0]] : end]
    if not body.startswith(_READY):
        raise _Fault(f"command {body[1:6]!r} instead of READY")
    properties = parse_metadata(body[len(_READY) :])
    if not socket_type_of(properties):
        raise _Fault("READY without Socket-Type")
    return properties


def socket_type_of(properties: Properties) -> bytes:
    """Value of Socket-Type, empty if there is none."""
    return next((each.value for each in properties if each.name == b"Socket-Type"), b"")
