"""The reference's adapter: `python -m qzmq_conformance.reference`. What it answers is in `adapter.schema.json`."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from typing import TypeAlias

import zmq

from qzmq_conformance.capabilities import names
from qzmq_conformance.contexts import Contexts
from qzmq_conformance.scaffold import Library, Request, serve
from qzmq_conformance.security import Security
from qzmq_ref.spec.tables import tables

Socket: TypeAlias = zmq.Socket[bytes]

ADDED = [row["Property"] for row in tables()["added-properties"]]
TO_COME = {"events", "export", "rekey_on_demand", "resume_on_demand"}
PROPERTIES = ("Socket-Type", "X-Own", "X-QZMQ-Other", "__Other", *ADDED)
SECURITY = ("policy", "server", "secret_key", "server_key", "client_keys", "ca", "server_name")
_UNREACHABLE = (zmq.EAGAIN, zmq.EHOSTUNREACH)


class Reference(Library[Socket]):
    """Sockets of `qzmq_ref`, and of pyzmq where there is no security."""

    about: Mapping[str, str] = {"name": "qzmq_ref", "version": version("qzmq-ref"), "libzmq": zmq.zmq_version()}
    capabilities: Mapping[str, Sequence[str]] = {
        place: sorted(known - TO_COME) for place, known in names().items() if place != "vectors"
    } | {"vectors": []}

    def __init__(self) -> None:
        self._contexts = Contexts()
        self._poller = zmq.Poller()

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
        socket.close(linger=0)

    def end(self) -> None:
        self._contexts.close()


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
