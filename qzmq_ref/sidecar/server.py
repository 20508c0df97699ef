"""`qzmq bridge server`: QZMQ outside, and for each authenticated client a plaintext connection to the program.

The program's READY must be known before a handshake can end (its properties travel in Finished), and no stranger may
make the program work. So the sidecar asks for READY once, by a connection of its own, and accepts nobody before; each
connection of an authenticated client shows READY again, and a program that came back as another is noticed there.
"""

from __future__ import annotations

import functools
import logging
import socket
from collections.abc import Callable
from dataclasses import replace

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.dialer import Dialer
from qzmq_ref.bridge.endpoints import Endpoint
from qzmq_ref.bridge.handshake import Authenticated
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.listener import Listener
from qzmq_ref.sidecar.program import ProgramHop, Properties, socket_type_of
from qzmq_ref.sidecar.session import PatientSession

log = logging.getLogger("qzmq")


class ServerSide(Listener):
    """Listens for QZMQ at one endpoint, forwards to the program at another."""

    def __init__(self, bridge: Bridge, listen: Endpoint, forward: Endpoint, link: Link, *, raw: bool) -> None:
        """OSError as bind(2) and listen(2) raise it. `link` has no metadata yet: the program will tell."""
        super().__init__(bridge, listen, link)
        self._forward = forward
        self._framed = not raw
        self._properties: Properties | None = () if raw else None
        self._failures = 0

    def start(self) -> None:
        """Accept as soon as the program is known; called in the loop."""
        super().start()
        if self._properties is None:
            self._ask()

    def _watch(self) -> None:
        if self._properties is not None:
            super()._watch()

    def _reach(self, reached: Callable[[ProgramHop], None], failed: Callable[[], None]) -> None:
        """Connect to the program; whatever goes wrong before the hop is done is `failed`."""

        def connected(sock: socket.socket) -> None:
            hop = ProgramHop(self._bridge, sock, framed=self._framed, name=self._forward.text)
            hop.lost = failed
            reached(hop)

        def refused(error: OSError) -> None:
            log.debug("%s: %s", self._forward.text, error)
            failed()

        Dialer(self._bridge, self._forward, self._link, connected=connected, failed=refused)

    # ---- what the program is

    def _ask(self) -> None:
        """Ask for the program's READY, until there is one."""

        def reached(hop: ProgramHop) -> None:
            def told(properties: Properties) -> None:
                hop.close()
                self._learn(properties)

            hop.told = told

        if self._listener.fileno() >= 0:
            self._reach(reached, self._ask_again)

    def _ask_again(self) -> None:
        self._failures += 1
        if self._failures == 1:
            log.warning("%s: waiting for the program at %s", self.endpoint, self._forward.text)
        delay = self._link.options.backoff(self._failures)
        self._bridge.loop.later(delay or 1.0, self._ask)

    def _learn(self, properties: Properties) -> None:
        """The next handshakes speak for this program."""
        kind = socket_type_of(properties)
        self._failures = 0
        self._properties = properties
        configuration = replace(self._link.configuration, metadata=properties, socket_type=kind)
        self._link = replace(self._link, configuration=configuration)
        log.info("%s: accepting for the %s at %s", self.endpoint, kind.decode(errors="replace"), self._forward.text)
        self._watch()

    def _forget(self) -> None:
        """The program is gone: accept nobody until it is back."""
        if self._framed and self._properties is not None and self._listener.fileno() >= 0:
            self._properties = None
            self._bridge.loop.unwatch(self._listener)
            self._ask()

    # ---- sessions

    def _join(self, authenticated: Authenticated) -> None:
        """Connect the client to the program, if that still is what the handshake said it is."""

        def gone() -> None:
            authenticated.decline()
            self._forget()

        self._reach(functools.partial(self._introduce, authenticated), gone)

    def _introduce(self, authenticated: Authenticated, hop: ProgramHop) -> None:
        def told(properties: Properties) -> None:
            if properties == self._properties:
                hop.announce(authenticated.peer.metadata)
            else:
                hop.close()
                authenticated.decline()
                self._learn(properties)

        def done(first: bytes) -> None:
            log.info("%s: session of %s", self.endpoint, authenticated.name)
            part = (self._bridge, self, authenticated.connection, authenticated.remote, hop.sock, authenticated.name)
            authenticated.start(PatientSession(*part), first)

        hop.told, hop.done = told, done
        if not self._framed:
            hop.announce(())
