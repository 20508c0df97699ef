"""What the relay has seen of a QZMQ session: the messages of both sides, as far as anybody on the way can read them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from qzmq_conformance.case import Failed
from qzmq_conformance.trace import Entry, name_of
from qzmq_ref.alerts import Alert
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.handshake.messages import SEALED, ClientHello, ServerHello, parse_body
from qzmq_ref.handshake.tickets import EARLY_STREAM
from qzmq_ref.raw import RawBinding
from qzmq_ref.records import HEADER
from qzmq_ref.registries import AlertDescription, CipherSuite, ExtensionType, MessageType
from qzmq_ref.zmtp import ZmtpBinding

LIMIT = 1 << 24  # octets; who sends longer messages is judged elsewhere
ATTEMPTS = 4
ROLES: tuple[Role, Role] = ("client", "server")


@dataclass(frozen=True)
class Message:
    """One QZMQ message; a sealed one shows its header."""

    kind: int
    octets: bytes

    @property
    def epoch(self) -> tuple[int, int] | None:
        """Generation and step of a record."""
        if self.kind not in SEALED or len(self.octets) < HEADER.size:
            return None
        generation, step = divmod(HEADER.unpack_from(self.octets)[2], 256)
        return generation, step

    @property
    def early(self) -> bool:
        """Whether it is an early record."""
        return self.epoch is not None and HEADER.unpack_from(self.octets)[3] == EARLY_STREAM

    def __str__(self) -> str:
        name = "early data" if self.early else name_of(MessageType, self.kind)
        if self.kind == MessageType.ALERT and len(self.octets) > 1:
            return f"{name} {name_of(AlertDescription, self.octets[1])}"
        return name


@dataclass(frozen=True)
class Connection:
    """One TCP connection: what each side sent on it, in order."""

    client: tuple[Message, ...]
    server: tuple[Message, ...]
    octets: tuple[int, int] = (0, 0)
    """How many octets the client and the server sent, greetings included."""

    def of(self, kind: MessageType) -> tuple[Message, ...]:
        """The messages of this type, the client's first."""
        return tuple(message for message in (*self.client, *self.server) if message.kind == kind)

    def epochs(self, role: Role) -> list[tuple[int, int]]:
        """Generation and step of each record of that side."""
        sent = self.client if role == "client" else self.server
        return [message.epoch for message in sent if message.epoch is not None]

    @property
    def stands(self) -> bool:
        """Whether the handshake came to its end; so it did if it never began."""
        begun = bool(self.client or self.server)
        return not begun or (bool(self.of(MessageType.FINISHED)) and not self.of(MessageType.ALERT))

    @property
    def suite(self) -> CipherSuite | None:
        """What the server has chosen."""
        found = self._server_hello
        return found.suite if found else None

    @property
    def offered(self) -> bool:
        """Whether the client offered a ticket."""
        hellos: list[ClientHello] = [_body(message) for message in self.of(MessageType.CLIENT_HELLO)]
        return any(_has(hello, ExtensionType.PRE_SHARED_KEY) for hello in hellos)

    @property
    def resumed(self) -> bool:
        """Whether the server took the client's ticket."""
        found = self._server_hello
        return found is not None and _has(found, ExtensionType.PRE_SHARED_KEY)

    @property
    def server_certificate(self) -> bytes:
        """What the server has shown, its type first."""
        found = self._server_hello
        return found.certificate if found else b""

    @property
    def _server_hello(self) -> ServerHello | None:
        return next((_body(message) for message in self.of(MessageType.SERVER_HELLO)), None)

    def __str__(self) -> str:
        """The messages by name, repeated ones counted."""
        if not self.client and not self.server:
            return f"no message: {self.octets[0]} octets of the client, {self.octets[1]} of the server"
        return f"client: {_brief(self.client)}; server: {_brief(self.server)}"

    def entries(self) -> Iterator[Entry]:
        """The same for a transcript."""
        for sender, sent in (("client", self.client), ("server", self.server)):
            yield from (Entry(sender, message.octets) for message in sent)


def connections(recordings: Sequence[bytes], *, raw: bool, client_connects: bool) -> tuple[Connection, ...]:
    """What a relay has recorded, two directions a connection; `Failed` if anything in it is not QZMQ."""
    roles = ROLES if client_connects else ROLES[::-1]
    found = []
    for pair in zip(recordings[::2], recordings[1::2], strict=False):
        by_role = dict(zip(roles, pair, strict=True))
        client, server = (_messages(by_role[role], role, raw=raw) for role in ROLES)
        found.append(Connection(client, server, (len(by_role["client"]), len(by_role["server"]))))
    return tuple(found)


def brief(wire: Iterable[Connection]) -> str:
    """The connections in lines, those that are alike in one."""
    parts = ((text, len(list(alike))) for text, alike in groupby(map(str, wire)))
    return "\n".join(f"{text} ({times} connections)" if times > 1 else text for text, times in parts)


def hopeless(wire: Sequence[Connection]) -> str:
    """What of it bodes no good: an alert, or attempt after attempt that comes to nothing. Empty while there is hope."""
    for connection in wire:
        for sender, sent in (("client", connection.client), ("server", connection.server)):
            for message in sent:
                if message.kind == MessageType.ALERT:
                    return f"the {sender} sends {message}"
    if len(wire) > ATTEMPTS and not any(connection.of(MessageType.FINISHED) for connection in wire):
        return f"{len(wire)} connections, and no handshake that came to its end"
    return ""


def _messages(octets: bytes, sender: Role, *, raw: bool) -> tuple[Message, ...]:
    """The whole messages of one direction."""
    other: Role = "server" if sender == "client" else "client"
    binding = RawBinding(other) if raw else ZmtpBinding(other)
    view, found = memoryview(octets), []
    try:
        at = binding.receive_greeting(view)
        while at and (bounds := binding.message(view[at:], LIMIT)):
            message = bytes(view[at + bounds[0] : at + bounds[1]])
            found.append(Message(message[0], message))
            at += bounds[1]
    except Alert as alert:
        expected = "QZMQ and nothing else on the wire"
        raise Failed(f"what the {sender} sends is not QZMQ: {alert.detail}", expected) from None
    return tuple(found)


def _body(message: Message) -> Any:
    try:
        return parse_body(MessageType(message.kind), message.octets[1:])
    except Alert as alert:
        raise Failed(f"{message}: {alert.detail}", "a message of the notation") from None


def _has(hello: ClientHello | ServerHello, kind: ExtensionType) -> bool:
    return any(each.extension_type == kind for each in hello.extensions)


def _brief(messages: Sequence[Message]) -> str:
    parts: list[tuple[str, int]] = []
    for name in map(str, messages):
        times = parts.pop()[1] if parts and parts[-1][0] == name else 0
        parts.append((name, times + 1))
    return ", ".join(f"{name} x{times}" if times > 1 else name for name, times in parts) or "nothing"
