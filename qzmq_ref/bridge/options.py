"""The options of the application's socket that concern the remote hop, copied at bind and connect as libzmq does."""

from __future__ import annotations

import random
import socket
from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Named as in libzmq; times in seconds, -1 where the system's default stands."""

    reconnect_ivl: float = 0.1
    reconnect_ivl_max: float = 0.0
    reconnect_stop: int = 0
    connect_timeout: float = 0.0
    handshake_ivl: float = 30.0
    backlog: int = 100
    ipv6: bool = False
    sndbuf: int = -1
    rcvbuf: int = -1
    tos: int = 0
    priority: int = 0
    bindtodevice: str = ""
    tcp_keepalive: int = -1
    tcp_keepalive_cnt: int = -1
    tcp_keepalive_idle: int = -1
    tcp_keepalive_intvl: int = -1
    tcp_maxrt: float = 0.0

    def backoff(self, failures: int) -> float | None:
        """Seconds until the next attempt after so many failures in a row, None for no further attempt.

        As libzmq: doubled up to RECONNECT_IVL_MAX if that is set, else RECONNECT_IVL and up to as much again by chance.
        """
        if self.reconnect_ivl <= 0:
            return None
        if self.reconnect_ivl_max > 0:
            return min(self.reconnect_ivl * 2.0 ** min(failures - 1, 30), self.reconnect_ivl_max)
        return self.reconnect_ivl * (1 + random.random())  # noqa: S311  # jitter, not a secret

    def buffers(self, sock: socket.socket) -> None:
        """Pass SNDBUF and RCVBUF on, to either hop: they bound what is on its way beyond the high-water marks."""
        if self.sndbuf >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.sndbuf)
        if self.rcvbuf >= 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.rcvbuf)

    def prepare(self, sock: socket.socket) -> None:
        """What must be set before listening or connecting, on a socket of the remote hop."""
        sock.setblocking(False)
        self.buffers(sock)
        if self.priority > 0:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, self.priority)
        if self.bindtodevice:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.bindtodevice.encode())
        if self.tos and sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, self.tos)
        if self.tos and sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, self.tos)

    def tune(self, sock: socket.socket) -> None:
        """What is set on each connection."""
        if sock.family == socket.AF_UNIX:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.tcp_maxrt > 0:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(self.tcp_maxrt * 1000))
        if self.tcp_keepalive == -1:
            return
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, self.tcp_keepalive)
        for option, value in (
            (socket.TCP_KEEPCNT, self.tcp_keepalive_cnt),
            (socket.TCP_KEEPIDLE, self.tcp_keepalive_idle),
            (socket.TCP_KEEPINTVL, self.tcp_keepalive_intvl),
        ):
            if value != -1:
                sock.setsockopt(socket.IPPROTO_TCP, option, value)
