"""The reference's adapter with one thing wrong, for tests of the matrix: `python -m tests.interop_adapters NAME`."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from qzmq_conformance.chains import NAME
from qzmq_conformance.reference import Reference, Socket
from qzmq_conformance.scaffold import Answer, Request, serve
from qzmq_ref.policy import Policy

Received = tuple[Sequence[bytes], Mapping[str, str]] | None
DEFAULTS = {
    name: value
    for name, value in asdict(Policy.preset("default")).items()
    if name in ("limits", "padding", "retry", "early_data", "tickets")
}


class Defective(Reference):
    """Its ZeroMQ library loses the last part of a message, with or without QZMQ."""

    def receive(self, socket: Socket) -> Received:
        received = super().receive(socket)
        return received and ([*received[0]][:-1] or received[0], received[1])


class Knowing(Reference):
    """Remembers which of its sockets are secured."""

    def __init__(self) -> None:
        super().__init__()
        self.secured: set[Socket] = set()

    def open(self, request: Request) -> tuple[Socket, str]:
        socket, endpoint = super().open(request)
        if request["security"]:
            self.secured.add(socket)
        return socket, endpoint


class Clumsy(Knowing):
    """Loses the last part of a message, if it is secured."""

    def receive(self, socket: Socket) -> Received:
        received = super().receive(socket)
        if received and socket in self.secured:
            return [*received[0]][:-1] or received[0], received[1]
        return received


class Worse(Knowing, Defective):
    """Loses the last part of a message over NULL, and everything if it is secured."""

    def readable(self, sockets: Collection[Socket]) -> Collection[Socket]:
        return set(super().readable(sockets)) - self.secured


class Forgetful(Reference):
    """Claims every feature, and forgets about all of them; lets anybody in, and has no tickets."""

    def open(self, request: Request) -> tuple[Socket, str]:
        security = request["security"]
        if security:
            policy: dict[str, Any] = {**security["policy"], **DEFAULTS, "tickets": 0}
            policy["suites"] = policy["suites"][-1:]
            server = security["server"]
            security = {**security, "policy": policy, "client_keys": None, "zap": ""}
            if server:
                security["ca"] = ""
            else:
                security |= {"secret_key": "", "certificate": "", "server_name": security["server_name"] and NAME}
        return super().open({**request, "security": security})

    def receive(self, socket: Socket) -> Received:
        received = super().receive(socket)
        return received and (received[0], {})

    def rekey(self, socket: Socket, *, generation: bool) -> None:
        """Not now."""

    def export(self, socket: Socket, label: str, context: bytes, length: int) -> bytes:
        return super().export(socket, label[-1:], context, length)

    def events(self, socket: Socket) -> tuple[Sequence[Answer], Mapping[str, int]]:
        happened, counted = super().events(socket)
        return [{**event, "peer": ""} for event in happened], counted


class Stubborn(Reference):
    """Offers its ticket, whatever it is told."""

    def resume(self, socket: Socket, *, ticket: bool) -> None:
        """No."""


class Unkind(Reference):
    """Opens nothing."""

    def open(self, request: Request) -> tuple[Socket, str]:
        raise ValueError(f"not today, {request['pattern']}")


class Mortal(Reference):
    """Dies when it is to open a socket of type PAIR."""

    def open(self, request: Request) -> tuple[Socket, str]:
        if request["pattern"] == "PAIR" and not request["features"]:
            raise SystemExit("this is the end")
        return super().open(request)


LIBRARIES = (Defective, Clumsy, Worse, Forgetful, Stubborn, Unkind, Mortal)

if __name__ == "__main__":
    serve({library.__name__.lower(): library for library in LIBRARIES}[sys.argv[1]]())
