"""A connection that tells a `Watch` what it does; the protocol core itself knows nothing of it."""

from __future__ import annotations

from collections.abc import Sequence

from qzmq_ref.bridge.observer import Watch
from qzmq_ref.connection import (
    Binding,
    ClientTicket,
    Configuration,
    Connection,
    Decision,
    EarlyReceived,
    Ended,
    Established,
    Event,
    Opened,
    Rekeying,
)
from qzmq_ref.crypto import Entropy
from qzmq_ref.records import Clock

MORE, LONG, COMMAND = 0x01, 0x02, 0x04
"""Flags of a ZMTP frame (RFC 37)."""

SHORT_HEADER, LONG_HEADER = 2, 9
"""Octets of a frame's flags and size."""

RUN = 512
"""Frames that are compared at once."""


class MessageCounter:
    """Counts the messages that end in a stream of ZMTP frames, cut anywhere. Commands are not messages."""

    __slots__ = ("_header", "_skip")

    def __init__(self) -> None:
        self._skip = 0  # octets of a frame's body still to come
        self._header = b""  # the beginning of a frame, not yet its whole header

    def feed(self, octets: memoryview) -> int:
        """How many messages began their last frame in these octets."""
        data, self._header = self._header + bytes(octets), b""
        position, end, messages = self._skip, len(data), 0
        while position < end:
            flags = data[position]
            body = position + (LONG_HEADER if flags & LONG else SHORT_HEADER)
            if body > end:
                self._header, self._skip = data[position:], 0
                return messages
            header = data[position:body]
            stride = len(header) + int.from_bytes(header[1:])
            position += stride
            frames = 1
            if data.startswith(header, position):
                repeated = _repeated(data, position, stride, header)
                position += repeated * stride
                frames += repeated
            if not flags & (MORE | COMMAND):
                messages += frames
        self._skip = position - end
        return messages


def _repeated(data: bytes, position: int, stride: int, header: bytes) -> int:
    """How many frames with this very header follow, at most RUN. Most streams have long runs of equal sizes, and
    strides of octets are compared at the speed of memory: a tenth of a loop over the frames."""
    limit = position + RUN * stride
    columns = ((data[position + i : limit : stride], header[i : i + 1]) for i in range(len(header)))
    return min(len(column) - len(column.lstrip(octet)) for column, octet in columns)


class WatchedConnection(Connection):
    """The same connection, with a Watch that is told of octets, keys and the beginning and end of the session."""

    __slots__ = ("_asked_at", "_began_at", "_counters", "_over", "_reached", "_watch")

    def __init__(
        self,
        watch: Watch,
        configuration: Configuration,
        binding: Binding,
        *,
        entropy: Entropy,
        clock: Clock,
        peer_address: str = "",
        ticket: ClientTicket | None = None,
        early_data: bytes = b"",
    ) -> None:
        """As Connection."""
        super().__init__(
            configuration,
            binding,
            entropy=entropy,
            clock=clock,
            peer_address=peer_address,
            ticket=ticket,
            early_data=early_data,
        )
        self._watch = watch
        self._counters = (MessageCounter(), MessageCounter()) if configuration.socket_type else None
        self._began_at = clock()
        self._asked_at: float | None = None
        self._reached = False
        self._over = False
        if early_data:
            self._carried(0, memoryview(early_data), self._began_at)

    def seal_into(self, octets: memoryview, out: memoryview) -> int:
        """As Connection.seal_into."""
        before, began = self.epochs[0], self._clock()
        size = super().seal_into(octets, out)
        self._carried(0, octets, began)
        self._stepped(0, before)
        return size

    def open_into(self, data: memoryview, out: memoryview) -> Opened:
        """As Connection.open_into; `receive` comes by here too."""
        before, began = self.epochs[1], self._clock()
        opened = super().open_into(data, out)
        if opened.produced:
            self._carried(1, out[: opened.produced], began)
        self._stepped(1, before)
        self._told(opened.events)
        return opened

    def decide(self, decision: Decision) -> list[Event]:
        """As Connection.decide."""
        events = super().decide(decision)
        self._told(events)
        return events

    def end_of_file(self) -> list[Event]:
        """As Connection.end_of_file."""
        events = super().end_of_file()
        self._told(events)
        return events

    def close(self) -> None:
        """As Connection.close."""
        super().close()
        self._ended(Ended("closed" if self._reached else "canceled"))

    def rekey(self) -> None:
        """As Connection.rekey."""
        if self._asked_at is None:
            self._asked_at = self._clock()
        super().rekey()

    def step(self) -> bool:
        """As Connection.step."""
        before = self.epochs[0]
        stepped = super().step()
        self._stepped(0, before)
        return stepped

    def _carried(self, way: int, octets: memoryview, began: float) -> None:
        messages = self._counters[way].feed(octets) if self._counters else 0
        self._watch.carried("received" if way else "sent", len(octets), messages, self._clock() - began)

    def _stepped(self, way: int, before: int) -> None:
        after = self.epochs[way]
        if after > before and after >> 8 == before >> 8:
            self._watch.stepped("received" if way else "sent", after - before)

    def _told(self, events: Sequence[Event]) -> None:
        for event in events:
            match event:
                case Established(peer):
                    self._reached = True
                    self._watch.established(peer, self._clock() - self._began_at)
                case Rekeying(complete=True):
                    self._watch.rekeyed(None if self._asked_at is None else self._clock() - self._asked_at)
                    self._asked_at = None
                case EarlyReceived(octets=octets):
                    self._carried(1, memoryview(octets), self._clock())
                case Ended():
                    self._ended(event)

    def _ended(self, ended: Ended) -> None:
        if not self._over:
            self._over = True
            self._watch.ended(ended, established=self._reached)
