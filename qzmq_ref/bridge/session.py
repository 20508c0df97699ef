"""An established session: application octets from the local hop into records, and from records to the local hop.

This is the hot path. Octets are read into the bridge's scratch buffers, sealed or opened from one into the other, and
written at once; only what the system would not take stays with the session, which then reads no more on the other
side until it went out.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import Protocol

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.farewell import LocalFarewell, RemoteFarewell
from qzmq_ref.bridge.loop import Handler, Timer
from qzmq_ref.bridge.poller import IN, OUT
from qzmq_ref.bridge.report import report
from qzmq_ref.connection import Connection, Ended, Event, Rekeying, TicketReceived
from qzmq_ref.policy import Limits

READ = 2**18
"""Octets read at a time: large enough to amortise a system call, small enough to stay in the cache."""

CHECK, HASTE = 60.0, 0.25
"""Seconds between looks at the age of a generation (ROT-15), and where a policy shortened it or its steps."""

NOTHING = memoryview(b"")

DRY = 0.01
"""At the end of the process, seconds without a word from libzmq after which it is taken to have nothing more."""


class Owner(Protocol):
    """The listener or connector that a session came from."""

    @property
    def linger(self) -> float | None:
        """Seconds that the tail may take; None for ever."""

    def session_ended(self, session: Session, *, by_local: bool) -> None:
        """Its local hop is free again, or gone if libzmq hung up."""

    def session_told(self, event: TicketReceived | Rekeying) -> None:
        """Something that matters to later sessions."""


class Session:
    """Joins the two hops of one connection until either ends."""

    __slots__ = (
        "_age_check", "_bridge", "_chunk", "_connection", "_dry", "_incoming", "_local", "_local_mask", "_outgoing",
        "_owner", "_patience", "_peer", "_remote", "_remote_mask", "_remote_takes", "_unread",
    )  # fmt: skip

    local_farewell = LocalFarewell
    """How the local hop is left when the peer has ended the session."""

    def __init__(
        self,
        bridge: Bridge,
        owner: Owner,
        connection: Connection,
        remote: socket.socket,
        local: socket.socket,
        peer: str,
    ) -> None:
        """`peer` is the remote address for the log."""
        self._bridge = bridge
        self._owner = owner
        self._connection = connection
        self._remote = remote
        self._local = local
        self._peer = peer
        self._outgoing = NOTHING  # sealed, not yet taken by the remote hop
        self._incoming = NOTHING  # opened, not yet taken by the local hop
        self._unread = b""  # read from the remote hop, not yet a whole message
        self._remote_takes = True
        self._local_mask = self._remote_mask = -1
        self._dry = False
        self._age_check: Timer | None = None
        self._patience = CHECK if connection.limits == Limits() else HASTE
        self._chunk = READ
        while connection.sealed_size(self._chunk) > len(bridge.sealed):
            self._chunk //= 2

    def start(self, outgoing: bytes, incoming: bytes, first: bytes, events: Sequence[Event]) -> None:
        """Begin with what the handshakes left over: octets for the remote hop, opened octets for the local one, the
        first octets of the local hop, and events, the end of the session perhaps among them."""
        self._bridge.enter(self)
        self._unread = self._connection.unread()
        ended = any(isinstance(event, Ended) for event in events)
        self._outgoing = memoryview(outgoing if ended else outgoing + self._seal(first))
        self._write_local(memoryview(incoming))
        self._watch()
        if self._outgoing:
            self._flush_remote()
        self._age_check = self._bridge.loop.later(self._patience, self._check_age)
        if self._happened(events) and self._unread:
            self._bridge.sealed[: len(self._unread)] = self._unread
            self._open(len(self._unread))

    def _check_age(self) -> None:
        """Ask for a new generation when one is due (ROT-15)."""
        if self._connection.rekey_due():
            self._connection.rekey()
            self._say()
        self._age_check = self._bridge.loop.later(self._patience, self._check_age)

    def finish(self, deadline: float | None) -> None:
        """End as soon as libzmq has nothing more to say. (At the end of a Context it has closed already.)"""
        if self._local_mask < 0:
            return
        if self._outgoing or (self._remote_takes and self._read_local()):
            self._dry = False
        elif self._dry or not self._remote_takes:
            self._local_ended()
        else:
            self._dry = True
        self._bridge.loop.later(DRY, lambda: self.finish(deadline))

    def abandon(self) -> None:
        """Close both hops, whatever they still hold."""
        self._local_mask = self._remote_mask = -1
        self._bridge.loop.close(self._local)
        self._bridge.loop.close(self._remote)

    # ---- what the application asks for

    @property
    def pin(self) -> bytes | None:
        """Who the peer is, None for an anonymous client."""
        return self._connection.peer.pin if self._connection.peer else None

    def rekey(self, *, generation: bool) -> bool:
        """Step the sending key (ROT-2), or ask for a new generation (ROT-8); False at the last step (ROT-6)."""
        stepped = True
        if generation:
            self._connection.rekey()
        else:
            stepped = self._connection.step()
        self._say()
        return stepped

    def export(self, label: str, context: bytes, length: int) -> bytes:
        """As Connection.export."""
        return self._connection.export(label, context, length)

    # ---- local hop to remote hop

    def _local_ready(self, events: int) -> None:
        if events & OUT and self._incoming:
            self._flush_local()
        if events & ~OUT and self._local_mask & IN:
            self._read_local()

    def _read_local(self) -> bool:
        """Seal and send what libzmq has written; whether there was anything."""
        plain, sealed = self._bridge.plain, self._bridge.sealed
        try:
            count = self._local.recv_into(plain, self._chunk)
        except BlockingIOError:
            return False
        except OSError:
            count = 0
        if not count:
            self._local_ended()
            return True
        size = self._connection.seal_into(plain[:count], sealed)
        if size < count:
            self._exhausted(size)
            return True
        try:
            sent = self._remote.send(sealed[:size])
        except BlockingIOError:
            sent = 0
        except OSError:
            self._remote_deaf()
            return True
        if sent < size:
            self._outgoing = memoryview(bytes(sealed[sent:size]))
            self._watch()
        return True

    def _seal(self, octets: bytes) -> bytes:
        sealed = bytearray(self._connection.sealed_size(len(octets)))
        return bytes(sealed[: self._connection.seal_into(memoryview(octets), memoryview(sealed))])

    def _flush_remote(self) -> None:
        try:
            self._outgoing = self._outgoing[self._remote.send(self._outgoing) :]
        except BlockingIOError:
            return
        except OSError:
            self._remote_deaf()
            return
        if not self._outgoing:
            self._watch()

    def _remote_deaf(self) -> None:
        """The remote hop takes no more; what it sent before may still be there to read."""
        self._remote_takes = False
        self._outgoing = NOTHING
        self._watch()

    # ---- remote hop to local hop

    def _remote_ready(self, events: int) -> None:
        if events & OUT and self._outgoing:
            self._flush_remote()
        if events & ~OUT and self._remote_mask & IN:
            self._read_remote()

    def _read_remote(self) -> None:
        sealed, unread = self._bridge.sealed, self._unread
        before = len(unread)
        sealed[:before] = unread
        try:
            count = self._remote.recv_into(sealed[before : before + READ])
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count:
            self._open(before + count)
        else:
            self._happened(self._connection.end_of_file())

    def _open(self, total: int) -> None:
        """Open the whole messages among the first `total` octets of the scratch buffer; keep the rest."""
        sealed, plain = self._bridge.sealed, self._bridge.plain
        start = 0
        while True:
            opened = self._connection.open_into(sealed[start:total], plain)
            start += opened.consumed
            if opened.produced:
                self._write_local(plain[: opened.produced])
            if not opened.events:
                break
            if not self._happened(opened.events):
                return
        self._unread = bytes(sealed[start:total]) if start < total else b""

    def _happened(self, events: Sequence[Event]) -> bool:
        """Act on what the connection says besides octets; whether the session goes on."""
        for event in events:
            if isinstance(event, Ended):
                self._remote_ended(event)
                return False
            if isinstance(event, TicketReceived | Rekeying):
                self._owner.session_told(event)
        if events:
            self._say()
        return True

    def _say(self) -> None:
        """Send what the connection itself has to say, behind what waits already."""
        if self._remote_takes and (octets := self._connection.data_to_send()):
            self._outgoing = memoryview(bytes(self._outgoing) + octets)
            self._flush_remote()
            self._watch()

    def _write_local(self, octets: memoryview) -> None:
        if self._incoming:
            self._incoming = memoryview(bytes(self._incoming) + bytes(octets))
            return
        try:
            taken = self._local.send(octets)
        except BlockingIOError:
            taken = 0
        except OSError:
            return  # libzmq has hung up; reading from it will tell
        if taken < len(octets):
            self._incoming = memoryview(bytes(octets[taken:]))
            self._watch()

    def _flush_local(self) -> None:
        try:
            self._incoming = self._incoming[self._local.send(self._incoming) :]
        except BlockingIOError:
            return
        except OSError:
            self._incoming = NOTHING
        if not self._incoming:
            self._watch()

    # ---- ends

    def _watch(self) -> None:
        """Read a hop only while the other takes what is made of it; write where something waits."""
        local = IN if self._remote_takes and not self._outgoing else 0
        remote = 0 if self._incoming else IN
        if self._incoming:
            local |= OUT
        if self._outgoing:
            remote |= OUT
        if local != self._local_mask:
            self._local_mask = self._set(self._local, local, self._local_ready)
        if remote != self._remote_mask:
            self._remote_mask = self._set(self._remote, remote, self._remote_ready)

    def _set(self, sock: socket.socket, mask: int, handler: Handler) -> int:
        """Watching for nothing would still report a hang-up, again and again: then do not watch at all."""
        if mask:
            self._bridge.loop.watch(sock, mask, handler)
        else:
            self._bridge.loop.unwatch(sock)
        return mask

    def _local_ended(self) -> None:
        """libzmq hung up: everything it had to say has been read. Say close_notify behind it (CLS-1)."""
        self._bridge.loop.close(self._local)
        if self._remote_takes:
            self._connection.close()
            tail = bytes(self._outgoing) + self._connection.data_to_send()
            RemoteFarewell(self._bridge, self._remote, tail, self._owner.linger)
        else:
            self._bridge.loop.close(self._remote)
        self._over(by_local=True)

    def _remote_ended(self, ended: Ended) -> None:
        """The peer closed, broke a rule or vanished. Deliver what came before (CLS-2), say what there is to say."""
        report(ended, self._peer, self._connection)
        tail = bytes(self._outgoing) + self._connection.data_to_send()
        if tail and self._remote_takes:
            RemoteFarewell(self._bridge, self._remote, tail, 0.0)
        else:
            self._bridge.loop.close(self._remote)
        self.local_farewell(self._bridge, self._local, bytes(self._incoming))
        self._over(by_local=False)

    def _exhausted(self, size: int) -> None:
        """The keys are used up (ROT-6): send what was still sealed and the close_notify; libzmq connects again."""
        self._outgoing = memoryview(bytes(self._bridge.sealed[:size]))
        self._remote_ended(Ended("closed"))

    def _over(self, *, by_local: bool) -> None:
        self._local_mask = self._remote_mask = -1
        if self._age_check is not None:
            self._age_check.cancel()  # or it would keep the session, with its keys, until its time (SEC-6)
        self._bridge.leave(self)
        self._owner.session_ended(self, by_local=by_local)
