"""The Context: owner of the bridge, whose end waits until nothing is left to deliver."""

from __future__ import annotations

from typing import Any, TypeVar

import zmq

from qzmq_ref.bridge.core import Slot
from qzmq_ref.socket.curve import CurveJudge
from qzmq_ref.socket.security import SigningKeys
from qzmq_ref.socket.zap import Zap
from qzmq_ref.tickets import MemoryTickets, TicketBook

_S = TypeVar("_S", bound="zmq.Socket[Any]", covariant=True)


class SecuredContext(zmq.Context[_S]):
    """A ZeroMQ Context whose sockets speak QZMQ. The bridge's thread starts with the first bind or connect."""

    _instance: Any = None
    _slot: Slot
    _tickets: MemoryTickets
    _ticket_book: TicketBook
    _signing_keys: SigningKeys
    _zap: Zap
    _curve: CurveJudge

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        shadowed = self._shadow_obj
        secured = shadowed if isinstance(shadowed, SecuredContext) else None
        self._slot = secured.slot if secured else Slot()
        self._tickets = secured.tickets if secured else MemoryTickets()
        self._ticket_book = secured.ticket_book if secured else TicketBook()
        self._signing_keys = secured.signing_keys if secured else SigningKeys()
        self._zap = secured.zap if secured else Zap(self.underlying)
        self._curve = secured.curve if secured else CurveJudge(self.underlying, self._zap)

    @property
    def tickets(self) -> MemoryTickets:
        """Tickets of this Context's servers, where a socket names no store of its own (RES-1)."""
        return self._tickets

    @property
    def ticket_book(self) -> TicketBook:
        """Tickets of this Context's clients: a new socket comes back where one of the same kind has been (RES-7)."""
        return self._ticket_book

    @property
    def signing_keys(self) -> SigningKeys:
        """The secret keys of this Context's sockets."""
        return self._signing_keys

    @property
    def zap(self) -> Zap:
        """Who asks this Context's ZAP handler."""
        return self._zap

    @property
    def curve(self) -> CurveJudge:
        """Who admits the CURVE clients of this Context's sockets."""
        return self._curve

    @property
    def slot(self) -> Slot:
        """Where the sockets find the bridge."""
        return self._slot

    def term(self) -> None:
        """As zmq.Context.term: returns when every message is with the peers' systems, or its linger time is over."""
        super().term()
        self._slot.close()
