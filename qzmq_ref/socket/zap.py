"""ZAP (ZeroMQ RFC 27): asks the handler on inproc://zeromq.zap.01 about clients, without waiting (spec/zap.md)."""

from __future__ import annotations

import errno
import functools
import logging
from collections.abc import Callable, Iterator
from typing import Any

import zmq

from qzmq_ref.alerts import Alert
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.link import Answer, Authorizer
from qzmq_ref.bridge.loop import Handler
from qzmq_ref.bridge.poller import IN
from qzmq_ref.bridge.report import Unanswered
from qzmq_ref.connection import Authorize, Decision
from qzmq_ref.metadata import MAX_METADATA, parse_metadata
from qzmq_ref.patterns import MECHANISM
from qzmq_ref.registries import AlertDescription

HANDLER = "inproc://zeromq.zap.01"
VERSION = b"1.0"
STATUSES = frozenset({b"200", b"300", b"400", b"500"})

log = logging.getLogger("qzmq")


class Line:
    """A way to the handler that is bound now or, if there is none, to the next one; it ends with its handler.

    To connect to an inproc endpoint succeeds whether or not somebody is bound there. But a ROUTER that must reach its
    peers can be written to only while it has one, so it tells; a DEALER beside it carries the requests.
    """

    def __init__(self, bridge: Bridge, context: zmq.Context[Any], advance: Handler) -> None:
        """`advance` is called when there may be something to read, or the handler has come or gone."""
        self._loop = bridge.loop
        self._presence: zmq.Socket[bytes] = zmq.Socket(context, zmq.ROUTER)
        self._presence.set(zmq.ROUTER_MANDATORY, 1)
        self._requests: zmq.Socket[bytes] = zmq.Socket(context, zmq.DEALER)
        self._requests.set(zmq.SNDHWM, 0)
        self._met = False
        for each in (self._presence, self._requests):
            each.set(zmq.LINGER, 0)
            each.connect(HANDLER)
        self._descriptors = (self._presence.fileno(), self._requests.fileno())
        for descriptor in self._descriptors:
            self._loop.watch(descriptor, IN, advance)

    def reaches(self) -> bool:
        """Whether the handler is there."""
        here = bool(int(self._presence.get(zmq.EVENTS)) & zmq.POLLOUT)
        self._met = self._met or here
        return here

    def lost(self) -> bool:
        """Whether the handler was there and is no more."""
        return not self.reaches() and self._met

    def send(self, frames: list[bytes]) -> None:
        """Ask."""
        self._requests.send_multipart([b"", *frames], zmq.DONTWAIT)

    def replies(self) -> Iterator[list[bytes]]:
        """What has come back, the delimiter included."""
        while int(self._requests.get(zmq.EVENTS)) & zmq.POLLIN:
            yield self._requests.recv_multipart(zmq.DONTWAIT)

    def close(self) -> None:
        """Hang up."""
        for descriptor in self._descriptors:
            self._loop.unwatch(descriptor)
        self._presence.close()
        self._requests.close()


