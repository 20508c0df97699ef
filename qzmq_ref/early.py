"""Records of early data: a client's first flight, and what a server opens or only counts of it (spec/resumption.md)."""

from __future__ import annotations

from qzmq_ref.handshake.outputs import ReceiveEarly, SendEarly
from qzmq_ref.handshake.session import Session
from qzmq_ref.handshake.tickets import EARLY_STREAM
from qzmq_ref.policy import Limits
from qzmq_ref.records import DATA, HEADER, OVERHEAD, Clock, RecordReader, RecordWriter


def seal_early(output: SendEarly, limits: Limits, clock: Clock) -> bytes:
    """The one record of a client's early octets (RES-14)."""
    return RecordWriter(output.suite, limits, clock, output.secret, 0, EARLY_STREAM).seal(DATA, output.octets)


class EarlyReader:
    """A server's early records, from ClientHello to ClientKey."""

    __slots__ = ("_reader",)

    def __init__(self) -> None:
        self._reader: RecordReader | None = None

    def accept(self, output: ReceiveEarly) -> None:
        """Open them from here on, with this secret (RES-16)."""
        self._reader = RecordReader(output.suite, output.secret, 0, EARLY_STREAM)

    def forget(self) -> None:
        """There are no more of them."""
        self._reader = None

    @staticmethod
    def expects(session: Session, message: memoryview) -> bool:
        """Whether this is a record of early data that was announced, while it may still come (RES-14, RES-17)."""
        waiting = session.state in ("wait_client_key", "wait_second_client_hello")
        if not waiting or session.early_status is None or len(message) < OVERHEAD or message[0] != DATA:
            return False
        return bool(HEADER.unpack_from(message)[3] == EARLY_STREAM)

    def open(self, message: memoryview) -> bytes:
        """The octets of a record; zeros in their number if they are not accepted (RES-17). Alert if it fails."""
        return self._reader.open(message) if self._reader else bytes(len(message) - OVERHEAD)
