"""`qzmq bridge client`: plaintext for the program beside it, and for each of its connections one QZMQ connection.

The program's READY comes first and travels as this client's metadata; READY with the server's properties answers it
when the server is authenticated. Retries are the program's own: if the server cannot be reached, the program's
connection is closed, and its library comes back by its own timer.
"""

from __future__ import annotations

import logging
import socket
from dataclasses import replace

from qzmq_ref.bridge.attempt import Attempt
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import Endpoint
from qzmq_ref.bridge.handshake import Authenticated
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.listener import Listener
from qzmq_ref.bridge.report import refusal
from qzmq_ref.connection import Ended, Rekeying, TicketReceived
from qzmq_ref.sidecar.program import ProgramHop, Properties, socket_type_of
from qzmq_ref.sidecar.session import PatientSession

log = logging.getLogger("qzmq")


class ClientSide(Listener):
    """Listens in plaintext at one endpoint, forwards to the QZMQ server at another."""

    def __init__(self, bridge: Bridge, listen: Endpoint, forward: Endpoint, link: Link, *, raw: bool) -> None:
        """OSError as bind(2) and listen(2) raise it. `link` has no metadata: each connection brings its own."""
        super().__init__(bridge, listen, link)
        self._forward = forward
        self._framed = not raw
        self.resumes = True
        """Whether tickets are offered: not after a handshake that failed, which may be the ticket's fault."""

    def start(self) -> None:
        """Accept from now on; called in the loop."""
        super().start()
        log.info("%s: accepting for the server at %s", self.endpoint, self._forward.text)

    def _accepted(self, sock: socket.socket) -> None:
        place = self._take_place()
        arrival = Arrival(self._bridge, self, place, sock, self._forward, self._link)
        self._hold(place, arrival)
        arrival.start(framed=self._framed)

    def session_told(self, event: TicketReceived | Rekeying) -> None:
        """Keep the server's tickets for the next connection; those of a generation that is over go (RES-3)."""
        if isinstance(event, TicketReceived):
            self._link.tickets.keep(event.ticket, event.lifetime, self)
        elif event.complete:
            self._link.tickets.discard(self)

    def settled(self, place: int) -> None:
        """One connection of the program less that waits for its server."""
        self._free_place(place)


class Arrival:
    """One connection of the program, until it has a session or is given up."""

    def __init__(
        self, bridge: Bridge, owner: ClientSide, place: int, sock: socket.socket, forward: Endpoint, link: Link
    ) -> None:
        """`place` is its place among those of the owner that wait."""
        self._bridge = bridge
        self._owner = owner
        self._place = place
        self._sock = sock
        self._hop: ProgramHop | None = None
        self._forward = forward
        self._link = link
        self._attempt: Attempt | None = None
        self._over = False

    def start(self, *, framed: bool) -> None:
        """Wait for the program's READY, if there is to be one, and dial. (Raw octets wait in the system's buffer.)"""
        self._bridge.enter(self)
        try:
            self._link.options.tune(self._sock)
        except OSError:  # gone already
            return self._hang_up()
        if not framed:
            return self._dial(())
        self._hop = self._greet(framed=True)
        self._hop.told = self._dial
        self._hop.lost = self._give_up
        return None

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The sidecar ends, and nothing has been carried."""
        self._hang_up()

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self._hang_up()

    def dismiss(self) -> None:
        """Give it up: its library comes back."""
        self._hang_up()

    def _greet(self, *, framed: bool) -> ProgramHop:
        return ProgramHop(self._bridge, self._sock, framed=framed, name=self._owner.endpoint)

    def _dial(self, properties: Properties) -> None:
        kind = socket_type_of(properties)
        configuration = replace(self._link.configuration, metadata=properties, socket_type=kind)
        self._link = replace(self._link, configuration=configuration)
        self._attempt = Attempt(
            self._bridge, self._forward, self._link, resumes=self._owner.resumes,
            done=self._authenticated, refused=self._refused, unreachable=self._unreachable,
        )  # fmt: skip
        self._attempt.start()

    def _unreachable(self, error: OSError) -> None:
        log.warning("%s: %s; the program will try again", self._forward.text, error.strerror or error)
        self._attempt = None
        self._hang_up()

    def _refused(self, ended: Ended | None) -> None:
        """A refusal by the authenticated server is final (ALR-6): a ZeroMQ program is told so, and hangs up itself."""
        self._attempt = None
        self._owner.resumes = False
        if (status := refusal(ended)) and self._hop is not None:
            self._hop.refuse(status)
        else:
            self._hang_up()

    def _authenticated(self, remote: Authenticated) -> None:
        self._attempt = None
        self._owner.resumes = True
        hop = self._hop or self._greet(framed=False)

        def done(first: bytes) -> None:
            self._settle()
            log.info("%s: session with %s", self._owner.endpoint, remote.name)
            part = (self._bridge, self._owner, remote.connection, remote.remote, self._sock, remote.name)
            remote.start(PatientSession(*part), first)

        def lost() -> None:
            remote.decline()
            self._settle()

        hop.done, hop.lost = done, lost
        hop.announce(remote.peer.metadata)

    def _hang_up(self) -> None:
        if self._hop is not None:
            self._hop.close()
        self._bridge.loop.close(self._sock)
        self._give_up()

    def _give_up(self) -> None:
        """The program's connection is closed."""
        if self._attempt is not None:
            self._attempt.abort()
            self._attempt = None
        self._settle()

    def _settle(self) -> None:
        if not self._over:
            self._over = True
            self._bridge.leave(self)
            self._owner.settled(self._place)
