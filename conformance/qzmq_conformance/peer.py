"""The bare TCP peer: plays either role with the reference's pure functions, and can deviate anywhere.

An honest step builds one message, signs and authenticates it and sends it. A `Deviation` names one structure and
changes its value or its octets at one of four points, so that all that is not wrong on purpose is right.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from qzmq_conformance.case import Failed
from qzmq_conformance.link import Link
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Application
from qzmq_conformance.trace import Entry, name_of
from qzmq_ref.connection import Binding, Configuration
from qzmq_ref.handshake.keyschedule import GenerationSecrets
from qzmq_ref.handshake.messages import NewTicket, build, parse_body
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.metadata import parse_metadata
from qzmq_ref.records import PADDED, STREAMS, RecordReader, unpadded_size
from qzmq_ref.registries import AlertDescription, MessageType

Edit = Callable[[Any], Any]


def same(value: Any) -> Any:
    """No change."""
    return value


@dataclass(frozen=True)
class Deviation:
    """What to do to the one structure of that name: to its `content`, before anything covers it; to its value once it
    is `signed` and before it is authenticated; once it is `proved`; to its `octets` once they are built. `covers`
    changes what a signature covers, of whichever structure."""

    structure: str = ""
    content: Edit = same
    signed: Edit = same
    proved: Edit = same
    octets: Callable[[bytes], bytes] = same
    covers: Callable[[bytes], bytes] = same


HONEST = Deviation()


class Peer(ABC):
    """What both roles share. `states` are those that a peer can bring the target to, in order."""

    states: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self, stage: Stage, link: Link, binding: Binding, configuration: Configuration, deviation: Deviation = HONEST
    ) -> None:
        self.stage = stage
        self.link = link
        self.binding = binding
        self.deviation = deviation
        self.session = Session(configuration, b"", secrets.token_bytes)
        self.sealer: Sealer | None = None
        self.reader: RecordReader | None = None
        self.generation: GenerationSecrets | None = None
        self.target_type = b""
        self.application: Application | None = None
        self.last = b""
        self.overheard: bytearray | None = None
        self.leaves_updates = False
        self.greeting = binding.greeting()
        self.header: Callable[[int], bytes] = binding.header

    # ------------------------------------------------------------------ steps

    def bring(self, state: str) -> None:
        """Plays honest steps, the deviation apart, until the target is in `state` of the table."""
        for step in self.steps()[: self.states.index(state) + 1]:
            step()

    @abstractmethod
    def steps(self) -> tuple[Callable[[], None], ...]:
        """For each of the states, the step that brings the target there from the one before."""

    @abstractmethod
    def speak(self, state: str) -> None:
        """Sends the one message that is due in that state of the target, and waits for nothing."""

    def greet(self) -> None:
        """Both greetings, whole; the prologue is what crossed the wire."""
        self.link.send(self.greeting)
        self.stage.note(Entry("peer", self.greeting, framed=False))
        received = self.link.take(len(self.greeting))
        self.stage.note(Entry("target", received, framed=False))
        self.binding.receive_greeting(memoryview(received))
        both = (self.greeting, received) if self.session.configuration.role == "client" else (received, self.greeting)
        self.session = self.session.but(prologue=b"".join(both))

    def shape(self, value: Any, sign: Edit = same, authenticate: Edit = same, name: str = "") -> tuple[Any, bytes]:
        """The value with its proofs and its octets, after the deviation if it is about this structure, or `name`."""
        deviation = self.deviation if (name or type(value).__name__) == self.deviation.structure else HONEST
        value = deviation.proved(authenticate(deviation.signed(sign(deviation.content(value)))))
        return value, deviation.octets(build(value, self.hash_length))

    def sign(self, covered: bytes) -> bytes:
        """The signature of the peer's key, over what the deviation makes of the octets."""
        key = known(self.session.configuration.key)
        return key.sign(self.deviation.covers(covered), self.session.entropy)

    @property
    def hash_length(self) -> int:
        """Hash.length of the suite, 0 before there is one."""
        return self.session.hash.length if self.session.suite else 0

    # ------------------------------------------------------------------ messages

    def send_message(self, message: bytes, plaintext: bytes | None = None) -> None:
        """Frames and sends any message."""
        self.stage.note(Entry("peer", message, self.hash_length, plaintext))
        self.link.send(self.header(len(message)) + message)

    def send_sealed(self, kind: int, plaintext: bytes, **header: int) -> None:
        """Seals and sends a record; `header` overrides fields of its header."""
        self.send_message(known(self.sealer).seal(kind, plaintext, **header), plaintext)

    def send_sealed_anyway(self, kind: int, plaintext: bytes) -> None:
        """Seals and sends a record even before the target has a key for it."""
        sealing = self.sealer or self.makeshift_sealer()
        self.send_message(sealing.seal(kind, plaintext), plaintext)

    def makeshift_sealer(self) -> Sealer:
        """Keys that nobody else has."""
        return sealer(self.session.configuration.policy.suites[0], self.session.entropy(32), 1)

    def read_message(self) -> tuple[int, bytes]:
        """Type and body of the next message; a sealed one is opened, which checks every rule on records."""
        kind, body = self.read_message_or_end()
        if kind is None:
            raise Failed("the connection ended", "another message")
        return kind, body

    def read_message_or_end(self) -> tuple[int | None, bytes]:
        """As `read_message`; the type is None at the end of the stream. Tickets may come at any time (RES-1), and a
        key_update once the peer has made many steps (ROT-15): then the peer `leaves_updates` without an answer."""
        while True:
            kind, body = self._read_any()
            if kind == MessageType.NEW_TICKET:
                self.keep_ticket(parse_body(MessageType.NEW_TICKET, body))
            elif kind != MessageType.KEY_UPDATE or not self.leaves_updates:
                return kind, body

    def keep_ticket(self, ticket: NewTicket) -> None:
        """What the peer does with a ticket of the target."""
        raise Failed(f"a ticket for {ticket.lifetime} s from a client", "no client sends one (RES-1)")

    def _read_any(self) -> tuple[int | None, bytes]:
        message = self.link.message(self.binding)
        if message is None:
            return None, b""
        self.last = message
        opened = None
        if self.reader is not None and message[:1] and message[0] in STREAMS:
            out = bytearray(len(message))
            _, flags, size = self.reader.open_into(memoryview(message), memoryview(out))
            opened = bytes(out[: unpadded_size(memoryview(out)[:size]) if flags & PADDED else size])
        self.stage.note(Entry("target", message, self.hash_length, opened))
        return message[0], message[1:] if opened is None else opened

    def read_data(self) -> bytes:
        """The application octets of the next message, which must be data."""
        kind, body = self.read_message()
        if kind != MessageType.DATA:
            raise Failed(describe(kind, body), "application octets")
        return body

    def read(self, kind: MessageType) -> Any:
        """The structure in the next message, which must be of that type; anything else fails the case, data apart if
        it may be `overheard`."""
        found, body = self.read_message()
        while found == MessageType.DATA and self.overheard is not None:
            self.overheard += body
            found, body = self.read_message()
        return self.parse(kind, found, body)

    def parse(self, kind: MessageType, found: int, body: bytes) -> Any:
        """The structure in a message of type `found`, which must be of type `kind`; anything else fails the case."""
        if found != kind:
            raise Failed(describe(found, body), kind.name.lower())
        self.session = self.session.but(received=bytes([found]) + body)
        return parse_body(kind, body, self.hash_length)

    def check_metadata(self, octets: bytes) -> None:
        """The target must tell its own Socket-Type, and nothing in the raw binding (PAT-8)."""
        told = {each.name: each.value for each in parse_metadata(octets)}
        if told.get(b"Socket-Type", b"") != self.target_type or (told and not self.target_type):
            raise Failed(
                f"metadata {octets.hex()}", f"Socket-Type {self.target_type.decode() or 'and all else missing'}"
            )

    def close_application(self) -> None:
        """The target's application closes its socket."""
        known(self.application).close()

    # ------------------------------------------------------------------ ends

    def expect_alert(self, description: str, *, sealed: bool) -> None:
        """The target must send that alert, sealed or not (ALR-1, ALR-2), and close; nothing reached its application."""
        wanted = MessageType.SEALED_ALERT if sealed else MessageType.ALERT
        kind: int | None = MessageType.DATA
        body = b""
        while kind == MessageType.DATA:  # what the target's application said before
            kind, body = self.read_message_or_end()
        if kind is None:
            raise Failed(f"no alert before the connection ended, after {bytes(self.link.received[-64:]).hex()}")
        if kind != wanted:
            raise Failed(describe(kind, body), f"{wanted.name.lower()} {description}")
        if body != bytes([AlertDescription[description.upper()]]):
            raise Failed(describe(kind, body))
        self.expect_end()

    def expect_end(self) -> None:
        """The target must close without another message, tickets apart, and nothing of the case may have reached its
        application."""
        kind, body = self.read_message_or_end()
        if kind is not None:
            raise Failed(f"{describe(kind, body)} before it closed", "the end of the connection")
        self.stage.check_unreached()


def describe(kind: int, body: bytes) -> str:
    """A message of the target in few words."""
    if kind in (MessageType.ALERT, MessageType.SEALED_ALERT) and len(body) == 1:
        return f"{name_of(MessageType, kind)} {name_of(AlertDescription, body[0])}"
    return f"{name_of(MessageType, kind)} with body {body[:32].hex()} ({len(body)} octets)"
