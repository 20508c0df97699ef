"""What the bridge copies from a libzmq socket at bind and connect: options of the transport, properties of READY."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import zmq

from qzmq_ref.bridge.options import Options
from qzmq_ref.metadata import Property

AnySocket = zmq.Socket[Any]

WITH_IDENTITY = frozenset({zmq.REQ, zmq.DEALER, zmq.ROUTER})
"""Socket types whose READY carries Identity (RFC 37; libzmq's mechanism.cpp)."""

STREAM_RETRY = 10
"""Milliseconds between the private connects of a STREAM socket, which find nobody until the remote side is up."""


def transport_options(socket: AnySocket) -> Options:
    """The options of the remote hop, as they stand now."""

    def seconds(option: int, default: int = 0) -> float:
        return float(option_of(socket, option, default)) / 1000

    return Options(
        reconnect_ivl=seconds(zmq.RECONNECT_IVL),
        reconnect_ivl_max=seconds(zmq.RECONNECT_IVL_MAX),
        reconnect_stop=option_of(socket, zmq.RECONNECT_STOP, 0),
        connect_timeout=seconds(zmq.CONNECT_TIMEOUT),
        handshake_ivl=seconds(zmq.HANDSHAKE_IVL),
        backlog=option_of(socket, zmq.BACKLOG, 100),
        ipv6=bool(option_of(socket, zmq.IPV6, 0)),
        sndbuf=option_of(socket, zmq.SNDBUF, -1),
        rcvbuf=option_of(socket, zmq.RCVBUF, -1),
        tos=option_of(socket, zmq.TOS, 0),
        priority=option_of(socket, zmq.PRIORITY, 0),
        bindtodevice=option_of(socket, zmq.BINDTODEVICE, b"").decode(),
        tcp_keepalive=option_of(socket, zmq.TCP_KEEPALIVE, -1),
        tcp_keepalive_cnt=option_of(socket, zmq.TCP_KEEPALIVE_CNT, -1),
        tcp_keepalive_idle=option_of(socket, zmq.TCP_KEEPALIVE_IDLE, -1),
        tcp_keepalive_intvl=option_of(socket, zmq.TCP_KEEPALIVE_INTVL, -1),
        tcp_maxrt=seconds(zmq.TCP_MAXRT),
    )


def option_of(socket: AnySocket, option: int, default: Any) -> Any:
    """The value of an option, or `default` where this libzmq does not have it."""
    try:
        return socket.get(option)
    except zmq.ContextTerminated:
        raise
    except zmq.ZMQError as error:
        if error.errno != zmq.EINVAL:
            raise
        return default


def linger_of(socket: AnySocket) -> float | None:
    """LINGER in seconds, None for ever."""
    milliseconds = int(socket.get(zmq.LINGER))
    return None if milliseconds < 0 else milliseconds / 1000


def socket_type(socket: AnySocket) -> bytes:
    """The ZeroMQ name of the socket's type; empty for STREAM, which carries no ZMTP (PAT-2)."""
    kind = zmq.SocketType(int(socket.type))
    return b"" if kind == zmq.STREAM else kind.name.encode()


def ready_properties(socket: AnySocket, own: Iterable[bytes]) -> tuple[Property, ...]:
    """What libzmq's own READY would carry; `own` are the values of ZMQ_METADATA, `name:value` each."""
    kind = socket_type(socket)
    if not kind:
        return ()
    properties = [Property(b"Socket-Type", kind)]
    if socket.type in WITH_IDENTITY:
        properties.append(Property(b"Identity", bytes(socket.get(zmq.ROUTING_ID))))
    for each in own:
        name, _, value = each.partition(b":")
        properties.append(Property(name, value))
    return tuple(properties)


@contextmanager
def private_hop(socket: AnySocket, *, connect: bool) -> Iterator[None]:
    """For the connect inside: no timeout while the bridge holds the private connection back."""
    meanwhile: dict[int, int] = {zmq.HANDSHAKE_IVL: 0} if connect else {}
    if connect and socket.type == zmq.STREAM:
        meanwhile |= {zmq.RECONNECT_IVL: STREAM_RETRY, zmq.RECONNECT_IVL_MAX: 0}
    before: dict[int, Any] = {option: socket.get(option) for option in meanwhile}
    for option, value in meanwhile.items():
        socket.set(option, value)
    try:
        yield
    finally:
        for option, value in before.items():
            socket.set(option, value)
