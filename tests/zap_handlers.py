"""A ZAP handler written by hand, and sockets of either mechanism to put before it: CURVE is the oracle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

import qzmq_ref

HANDLER = "inproc://zeromq.zap.01"
PATIENCE = 5.0

Frames = list[bytes]
Reply = Callable[[Frames], Frames | None]
"""From a request, version first, to a reply, version first; None for no reply."""

Told = tuple[zmq.Event, int]
"""What a monitor says: an event and its value."""


def answer(status: bytes = b"200", user_id: bytes = b"", metadata: bytes = b"") -> Reply:
    """A handler that says the same of everybody."""
    return lambda request: [request[0], request[1], status, b"because", user_id, metadata]


def silence(_request: Frames) -> None:
    """A handler that never answers."""


def until(condition: Callable[[], Any], seconds: float = PATIENCE) -> bool:
    """Whether it comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


class Handler:
    """Bound until `stop`; keeps the requests it got. With `hold`, it answers that many at once, the last one first."""

    def __init__(self, context: zmq.Context[Any], reply: Reply, hold: int = 1) -> None:
        self.requests: list[Frames] = []
        self._reply = reply
        self._hold = hold
        self._socket: zmq.Socket[bytes] = zmq.Socket(context, zmq.ROUTER)
        until(self._bind)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _bind(self) -> bool:
        """libzmq frees the name of a closed socket a little later."""
        try:
            self._socket.bind(HANDLER)
        except zmq.ZMQError:
            return False
        return True

    def stop(self) -> None:
        """Unbind, whatever is unanswered."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        held: list[Frames] = []
        while not self._stopped.is_set():
            if self._socket.poll(10):
                held.append(self._socket.recv_multipart())
                self.requests.append(held[-1][2:])
            while held and len(self.requests) >= self._hold:
                peer, delimiter, *request = held.pop()
                if (reply := self._reply(request)) is not None:
                    self._socket.send_multipart([peer, delimiter, *reply])
        self._socket.close(0)


@dataclass
class Watched:
    """A socket and what its monitor has said so far."""

    socket: zmq.Socket[Any]
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._monitor = self.socket.get_monitor_socket()

    @property
    def endpoint(self) -> str:
        """Where it is bound."""
        return str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT))

    def times(self, event: zmq.Event, value: int | None = None) -> int:
        """How often its monitor has told of this event, with this value."""
        while self._monitor.poll(0):
            message = recv_monitor_message(self._monitor)
            self.told.append((zmq.Event(message["event"]), message["value"]))
        return sum(each == event and value in (None, number) for each, number in self.told)

    def heard(self, event: zmq.Event, value: int | None = None) -> bool:
        """Whether its monitor has told of this event, with this value."""
        return self.times(event, value) > 0


class World:
    """A Context, with servers and clients of one mechanism."""

    def __init__(self, mechanism: str) -> None:
        self.mechanism = mechanism
        self.context: zmq.Context[Any] = qzmq_ref.Context() if mechanism == "QZMQ" else zmq.Context()
        self.server_key = self.keypair()
        self.client_key = self.keypair()
        self._handlers: list[Handler] = []
        self._watched: list[Watched] = []

    def keypair(self) -> tuple[bytes, bytes]:
        """(public, secret), in the mechanism's form, which has the same shape."""
        return qzmq_ref.keypair() if self.mechanism == "QZMQ" else zmq.curve_keypair()

    def handler(self, reply: Reply, hold: int = 1) -> Handler:
        """Bind a handler."""
        self._handlers.append(Handler(self.context, reply, hold))
        return self._handlers[-1]

    def server(
        self, kind: int = zmq.PULL, domain: bytes = b"", endpoint: str = "tcp://127.0.0.1:*", **options: Any
    ) -> Watched:
        """A server, bound; `options` are socket options by name."""
        socket = self._socket(kind, **options | ({"zap_domain": domain} if domain else {}))
        watched = self._watch(socket)
        if self.mechanism == "QZMQ":
            socket.qzmq_secretkey = self.server_key[1]
        else:
            socket.curve_server = 1
            socket.curve_secretkey = self.server_key[1]
        socket.bind(endpoint)
        return watched

    def client(
        self, server: Watched, kind: int = zmq.PUSH, key: tuple[bytes, bytes | None] | None = None, **options: Any
    ) -> Watched:
        """A client of the server, connecting; of QZMQ's, one without a secret is anonymous."""
        socket = self._socket(kind, reconnect_ivl=50, **options)
        public, secret = key or self.client_key
        watched = self._watch(socket)
        if self.mechanism == "QZMQ":
            socket.qzmq_secretkey, socket.qzmq_serverkey = secret, self.server_key[0]
        else:
            socket.curve_publickey, socket.curve_secretkey = public, secret
            socket.curve_serverkey = self.server_key[0]
        socket.connect(server.endpoint)
        return watched

    def _watch(self, socket: Any) -> Watched:
        self._watched.append(Watched(socket))
        return self._watched[-1]

    def _socket(self, kind: int, **options: Any) -> Any:
        socket = self.context.socket(kind)
        for name, value in options.items():
            setattr(socket, name, value)
        return socket

    def close(self) -> None:
        """End everything; it must not take long."""
        for handler in self._handlers:
            handler.stop()
        began = time.monotonic()
        self.context.destroy(linger=0)
        assert time.monotonic() - began < PATIENCE


def delivered(client: Watched, server: Watched, seconds: float = PATIENCE) -> zmq.Frame | None:
    """The frame that the server got of a message from the client, None if nothing came."""
    if client.socket.poll(int(seconds * 1000), zmq.POLLOUT):
        client.socket.send(b"message")
    if not server.socket.poll(int(seconds * 1000)):
        return None
    frame: zmq.Frame = server.socket.recv(copy=False)
    return frame
