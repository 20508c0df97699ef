"""The reference's adapter: `python -m qzmq_conformance.reference`. What it answers is in `adapter.schema.json`."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import TypeAlias

import zmq

from qzmq_conformance.capabilities import names
from qzmq_conformance.contexts import Contexts
from qzmq_conformance.scaffold import Answer, Library, Request, serve
from qzmq_conformance.security import Security
from qzmq_conformance.vectors.running import run
from qzmq_conformance.watching import EventLog
from qzmq_ref.socket import SecuredSocket
from qzmq_ref.spec.tables import tables

Socket: TypeAlias = zmq.Socket[bytes]

ADDED = [row["Property"] for row in tables()["added-properties"]]
PROPERTIES = ("Socket-Type", "X-Own", "X-QZMQ-Other", "__Other", *ADDED)
SECURITY = ("policy", "server", "secret_key", "server_key", "client_keys", "ca", "server_name", "certificate")
_UNREACHABLE = (zmq.EAGAIN, zmq.EHOSTUNREACH)


class Reference(Library[Socket]):
    """Sockets of `qzmq_ref`, and of pyzmq where there is no security."""

    about: Mapping[str, str] = {"name": "qzmq_ref", "version": version("qzmq-ref"), "libzmq": zmq.zmq_version()}
    capabilities: Mapping[str, Sequence[str]] = {place: sorted(known) for place, known in names().items()}

    def __init__(self) -> None:
        self._contexts = Contexts()
        self._poller = zmq.Poller()
        self._logs: dict[Socket, EventLog] = {}

    def open(self, request: Request) -> tuple[Socket, str]:
        security = request["security"]
        context = self._contexts.get(secured=bool(security), judged=bool(security and security["zap"]))
        socket = context.socket(zmq.SocketType[request["pattern"]])
        try:
            socket.linger = 0
            for option, value in request["options"].items():
                socket.set(zmq.SocketOption[option], value.encode() if isinstance(value, str) else value)
            if security:
                _secure(socket, Security.from_json(security))
                self._watch(socket, watched="events" in request["features"])
            (socket.bind if request["bind"] else socket.connect)(request["endpoint"])
        except BaseException:
            socket.close(linger=0)
            raise
        self._poller.register(socket, zmq.POLLIN)
        return socket, socket.getsockopt_string(zmq.LAST_ENDPOINT)

    def send(self, socket: Socket, parts: Sequence[bytes]) -> bool:
        try:
            socket.send_multipart(parts, zmq.NOBLOCK)
        except zmq.ZMQError as error:
            if error.errno not in _UNREACHABLE:
                raise
            return False
        return True

    def readable(self, _: Collection[Socket]) -> Collection[Socket]:
        return [socket for socket, _event in self._poller.poll(0)]

    def receive(self, socket: Socket) -> tuple[Sequence[bytes], Mapping[str, str]] | None:
        if not int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
            return None
        frames = socket.recv_multipart(zmq.NOBLOCK, copy=False)
        return [frame.bytes for frame in frames], _properties(frames[-1])

    def close(self, socket: Socket) -> None:
        self._poller.unregister(socket)
        self._logs.pop(socket, None)
        socket.close(linger=0)

    def vector(self, kind: str, operation: str, given: Request) -> Answer:
        return run(kind, operation, given)

    def events(self, socket: Socket) -> tuple[Sequence[Answer], Mapping[str, int]]:
        log = self._logs.get(socket)
        return log.take() if log else ((), {})

    def rekey(self, socket: Socket, *, generation: bool) -> None:
        _secured(socket).rekey(generation)

    def resume(self, socket: Socket, *, ticket: bool) -> None:
        _secured(socket).qzmq_resume = ticket

    def export(self, socket: Socket, label: str, context: bytes, length: int) -> bytes:
        return _secured(socket).export(label, context, length)

    def end(self) -> None:
        self._contexts.close()

    def _watch(self, socket: Socket, *, watched: bool) -> None:
        """A Context's observer is that of every endpoint from then on: it is set anew for each socket."""
        log = self._logs[socket] = EventLog()
        _secured(socket).context.slot.observe = log if watched else None


def _secured(socket: Socket) -> SecuredSocket[bytes]:
    if not isinstance(socket, SecuredSocket):
        raise TypeError("a socket without security has no keys")
    return socket


def _properties(frame: zmq.Frame) -> dict[str, str]:
    """What libzmq tells the application of the peer; a property that is not there has no entry."""
    found: dict[str, str] = {}
    for name in PROPERTIES:
        with contextlib.suppress(zmq.ZMQError):
            found[name] = str(frame.get(name))
    return found


def _secure(socket: Socket, security: Security) -> None:
    """The attributes an application sets; empty ones are left alone."""
    for name in SECURITY:
        if (value := getattr(security, name)) not in ("", None):
            setattr(socket, f"qzmq_{name.replace('_', '')}", value)
    if security.zap:
        socket.set(zmq.ZAP_DOMAIN, security.zap.encode())
    if security.curve_secret_key:
        for name, value in (("secretkey", security.curve_secret_key), ("clients", security.curve_clients)):
            setattr(socket, f"qzmq_curve_{name}", value)


def main() -> None:
    """Serves requests on standard input until its end."""
    serve(Reference())


if __name__ == "__main__":
    main()
