"""One QZMQ connection without I/O: octets in, events and octets out.

    receive(octets) -> events      send(octets)      close()      data_to_send() -> octets

A connection joins a binding's framing, the handshake machine and the two record directions. `open_into` and
`seal_into` are the same two directions without copies, for a caller that owns the buffers.
"""

from __future__ import annotations

from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.binding import Binding
from qzmq_ref.crypto import Entropy
from qzmq_ref.early import EarlyReader, seal_early
from qzmq_ref.events import Event, Opened
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.machine import fail, step
from qzmq_ref.handshake.messages import SEALED, STRUCTURES
from qzmq_ref.handshake.outputs import (
    Authorize,
    Decision,
    Disclose,
    EarlyAnswered,
    EarlyReceived,
    Ended,
    Established,
    Install,
    Peer,
    Received,
    ReceiveEarly,
    Rekeying,
    Send,
    SendEarly,
    TicketReceived,
)
from qzmq_ref.handshake.resume import check_ticket
from qzmq_ref.handshake.server import prepare_kem_key
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.handshake.tickets import ClientTicket
from qzmq_ref.policy import MAX_RECORD, Limits
from qzmq_ref.records import DATA, OVERHEAD, PADDED, Clock, RecordReader, RecordWriter, pad, unpadded_size
from qzmq_ref.registries import AlertDescription, MessageType

__all__ = [
    "Authorize", "Binding", "ClientTicket", "Configuration", "Connection", "Decision", "EarlyAnswered",
    "EarlyReceived", "Ended", "Established", "Event", "Opened", "Peer", "Received", "Rekeying", "TicketReceived",
]  # fmt: skip

MAX_HANDSHAKE_MESSAGE = 2**17
"""Octets of a message before the session is established (HS-1, SEC-1)."""

LIMITS = dict.fromkeys(("established", "closing"), MAX_RECORD + OVERHEAD)
"""Octets of the longest message in these states, without its framing (REC-3); elsewhere MAX_HANDSHAKE_MESSAGE."""

REKEY_STEP = 192
"""Step of either direction from which on a side asks for a new generation (ROT-15)."""