class Zap:
    """The ZAP client of one Context. After its making it is used in the bridge's loop only."""

    def __init__(self, context: int) -> None:
        """`context` is the address of libzmq's own, so that the Python object can still be collected."""
        self._context = context
        self._line: Line | None = None
        self._waiting: dict[bytes, Answer] = {}
        self._asked = 0
        self.own_handler = False  # the one that is bound judges CURVE clients only, and is nobody for QZMQ's

    def due(self, bridge: Bridge, domain: bytes, *, enforced: bool) -> Callable[[], bool]:
        """What tells whether to ask about the next client of a socket with this ZAP_DOMAIN (ZAP-1)."""
        return functools.partial(bool, domain) if enforced else functools.partial(self._is_there, bridge)

    def authorizer(self, bridge: Bridge, domain: bytes) -> Authorizer:
        """What asks about the clients of a socket with this ZAP_DOMAIN (ZAP-4)."""
        return functools.partial(self._ask, bridge, domain)

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self._hang_up()

    def _is_there(self, bridge: Bridge) -> bool:
        """Whether there is a handler. If that cannot be told: yes, and it will not have answered."""
        try:
            return self._reach(bridge) is not None
        except zmq.ZMQError:
            return True

    def _reach(self, bridge: Bridge) -> Line | None:
        """The line to the handler, if there is one."""
        if self.own_handler:
            return None
        if self._line is not None and self._line.lost():
            self._hang_up()
        if self._line is None:
            self._line = Line(bridge, zmq.Context.shadow(self._context), self._advance)
        return self._line if self._line.reaches() else None

    def _ask(self, bridge: Bridge, domain: bytes, question: Authorize, answer: Answer) -> Callable[[], object]:
        self._asked += 1
        name = b"%d" % self._asked
        self._waiting[name] = answer
        credentials = [question.spki] if question.spki else []
        frames = [VERSION, name, domain, question.address.encode(), question.identity, MECHANISM, *credentials]
        if self._send(bridge, frames):
            bridge.loop.call(
                functools.partial(self._advance, IN)
            )  # to send was to miss what the descriptor had to tell
        else:
            nobody = _unanswered("ZAP-1", "there is no ZAP handler", value=errno.EFAULT)
            bridge.loop.call(functools.partial(self._answer, name, nobody))
        return functools.partial(self._waiting.pop, name, None)

    def _send(self, bridge: Bridge, frames: list[bytes]) -> bool:
        """Whether there was somebody to send to."""
        try:
            line = self._reach(bridge)
            if line is not None:
                line.send(frames)
        except zmq.ZMQError as error:
            log.error("ZAP cannot be asked: %s", error)
            return False
        return line is not None

    def _advance(self, _events: int) -> None:
        """Take the replies that have come, then see whether more can come."""
        if self._line is None:
            return
        try:
            over = self._line.lost()
            for reply in self._line.replies():
                self._answer(reply[2] if len(reply) > 2 else b"", read_reply(reply))
        except zmq.ZMQError:  # the Context is being terminated
            over = True
        if over:
            self._hang_up()

    def _answer(self, name: bytes, decision: Decision | Unanswered) -> None:
        answer = self._waiting.pop(name, None)
        if answer is not None:
            answer(decision)
        else:
            log.debug("ZAP: a reply that nobody waits for")

    def _hang_up(self) -> None:
        """The handler has gone, and whoever waits for it is told."""
        line, self._line = self._line, None
        if line is None:
            return
        line.close()
        for name in list(self._waiting):
            self._answer(name, _unanswered("ZAP-11", "the ZAP handler ended before it answered"))


def read_reply(frames: list[bytes]) -> Decision | Unanswered:
    """What a handler's reply says, its delimiter first (ZAP-11)."""
    if len(frames) != 7 or frames[0]:
        return _faulty("it has other frames than RFC 27's", zmq.PROTOCOL_ERROR_ZAP_MALFORMED_REPLY)
    _, version, _, status, text, user_id, metadata = frames
    if version != VERSION:
        return _faulty("its version is not 1.0", zmq.PROTOCOL_ERROR_ZAP_BAD_VERSION)
    if status not in STATUSES:
        return _faulty("its status is not 200, 300, 400 or 500", zmq.PROTOCOL_ERROR_ZAP_INVALID_STATUS_CODE)
    try:
        properties = parse_metadata(metadata)
    except Alert as alert:
        return _faulty(alert.detail, zmq.PROTOCOL_ERROR_ZAP_INVALID_METADATA)
    if len(user_id) + len(metadata) > MAX_METADATA:
        return _faulty("its user id and metadata are too long", zmq.PROTOCOL_ERROR_ZAP_INVALID_METADATA)
    return Decision(int(status), text.decode(errors="replace"), user_id, properties)


def _faulty(fault: str, value: int) -> Unanswered:
    return _unanswered("ZAP-11", f"the ZAP handler's reply is not one: {fault}", "HANDSHAKE_FAILED_PROTOCOL", value)


def _unanswered(requirement: str, detail: str, event: str = "HANDSHAKE_FAILED_NO_DETAIL", value: int = 0) -> Unanswered:
    alert = Alert(AlertDescription.USER_CANCELED, requirement, detail)
    return Unanswered("alert", alert, event=event, value=value)
