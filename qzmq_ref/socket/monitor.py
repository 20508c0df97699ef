"""Monitor events with public endpoint names: libzmq's own, translated, and those that only the bridge knows."""

from __future__ import annotations

import itertools
import struct
from collections import deque
from typing import Any

import zmq

from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.poller import IN

HIDDEN_BIND = frozenset({zmq.Event.ACCEPTED})
HIDDEN_CURVE = HIDDEN_BIND | {zmq.Event.LISTENING, zmq.Event.CLOSED}
HIDDEN_CONNECT = frozenset({zmq.Event.CONNECTED, zmq.Event.CONNECT_DELAYED})
HIDDEN_STREAM = HIDDEN_CONNECT | {zmq.Event.CONNECT_RETRIED, zmq.Event.CLOSED}
"""Events of the private hop that say nothing of the network: the bridge tells them itself, in their time."""

BACKLOG = 1000
"""Events kept for a reader that is not there yet, or slow; the oldest go first."""

_names = itertools.count()


class Monitor:
    """Names and relays of one socket. It does not refer to the socket, so that an abandoned one is still collected."""

    def __init__(self) -> None:
        self._public: dict[bytes, tuple[bytes, frozenset[zmq.Event]]] = {}
        self._relay: Relay | None = None

    def name(self, private: str, public: str, hidden: frozenset[zmq.Event]) -> None:
        """From now on, this private endpoint is shown as `public`, without its events that are hidden."""
        self._public[private.encode()] = (public.encode(), hidden)

    def notify(self, endpoint: str, event: str, value: int) -> None:
        """Tell of an event that only the bridge knows; called in its loop."""
        if self._relay is not None:
            self._relay.tell(zmq.Event[event], value, endpoint.encode())

    def relay(self, context: zmq.Context[Any], bridge: Bridge, address: str, mask: int) -> str:
        """Publish at `address`, as libzmq's monitor would; returns the address where libzmq must publish instead."""
        inner = f"inproc://qzmq-monitor-{next(_names)}"
        sink = zmq.Socket(context, zmq.PAIR)
        try:
            sink.bind(address)
        except zmq.ZMQError:
            sink.close(0)
            raise
        source = zmq.Socket(context, zmq.PAIR)
        source.connect(inner)
        self._relay = Relay(self, bridge, source, sink, mask)
        bridge.loop.call(self._relay.start)
        return inner

    def translate(self, event: zmq.Event, endpoint: bytes) -> bytes | None:
        """The public name of an event's endpoint, None if the event is hidden."""
        public, hidden = self._public.get(endpoint, (endpoint, frozenset()))
        return None if event in hidden else public


class Relay:
    """Between libzmq's monitor socket and the one the application reads. Both are used in the loop's thread only."""

    def __init__(
        self, monitor: Monitor, bridge: Bridge, source: zmq.Socket[bytes], sink: zmq.Socket[bytes], mask: int
    ) -> None:
        self._monitor = monitor
        self._bridge = bridge
        self._source = source
        self._sink = sink
        self._mask = mask
        self._descriptors = (source.fileno(), sink.fileno())  # libzmq does not tell them any more once it terminates
        self._queue: deque[list[bytes]] = deque(maxlen=BACKLOG)

    def start(self) -> None:
        """Watch both, and read what has come already: libzmq's descriptors tell changes, not states."""
        self._bridge.enter(self)
        for descriptor in self._descriptors:
            self._bridge.loop.watch(descriptor, IN, self._advance)
        self._advance(IN)

    def finish(self, deadline: float | None) -> None:  # noqa: ARG002
        """The Context has ended."""
        self._close()

    def abandon(self) -> None:
        """As finish: there is nothing to wait for."""
        self._close()

    def tell(self, event: zmq.Event, value: int, endpoint: bytes) -> None:
        """Queue an event, if the application asked for its kind."""
        if event & self._mask:
            self._queue.append([struct.pack("=Hi", event, value), endpoint])
            self._advance(IN)

    def _advance(self, _events: int) -> None:
        try:
            stopped = self._read()
            while self._queue and int(self._sink.get(zmq.EVENTS)) & zmq.POLLOUT:
                self._sink.send_multipart(self._queue.popleft(), zmq.DONTWAIT)
        except zmq.ZMQError:  # the Context is being terminated
            stopped = True
        if stopped:
            self._close()

    def _read(self) -> bool:
        """Take over what libzmq has published; whether that was its last word."""
        while int(self._source.get(zmq.EVENTS)) & zmq.POLLIN:
            head, endpoint = self._source.recv_multipart(zmq.DONTWAIT)
            number, _value = struct.unpack("=Hi", head)
            public = self._monitor.translate(zmq.Event(number), endpoint)
            if public is not None and number & self._mask:
                self._queue.append([head, public])
            if number == zmq.Event.MONITOR_STOPPED:
                return True
        return False

    def _close(self) -> None:
        self._bridge.leave(self)
        for descriptor, socket in zip(self._descriptors, (self._source, self._sink), strict=True):
            if not socket.closed:
                self._bridge.loop.unwatch(descriptor)
                socket.close()