class Connection:
    """One side of one connection. Peer input never raises: it ends in an `Ended` event, with the alert to send."""

    __slots__ = (
        "_binding", "_client_random", "_clock", "_configuration", "_early", "_generation_began", "_greeted",
        "_input", "_output", "_reader", "_session", "_writer",
    )  # fmt: skip

    def __init__(
        self,
        configuration: Configuration,
        binding: Binding,
        *,
        entropy: Entropy,
        clock: Clock,
        peer_address: str = "",
        ticket: ClientTicket | None = None,
        early_data: bytes = b"",
    ) -> None:
        """`ticket` is what a client comes back with; `early_data` goes out behind its ClientHello (RES-14).

        Raises LocalError if the ticket cannot be offered as this side is configured now, or early data is not
        allowed by the policy or the ticket.
        """
        check_ticket(configuration, ticket, early_data)
        self._configuration = configuration
        self._binding = binding
        self._clock = clock
        self._session = Session(configuration, b"", entropy, peer_address, offered=ticket, early=early_data)
        self._early = EarlyReader()
        self._greeted = False
        self._writer: RecordWriter | None = None
        self._reader: RecordReader | None = None
        self._generation_began = 0.0
        self._client_random = b""
        self._input = bytearray()
        self._output = bytearray(binding.greeting())

    def __repr__(self) -> str:
        """Role and state, and no secret (SEC-7)."""
        return f"<Connection {self._configuration.role} {self.state}>"

    @property
    def configuration(self) -> Configuration:
        """What was decided before the first octet."""
        return self._configuration

    @property
    def state(self) -> str:
        """State of table `handshake`, or `greeting` before its first one."""
        return self._session.state if self._greeted or self._session.state == "closed" else "greeting"

    @property
    def established(self) -> bool:
        """Whether application octets may be sent."""
        return self._session.state == "established"

    @property
    def limits(self) -> Limits:
        """What bounds this side's keys (ROT-1, ROT-15)."""
        return self._configuration.policy.limits

    @property
    def epochs(self) -> tuple[int, int]:
        """Epoch (generation || step) of the sending and of the receiving key, 0 where there is none."""
        return self._writer.epoch if self._writer else 0, self._reader.epoch if self._reader else 0

    @property
    def peer(self) -> Peer | None:
        """The authenticated peer, from `Established` on."""
        return self._session.peer

    # ------------------------------------------------------------------ sending

    def send(self, octets: bytes | bytearray | memoryview) -> None:
        """Seal application octets; they leave with `data_to_send()`. LocalError if the session is not established."""
        sealed = bytearray(self.sealed_size(len(octets)))
        size = self.seal_into(memoryview(octets), memoryview(sealed))
        self._output += memoryview(sealed)[:size]

    def sealed_size(self, size: int) -> int:
        """Room that `seal_into` needs at most for `size` application octets."""
        policy = self._configuration.policy
        framing = len(self._binding.header(MAX_RECORD)) + OVERHEAD
        return size + -(-size // policy.record_cut) * (framing + (policy.padding and policy.padding + 2))

    def seal_into(self, octets: memoryview, out: memoryview) -> int:
        """Write `octets` as framed records to `out` and return how many octets these take.

        They follow whatever `data_to_send()` holds. At the end of the last step the session closes instead
        (ROT-6): nothing is written, `established` turns false.
        """
        if self._session.state != "established":
            raise LocalError(f"nothing can be sent in state {self.state}: wait for Established, or connect again")
        policy, writer, position = self._configuration.policy, known(self._writer), 0
        for start in range(0, len(octets), policy.record_cut):
            chunk, flags = octets[start : start + policy.record_cut], 0
            if policy.padding:
                chunk, flags = memoryview(pad(chunk, policy.padding)), PADDED
            if writer.exhausted(len(chunk)):
                self.close()
                break
            header = self._binding.header(len(chunk) + OVERHEAD)
            out[position : position + len(header)] = header
            position += len(header)
            position += writer.seal_into(DATA, chunk, out[position:], flags)
        return position

    def prepare(self) -> None:
        """Use the time until the peer speaks: a server makes its KEM key (HS-7). Optional, and harmless at any time."""
        if self._greeted:
            self._session = prepare_kem_key(self._session)

    def close(self) -> None:
        """End the session in order: close_notify, or user_canceled before it is established (CLS-1, CLS-5)."""
        self._apply(step(self._session, "(close)"))

    def decide(self, decision: Decision) -> list[Event]:
        """Go on as ZAP decided (ZAP-3); nothing happens if nothing was asked. What `receive` held back meanwhile comes
        with its next call, or `unread` has it."""
        session = self._session.but(decision=decision)
        return self._apply(step(session, "(admitted)" if decision.status == 200 else "(refused)"))

    def rekey(self) -> None:
        """Ask for a new generation: offer as client, request as server. Nothing happens while one is open or in the
        last generation (ROT-9, ROT-11, ROT-16)."""
        self._apply(step(self._session, "(rekey)"))

    def step(self) -> bool:
        """Use the next traffic key for what this side sends, from an empty record on (ROT-2, ROT-3).

        False, and nothing happens, if the session is not established or this was the last step (ROT-6).
        """
        records = known(self._writer).announced_step() if self.established else []
        for record in records:
            self._frame(record)
        return bool(records)

    def rekey_due(self) -> bool:
        """Whether the time or the steps of the generation ask for a new one (ROT-15).

        The steps of a generation that is ending do not count: the peer has not begun the new one yet (ROT-14).
        """
        if not self.established:
            return False
        steps = max(epoch & 0xFF for epoch in self.epochs if epoch >> 8 == self._session.generation)
        age = self._clock() - self._generation_began
        return steps >= REKEY_STEP or age >= self.limits.generation_seconds

    def data_to_send(self) -> bytes:
        """Octets to put on the wire now, in order; each is returned once."""
        output = bytes(self._output)
        self._output.clear()
        return output

    def export(self, label: str, context: bytes, length: int) -> bytes:
        """Keying material bound to this session, `length` octets (KS-6; RFC 8446 section 7.5)."""
        if not self.established:
            raise LocalError("KS-6: the exporter is withheld until the session is established")
        return keyschedule.exporter(self._session.hash, self._session.exp, label.encode(), context, length)

    # ------------------------------------------------------------------ receiving

    def receive(self, octets: bytes | bytearray | memoryview) -> list[Event]:
        """Take octets off the wire, in any cut; everything they completed comes back as events, in order."""
        self._input += octets
        events: list[Event] = []
        plaintext = memoryview(bytearray(len(self._input)))
        position = 0
        with memoryview(self._input) as view:
            while position < len(view):
                opened = self.open_into(view[position:], plaintext)
                if opened.produced:
                    events.append(Received(bytes(plaintext[: opened.produced])))
                events += opened.events
                position += opened.consumed
                if not opened.consumed:
                    break
        self._input = self._input[position:]  # not in place: the traceback of an Alert may still hold a view of it
        return events

    def unread(self) -> bytes:
        """Hand over what `receive` holds of a message not yet whole, for a caller that goes on with `open_into`."""
        octets = bytes(self._input)
        self._input = bytearray()
        return octets

    def open_into(self, data: memoryview, out: memoryview) -> Opened:
        """Take whole messages from the front of `data`, decrypting application octets into `out`.

        Stops at the first event, at a message that is not whole, and when `out` has no room for the next record
        (at least 2^20 octets always have). Takes nothing between `Authorize` and `decide` (ZAP-3). The caller keeps
        `data[consumed:]` and calls again.
        """
        if self._session.state == "wait_authorization":
            return Opened(0, 0)
        consumed = produced = 0
        try:
            if not self._greeted and self.state != "closed":
                return self._receive_greeting(data)
            while (state := self._session.state) != "closed":
                if consumed == len(data):
                    break
                span = self._binding.message(data[consumed:], LIMITS.get(state, MAX_HANDSHAKE_MESSAGE))
                if span is None:
                    return Opened(consumed, produced)
                message = data[consumed + span[0] : consumed + span[1]]
                if state == "established" and message and message[0] == DATA:
                    if len(message) - OVERHEAD > len(out) - produced:
                        return Opened(consumed, produced)
                    produced += self._open_data(message, out[produced:])
                    consumed += span[1]
                else:
                    consumed += span[1]
                    if events := self._handle(message):
                        return Opened(consumed, produced, tuple(events))
        except Alert as alert:
            return Opened(len(data), produced, tuple(self._fail(alert)))
        return Opened(len(data), produced)

    def end_of_file(self) -> list[Event]:
        """The peer's stream ended: nothing new after a close_notify of either side, else `truncated` (CLS-3, CLS-4)."""
        if self.state == "closed":
            return []
        events = [*self._undetermined(), Ended("closed" if self.state == "closing" else "truncated")]
        self._session = self._session.but(state="closed")
        self._forget()
        return events

    def _receive_greeting(self, data: memoryview) -> Opened:
        """The machine starts once the whole greeting is right; the client then speaks first."""
        size = self._binding.receive_greeting(data)
        if not size:
            return Opened(0, 0)
        self._greeted = True
        self._session = self._session.but(prologue=self._binding.prologue)
        return Opened(size, 0, tuple(self._apply(step(self._session, "(begin)"))))

    def _open_data(self, record: memoryview, out: memoryview) -> int:
        """HS-40 without a detour through `step`, for speed: `data` is delivered here and nothing else changes."""
        _, flags, size = known(self._reader).open_into(record, out)
        return unpadded_size(out[:size]) if flags & PADDED else size

    def _handle(self, message: memoryview) -> list[Event]:
        """REG-1, the record's protection (REC-1 to REC-8), then the table (HS-18)."""
        if not message or message[0] not in STRUCTURES:
            shown = f"0x{message[0]:02x}" if message else "missing"
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "REG-1", f"message type {shown}")
        message_type = MessageType(message[0])
        name = message_type.name.lower()
        if self._early.expects(self._session, message):
            return self._apply(step(self._session, "data", self._early.open(message), "early"))
        if message_type not in SEALED:
            return self._apply(step(self._session, name, bytes(message[1:]), "plain"))
        if self._reader is None:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "REC-1", f"{name} before there is a key")
        plaintext = self._reader.open(message)
        return self._apply(step(self._session, name, plaintext, str(self._reader.epoch >> 8)))

    def _fail(self, alert: Alert) -> list[Event]:
        """End for a fault found outside the machine. A wrong greeting is not answered (spec/bindings.md)."""
        if self._greeted:
            return self._apply(fail(self._session.but(outputs=()), alert))
        self._session = self._session.but(state="closed")
        self._output.clear()
        return [Ended("alert", alert.with_traceback(None))]

    # ------------------------------------------------------------------ the machine's wishes

    def _apply(self, session: Session) -> list[Event]:
        """Carry out the outputs of a step, in order; returns those that are events."""
        self._session = session
        events: list[Event] = []
        for output in session.outputs:
            match output:
                case Send(message_type, octets):
                    self._queue(message_type, octets)
                case Install():
                    self._install(output)
                    self._disclose(output.name(session.configuration.role), output.secret)
                case Disclose(name, secret):
                    self._disclose(name, secret)
                case SendEarly():
                    self._disclose("c_early", output.secret)
                    self._frame(seal_early(output, self.limits, self._clock))
                case ReceiveEarly():
                    self._disclose("c_early", output.secret)
                    self._early.accept(output)
                case Ended():
                    events += [*self._undetermined(), output]
                case _:
                    events.append(output)
        self._let_go(events)
        return events

    def _let_go(self, events: list[Event]) -> None:
        """Drop what only the handshake needed, or all of it if the session is over (KS-5)."""
        if any(isinstance(event, Established) for event in events):
            self._session = self._session.without_transcript()
            self._early.forget()
        if self._session.state == "closed":
            self._forget()

    def _disclose(self, name: str, secret: bytes) -> None:
        """SEC-7: secrets leave this object only for a key log that the configuration names."""
        if self._configuration.key_log is not None:
            self._client_random = self._session.client_hello[2:34] or self._client_random
            self._configuration.key_log(name, self._client_random, secret)

    def _undetermined(self) -> list[Event]:
        """Early octets that the server has not answered for (RES-18)."""
        return [EarlyAnswered("undetermined")] if self._session.early else []

    def _queue(self, message_type: MessageType, octets: bytes) -> None:
        self._frame(known(self._writer).seal(message_type, octets) if message_type in SEALED else octets)

    def _frame(self, message: bytes) -> None:
        self._output += self._binding.header(len(message)) + message

    def _install(self, install: Install) -> None:
        suite, secret, generation = self._session.chosen, install.secret, install.generation
        self._generation_began = self._clock()
        if install.direction == "receive":
            if self._reader is None:
                self._reader = RecordReader(suite, secret, generation)
            elif install.from_peers_choice:
                self._reader.allow(secret, generation)
            else:
                self._reader.install(secret, generation)
        elif self._writer is None:
            self._writer = RecordWriter(suite, self.limits, self._clock, secret, generation)
        else:
            self._writer.install(secret, generation)

    def _forget(self) -> None:
        """Drop every key as soon as the session is over (KS-5)."""
        self._writer = self._reader = None
        self._early.forget()
        self._input = bytearray()
        self._session = self._session.without_secrets()
