"""Public endpoints: how tcp:// and ipc:// addresses are read, resolved and written back, as libzmq does it.

A wrong endpoint raises OSError with the number libzmq would set, so that the socket can raise the ZMQError of old.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import socket
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qzmq_ref.alerts import LocalError

UNSECURED = frozenset({"udp", "pgm", "epgm", "norm", "tipc", "vmci", "vsock", "hvsocket", "ws", "wss"})
"""Transports of ZeroMQ that QZMQ does not run over: refused, never passed in the clear."""

IPC_PATH_MAX = 107
"""sizeof(sockaddr_un.sun_path) less the final NUL."""

WILDCARD_NAME = "wildcard"
"""File name of the socket behind ipc://*."""

SIOCGIFADDR = 0x8915

_HOST = re.compile(r"[\w.\-:%\[\]*]+")

Address = tuple[Any, ...] | bytes
"""What the socket calls take: (host, port), for IPv6 also flow and scope, or a path."""


@dataclass(frozen=True)
class Endpoint:
    """One endpoint as the application wrote it. `host` is a path for ipc; port 0 asks for any."""

    text: str
    transport: str
    host: str
    port: int = 0
    source: tuple[str, int] | None = None


@dataclass(frozen=True)
class Resolved:
    """What the system calls need: family, address, and the address to bind a connecting socket to, if any."""

    family: int
    address: Address
    source: Address | None = None


def parse(text: str, *, bind: bool) -> Endpoint:
    """Read an endpoint. LocalError for a transport that QZMQ does not secure, OSError for a malformed one."""
    transport, separator, rest = text.partition("://")
    if not separator or not rest:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if transport in UNSECURED:
        raise LocalError(
            f"QZMQ does not secure {transport}:// (addr={text!r}): use tcp, ipc, or inproc inside a process"
        )
    if transport == "ipc":
        return _parse_ipc(text, rest)
    if transport != "tcp":
        raise OSError(errno.EPROTONOSUPPORT, os.strerror(errno.EPROTONOSUPPORT))
    source, semicolon, target = rest.rpartition(";")
    if semicolon and bind:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    host, port = _split(target, wildcard=bind)
    return Endpoint(text, transport, host, port, _split(source, wildcard=True) if semicolon else None)


def _parse_ipc(text: str, path: str) -> Endpoint:
    if len(os.fsencode(path)) > IPC_PATH_MAX:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    return Endpoint(text, "ipc", path)


def _split(address: str, *, wildcard: bool) -> tuple[str, int]:
    """`host:port`, either of them `*` where a wildcard may stand."""
    host, colon, port = address.rpartition(":")
    digits = port.isascii() and port.isdigit() and int(port) < 65536 and (wildcard or int(port) > 0)
    if not colon or not _HOST.fullmatch(host) or not (digits or (wildcard and port == "*")):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    if not wildcard and host == "*":
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    return host.removeprefix("[").removesuffix("]"), int(port) if digits else 0


def numeric(endpoint: Endpoint) -> bool:
    """Whether resolving it asks no name service, and so cannot block."""
    if endpoint.transport == "ipc":
        return True
    try:
        socket.getaddrinfo(endpoint.host, endpoint.port, flags=socket.AI_NUMERICHOST)
    except OSError:
        return False
    return True


def resolve_bind(endpoint: Endpoint, *, ipv6: bool) -> Resolved:
    """Where to listen. `*` is every interface, a name may be that of one; ENODEV if there is neither."""
    if endpoint.transport == "ipc":
        return Resolved(socket.AF_UNIX, _unix(_wildcard_path() if endpoint.host == "*" else endpoint.host))
    return _resolve_local(endpoint.host, endpoint.port, ipv6)


def resolve_connect(endpoint: Endpoint, *, ipv6: bool) -> Resolved:
    """Where to connect to, and from. May block on a name service; OSError if there is no such host."""
    if endpoint.transport == "ipc":
        return Resolved(socket.AF_UNIX, _unix(endpoint.host))
    found = _lookup(endpoint.host, endpoint.port, ipv6)
    source = None if endpoint.source is None else _resolve_local(*endpoint.source, ipv6).address
    return Resolved(found.family, found.address, source)


def bound(listener: socket.socket) -> str:
    """LAST_ENDPOINT of a listening socket: the address the system gave it."""
    name = listener.getsockname()
    if listener.family == socket.AF_UNIX:
        text = os.fsdecode(name)
        return f"ipc://@{text[1:]}" if text.startswith("\0") else f"ipc://{text}"
    return f"tcp://[{name[0]}]:{name[1]}" if listener.family == socket.AF_INET6 else f"tcp://{name[0]}:{name[1]}"


def peer_host(remote: socket.socket) -> str:
    """The peer's address without a port, as libzmq's Peer-Address gives it: over ipc `localhost:uid:gid:pid`."""
    if remote.family != socket.AF_UNIX:
        return str(remote.getpeername()[0])
    if not hasattr(socket, "SO_PEERCRED"):
        return "localhost"
    pid, uid, gid = struct.unpack("3i", remote.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"localhost:{uid}:{gid}:{pid}"


def peer_name(remote: socket.socket) -> str:
    """The peer's address for the log."""
    if remote.family == socket.AF_UNIX:
        return "a local process"
    name = remote.getpeername()
    return f"{name[0]}:{name[1]}"


def _unix(path: str) -> bytes:
    """Linux's abstract names are written with @ and start with NUL."""
    return b"\0" + os.fsencode(path[1:]) if path.startswith("@") else os.fsencode(path)


def _wildcard_path() -> str:
    """A fresh path for ipc://*, in a directory of its own."""
    return str(Path(tempfile.mkdtemp(prefix="qzmq-")) / WILDCARD_NAME)


def _resolve_local(host: str, port: int, ipv6: bool) -> Resolved:
    if host == "*":
        return Resolved(socket.AF_INET6, ("::", port)) if ipv6 else Resolved(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104
    try:
        return _lookup(_interface_address(host) or host, port, ipv6)
    except socket.gaierror:
        raise OSError(errno.ENODEV, os.strerror(errno.ENODEV)) from None


def _lookup(host: str, port: int, ipv6: bool) -> Resolved:
    family = socket.AF_UNSPEC if ipv6 else socket.AF_INET
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return Resolved(found[0][0], found[0][4])


def _interface_address(name: str) -> str | None:
    """IPv4 address of a network interface, None if there is no such interface."""
    if name not in (known for _, known in socket.if_nameindex()):
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        reply = fcntl.ioctl(probe, SIOCGIFADDR, struct.pack("256s", name.encode()))
    return socket.inet_ntoa(reply[20:24])
