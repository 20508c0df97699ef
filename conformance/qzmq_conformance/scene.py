"""The setting of a bare-peer case: mode, role of the target, who authenticates, binding, socket types."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import ClassVar

from qzmq_conformance.case import Failed
from qzmq_conformance.keys import as_client, as_server, key, policy
from qzmq_conformance.link import Link
from qzmq_conformance.peer import HONEST, Deviation, Peer
from qzmq_conformance.retried import RetriedClientPeer, RetryingServerPeer
from qzmq_conformance.roles import ClientPeer, ServerPeer
from qzmq_conformance.security import Security
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application, token
from qzmq_ref.connection import Binding, Configuration
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import MessageType
from qzmq_ref.tickets import MemoryTickets
from qzmq_ref.zmtp import ZmtpBinding

Meet = Callable[..., AbstractContextManager[Peer]]
"""A peer with one more connection to the same target, whose deviation is the argument."""

PUZZLE = 4  # bits
ROLES: tuple[Role, Role] = ("server", "client")


@dataclass(frozen=True)
class Scene:
    """`role` is the target's. `mutual`: the server asks for the client's key. `raw`: STREAM over the raw binding.

    `own` and `others` are the Socket-Types of target and peer; by default ones that fit, and let the target answer.
    `who` names the peer's key; the target knows that of `other`. `policy` is both sides', by default the mode's;
    `peer_policy` the peer's, if it has another one.
    `retry`: the server asks for a puzzle. `zap`: what the target's ZAP handler answers (`Security.zap`).
    `alone`: the target's socket is this case's own, so that its application can close it, or be asked for `features`.
    """

    mode: str
    role: Role
    mutual: bool = False
    raw: bool = False
    own: str = ""
    others: str | None = None
    who: str = "other"
    policy: Policy | None = None
    peer_policy: Policy | None = None
    retry: bool = False
    zap: str = ""
    alone: bool = False
    features: tuple[str, ...] = ()

    reconnect_ivl: ClassVar[int] = 20
    """Milliseconds after which a target that is a client comes back."""

    @property
    def states(self) -> tuple[str, ...]:
        """The states of the target that a peer can bring it to, in order."""
        return self._peer_class.states

    @property
    def target_type(self) -> str:
        """The target's Socket-Type."""
        return self.own or ("STREAM" if self.raw else "ROUTER" if self.role == "server" else "DEALER")

    @property
    def peer_type(self) -> str:
        """The peer's Socket-Type."""
        return "DEALER" if self.others is None else self.others

    @contextmanager
    def play(self, stage: Stage, deviation: Deviation = HONEST) -> Iterator[Peer]:
        """A peer with a fresh connection to the target, before the first octet."""
        with self.meetings(stage) as meet, meet(deviation) as peer:
            yield peer

    def meetings(self, stage: Stage) -> AbstractContextManager[Meet]:
        """One socket of the target, and a peer for each connection with it."""
        return self._visiting(stage) if self.role == "server" else self._visited(stage)

    @contextmanager
    def _visiting(self, stage: Stage) -> Iterator[Meet]:
        """The target listens."""

        @contextmanager
        def meet(deviation: Deviation = HONEST) -> Iterator[Peer]:
            with Link.connect(application.address, stage.bench.patience) as link:
                yield self._peer(stage, link, application, deviation)
                check_wire(stage, link)

        if self.alone:
            opened = stage.target.open(
                self.target_type, bind=True, security=self.security, features=self.features, echo=True
            )
            with opened as application:
                yield meet
        else:
            application = stage.bench.listening(self.target_type, self.security)
            yield meet

    @contextmanager
    def _visited(self, stage: Stage) -> Iterator[Meet]:
        """The target connects, and connects again when a connection has ended. Whoever does not want that lets it wait:
        the port is nobody else's as long as the target knows it."""
        store = MemoryTickets()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(stage.bench.patience)
            endpoint = f"tcp://127.0.0.1:{listener.getsockname()[1]}"

            @contextmanager
            def meet(deviation: Deviation = HONEST) -> Iterator[Peer]:
                connected, _ = listener.accept()
                with Link(connected, stage.bench.patience) as link:
                    peer = self._peer(stage, link, application, deviation)
                    peer.session = peer.session.but(configuration=replace(peer.session.configuration, tickets=store))
                    yield peer
                    check_wire(stage, link)

            opened = stage.target.open(
                self.target_type,
                endpoint,
                bind=False,
                security=self.security,
                options={"RECONNECT_IVL": self.reconnect_ivl},
                features=self.features,
                echo=True,
            )
            with opened as application:
                yield meet

    def _peer(self, stage: Stage, link: Link, application: Application, deviation: Deviation) -> Peer:
        peer = self._peer_class(stage, link, self._binding(self._peer_role), self._configuration(), deviation)
        peer.application = application
        peer.target_type = b"" if self.raw else self.target_type.encode()
        return peer

    @property
    def _peer_class(self) -> type[ClientPeer | ServerPeer]:
        if self.role == "server":
            return RetriedClientPeer if self.retry else ClientPeer
        return RetryingServerPeer if self.retry else ServerPeer

    @property
    def chosen(self) -> Policy:
        """The policy of both sides."""
        chosen = self.policy or policy(self.mode)
        return replace(chosen, retry="always", difficulty=PUZZLE) if self.retry else chosen

    @property
    def security(self) -> Security:
        """What the target's application sets."""
        chosen = self.chosen
        if self.role == "server":
            return replace(as_server("target", chosen, *(["other"] if self.mutual else [])), zap=self.zap)
        return as_client("target" if self.mutual else "", chosen, "other")

    def _configuration(self) -> Configuration:
        """What the peer has: the role opposite to the target's."""
        chosen = self.peer_policy or self.chosen
        socket_type = b"" if self.raw else self.peer_type.encode()
        ours, theirs = key(self.who, chosen.signature), key("target", chosen.signature)
        metadata = () if self.raw else (Property(b"Socket-Type", self.peer_type.encode()),)
        if self.role == "server":
            return Configuration(
                "client",
                chosen,
                key=ours if self.mutual else None,
                server_pins=frozenset({theirs.pin}),
                metadata=metadata,
                socket_type=socket_type,
            )
        return Configuration(
            "server",
            chosen,
            key=ours,
            client_pins=frozenset({theirs.pin}) if self.mutual else None,
            metadata=metadata,
            socket_type=socket_type,
        )

    @property
    def _peer_role(self) -> Role:
        return "client" if self.role == "server" else "server"

    def _binding(self, role: Role) -> Binding:
        return RawBinding(role) if self.raw else ZmtpBinding(role)

    @property
    def peer_greeting(self) -> bytes:
        """What an honest peer sends at once."""
        return self._binding(self._peer_role).greeting()

    @property
    def target_greeting(self) -> bytes:
        """What the target sends at once, whatever it receives (ZMTP-1, RAW-1)."""
        return self._binding(self.role).greeting()


def check_wire(stage: Stage, link: Link) -> None:
    """`Failed` if the target sent the case's octets in the clear."""
    if stage.token in link.received:
        raise Failed(
            "application octets of the target crossed the wire in the clear", "no application octet on the wire"
        )


def frame(octets: bytes) -> bytes:
    """One ZMTP message of one part (RFC 37)."""
    if len(octets) > 255:
        return b"\x02" + len(octets).to_bytes(8) + octets
    return b"\x00" + len(octets).to_bytes(1) + octets


def check_alive(scene: Scene, peer: Peer) -> None:
    """Octets go to the target's application and come back: the session is established and both directions work."""
    octets = token()
    sent = octets if scene.raw else frame(octets)
    peer.send_sealed(MessageType.DATA, sent)
    received = b""
    while len(received) < len(sent):
        received += peer.read_data()
    if received != sent:
        raise Failed(f"the application's answer {received[:64].hex()}", sent.hex())
