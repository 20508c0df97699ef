"""A public endpoint that the application's socket bound: accepts, authenticates, then opens a local connection each."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Protocol

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import WILDCARD_NAME, Endpoint, bound, peer_host, peer_name, resolve_bind
from qzmq_ref.bridge.handshake import Authenticated, Handshake
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.local import LocalHop, connect_private
from qzmq_ref.bridge.poller import IN
from qzmq_ref.bridge.report import failure
from qzmq_ref.bridge.session import Session
from qzmq_ref.connection import Connection, Ended, Rekeying, TicketReceived
from qzmq_ref.patterns import MECHANISM
from qzmq_ref.spec.tables import tables

log = logging.getLogger("qzmq")

ACCEPTS = 64
"""Connections accepted per wakeup, so that a burst does not hold up established sessions."""

_BOUNDS = {row["Bound"]: row["Ceiling"] for row in tables()["bounds"]}
HALF_OPEN = int(_BOUNDS["half_open"])
"""Unfinished handshakes of an endpoint; with one more, the oldest ends (SEC-3)."""

LOADED = int(_BOUNDS["loaded"])
"""Unfinished handshakes from which on the endpoint is under load (spec/puzzle.md)."""

PAUSE = 0.1
"""Seconds without accepting after the system refused another descriptor."""


class Unfinished(Protocol):
    """A connection whose client is not authenticated yet."""

    def dismiss(self) -> None:
        """End it, with an alert if that can be said, and tell its owner as if it had failed."""


class Listener:
    """Owns the listening socket; `endpoint` is its public name, as LAST_ENDPOINT gives it."""

    def __init__(self, bridge: Bridge, endpoint: Endpoint, link: Link) -> None:
        """Listen, in the caller's thread; OSError as bind(2) and listen(2) raise it."""
        self.private = bridge.private_path()
        self.linger: float | None = None
        self._bridge = bridge
        configuration = replace(link.configuration, under_load=lambda: len(self._unfinished) >= LOADED)
        self._link = replace(link, configuration=configuration)
        self._places = count()
        self._unfinished: dict[int, Unfinished | None] = {}  # the oldest first
        self.sessions: Counter[str] = Counter()  # authenticated so far, by mechanism
        self._listener = _listen(endpoint, link)
        self.endpoint = bound(self._listener)

    def start(self) -> None:
        """Accept from now on; called in the loop when libzmq is bound to `private`."""
        self._bridge.enter(self)
        self._watch()

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended: accept no more."""
        self.close(self.linger)

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self.close(0.0)

    def close(self, linger: float | None) -> None:
        """Stop listening. Sessions go on until libzmq ends them; their tails get `linger` seconds (None: for ever)."""
        self.linger = linger
        if self._listener.fileno() < 0:
            return
        self._bridge.loop.close(self._listener)
        _remove(self.endpoint)
        for unfinished in filter(None, list(self._unfinished.values())):
            unfinished.dismiss()
        self._bridge.leave(self)

    def session_told(self, event: TicketReceived | Rekeying) -> None:
        """Nothing to do: a server's tickets are in its store."""

    def session_ended(self, session: Session, *, by_local: bool) -> None:  # noqa: ARG002
        """The peer connects again if it wants to."""
        self._link.sessions.leave(session)

    def _watch(self) -> None:
        if self._listener.fileno() >= 0:
            self._bridge.loop.watch(self._listener, IN, self._acceptable)

    def _acceptable(self, _events: int) -> None:
        for _ in range(ACCEPTS):
            try:
                remote, _address = self._listener.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError as error:  # out of descriptors or memory
                log.error("%s: cannot accept: %s", self.endpoint, error)
                self._bridge.loop.unwatch(self._listener)
                self._bridge.loop.later(PAUSE, self._watch)
                return
            self._accepted(remote)

    def _accepted(self, remote: socket.socket) -> None:
        try:
            remote.setblocking(False)
            self._link.options.tune(remote)
            host, name = peer_host(remote), peer_name(remote)
        except OSError:  # gone already
            remote.close()
            return
        self._link.notify(self.endpoint, "ACCEPTED", remote.fileno())
        self._handshake(self._take_place(), remote, self._link.connection(host), name)

    def _take_place(self) -> int:
        """A place among the unfinished, the oldest of which goes if there are too many (SEC-3)."""
        if len(self._unfinished) >= HALF_OPEN and (oldest := next(iter(self._unfinished.values()))):
            oldest.dismiss()
        place = next(self._places)
        self._unfinished[place] = None
        return place

    def _hold(self, place: int, unfinished: Unfinished) -> None:
        """Remember who has the place, unless that is over already."""
        if place in self._unfinished:
            self._unfinished[place] = unfinished

    def _handshake(self, place: int, remote: socket.socket, connection: Connection, name: str) -> None:
        handshake = Handshake(
            self._bridge,
            remote,
            connection,
            name,
            self._link.handshake_limit,
            done=partial(self._authenticated, place),
            failed=partial(self._refused, place),
            authorizer=self._link.authorizer,
        )
        self._hold(place, handshake)

    def _free_place(self, place: int) -> None:
        self._unfinished.pop(place, None)

    def _refused(self, place: int, ended: Ended | None) -> None:
        self._free_place(place)
        self._link.notify(self.endpoint, *failure(ended))
        self._link.notify(self.endpoint, "DISCONNECTED", 0)

    def _authenticated(self, place: int, authenticated: Authenticated) -> None:
        self._free_place(place)
        self._admit(MECHANISM)
        self._join(authenticated)

    def _admit(self, mechanism: bytes) -> None:
        """Count a client, for this endpoint and for the Context."""
        for counter in (self.sessions, self._link.clients):
            counter[mechanism.decode()] += 1

    def _join(self, authenticated: Authenticated) -> None:
        """Open the local connection of a new session."""

        def reached(local: socket.socket) -> None:
            hop = LocalHop(self._bridge, local, framed=self._link.framed)
            hop.done = partial(self._begin, authenticated, local)
            hop.lost = authenticated.decline
            hop.announce(authenticated.peer.metadata)

        options = self._link.options
        connect_private(self._bridge.loop, self.private, options, reached=reached, gone=authenticated.decline)

    def _begin(self, authenticated: Authenticated, local: socket.socket, first: bytes) -> None:
        session = authenticated.session(self, local)
        self._link.sessions.enter(session, self.endpoint)
        authenticated.start(session, first)


def _listen(endpoint: Endpoint, link: Link) -> socket.socket:
    """A listening socket, set up as libzmq sets up its own."""
    resolved = resolve_bind(endpoint, ipv6=link.options.ipv6)
    listener = socket.socket(resolved.family, socket.SOCK_STREAM)
    try:
        link.options.prepare(listener)
        if isinstance(resolved.address, bytes):
            with contextlib.suppress(FileNotFoundError, ValueError):  # nothing there, or an abstract name
                Path(os.fsdecode(resolved.address)).unlink()
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if resolved.family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(resolved.address)
        listener.listen(link.options.backlog)
    except OSError:
        listener.close()
        raise
    return listener


def _remove(endpoint: str) -> None:
    """Remove the path of an ipc endpoint, and the directory that was made for ipc://*."""
    path = Path(endpoint.removeprefix("ipc://"))
    if not endpoint.startswith("ipc://") or endpoint.startswith("ipc://@"):
        return
    with contextlib.suppress(OSError):
        path.unlink()
        if path.name == WILDCARD_NAME:
            path.parent.rmdir()
