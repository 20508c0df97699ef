"""Scenes of a client that comes back: a first session that yields a ticket, and then the connection of the case."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial

from qzmq_conformance import rekeying
from qzmq_conformance.peer import HONEST, Deviation, Peer
from qzmq_conformance.roles import ClientPeer, Early, ServerPeer
from qzmq_conformance.scene import Meet, Scene, check_alive
from qzmq_conformance.sealing import Sealer
from qzmq_conformance.stage import Stage
from qzmq_ref.handshake.tickets import EARLY_STREAM, ClientTicket
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.tickets import MemoryTickets

CLOSE_NOTIFY = bytes([AlertDescription.CLOSE_NOTIFY])


@dataclass(frozen=True)
class Returning(Scene):
    """A scene whose connection is the client's second one.

    `forgotten`: the server does not know the ticket any more. `elsewhere`: the client comes back to another socket of
    the same server. `issued` changes the ticket. `rekeyed`: a generation changes `before` it is issued, or `after`.
    `early_data`: both sides allow it.
    """

    forgotten: bool = False
    elsewhere: Scene | None = None
    issued: Deviation = HONEST
    rekeyed: str = ""
    early_data: bool = False

    @property
    def chosen(self) -> Policy:
        """The policy of both sides."""
        return replace(super().chosen, early_data=self.early_data)

    def meetings(self, stage: Stage) -> AbstractContextManager[Meet]:
        """As of any scene, with a target that has tickets."""
        stage.need("resumption")
        return super().meetings(stage)

    @contextmanager
    def play(self, stage: Stage, deviation: Deviation = HONEST) -> Iterator[Peer]:
        """The peer of the second connection, before its first octet."""
        with self.meetings(stage) as meet, ExitStack() as stack:
            prepare = self.first(meet)
            if self.elsewhere:
                meet = stack.enter_context(self.elsewhere.meetings(stage))
            with meet(deviation) as peer:
                prepare(peer)
                yield peer

    def first(self, meet: Meet) -> Callable[[Peer], None]:
        """Plays the first session; returns what prepares the peer of the second one."""
        with meet(self.issued) as peer:
            peer.bring("established")
            check_alive(self, peer)
            if self.rekeyed == "before":
                self._rekey(peer)
            ticket = None
            if isinstance(peer, ClientPeer):
                ticket = peer.tickets[-1].ticket
            elif isinstance(peer, ServerPeer):
                peer.issue()
            if self.rekeyed == "after":
                self._rekey(peer)
            close(peer)
            self.between(peer)
            return partial(self._prepare, ticket)

    def between(self, peer: Peer) -> None:
        """What happens between the two sessions; `peer` is that of the first."""

    def _rekey(self, peer: Peer) -> None:
        rekeying.whole_generation(peer)
        check_alive(self, peer)

    def _prepare(self, ticket: ClientTicket | None, peer: Peer) -> None:
        """The peer's memory of the first session."""
        if isinstance(peer, ClientPeer) and ticket:
            peer.offer(replace(ticket, identity=bytes(len(ticket.identity))) if self.forgotten else ticket)
        elif self.forgotten:
            configuration = replace(peer.session.configuration, tickets=MemoryTickets())
            peer.session = peer.session.but(configuration=configuration)


def close(peer: Peer) -> None:
    """Both sides end the session in order."""
    peer.send_sealed(MessageType.SEALED_ALERT, CLOSE_NOTIFY)
    peer.expect_alert("close_notify", sealed=True)


def early(octets: bytes, **header: int) -> Early:
    """One early record; `header` overrides fields of its header."""

    def record(sealing: Sealer) -> bytes:
        return sealing.seal(MessageType.DATA, octets, **{"stream_id": EARLY_STREAM, **header})

    return record
