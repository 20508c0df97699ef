"""A small target for the suite's own tests: `qzmq_ref.Connection` over asyncio, without ZeroMQ, with one fault at will.

    python tests/conformance_target.py FAULT
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import time
from collections.abc import Mapping
from typing import Any

from conformance_faults import FAULTS

from qzmq_conformance.security import Security
from qzmq_ref import z85
from qzmq_ref.connection import Configuration, Connection, Received
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.metadata import Property
from qzmq_ref.raw import RawBinding
from qzmq_ref.zmtp import ZmtpBinding


def configuration(request: Mapping[str, Any]) -> Configuration:
    """What the security and the pattern of an `open` request mean."""
    security = Security.from_json(request["security"])
    policy, raw = security.policy, request["pattern"] == "STREAM"
    return Configuration(
        role="server" if security.server else "client",
        policy=policy,
        key=SigningKey.from_seed(policy.signature, octets(security.secret_key), provider()) if security.secret_key else None,
        server_pins=frozenset([octets(security.server_key)] if security.server_key else []),
        client_pins=None if security.client_keys is None else frozenset(map(octets, security.client_keys)),
        metadata=() if raw else (Property(b"Socket-Type", request["pattern"].encode()),),
        socket_type=b"" if raw else request["pattern"].encode(),
    )


def octets(key: str) -> bytes:
    """The 32 octets that 40 Z85 characters write."""
    return z85.decode(key.encode())


class Station:
    """Sockets by number; each accepts or makes connections whose application returns what it receives."""

    def __init__(self) -> None:
        self.opened = 0
        self.held: dict[int, asyncio.Server | asyncio.Task[None]] = {}

    async def open(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Binds or connects."""
        self.opened += 1
        number, chosen = self.opened, configuration(request)
        host, port = request["endpoint"].removeprefix("tcp://").split(":")

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self.converse(number, chosen, request["pattern"] == "STREAM", reader, writer)

        if request["bind"]:
            server = await asyncio.start_server(serve, host, 0)
            self.held[number] = server
            port = server.sockets[0].getsockname()[1]
        else:
            self.held[number] = asyncio.create_task(serve(*await asyncio.open_connection(host, int(port))))
        return {"socket": number, "endpoint": f"tcp://{host}:{port}"}

    async def converse(
        self, number: int, chosen: Configuration, raw: bool, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection from its first octet to its end."""
        binding = RawBinding(chosen.role) if raw else ZmtpBinding(chosen.role)
        connection = Connection(chosen, binding, entropy=secrets.token_bytes, clock=time.monotonic)
        application = b""
        try:
            while True:
                writer.write(connection.data_to_send())
                if connection.state == "closed":
                    break
                octets = await reader.read(1 << 16)
                events = connection.receive(octets) if octets else connection.end_of_file()
                application += b"".join(event.octets for event in events if isinstance(event, Received))
                application = self.deliver(number, connection, application, raw)
            await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def deliver(self, number: int, connection: Connection, octets: bytes, raw: bool) -> bytes:
        """Every whole message reaches the application and goes back; returns what is left."""
        while octets:
            size = len(octets)
            if not raw:
                head = 9 if octets[0] & 2 else 2
                size = head + int.from_bytes(octets[1:head]) if len(octets) >= head else sys.maxsize
            if len(octets) < size:
                break
            emit({"socket": number, "message": [b"peer".hex(), octets[:size].hex()]})
            if connection.established:
                connection.send(octets[:size])
            octets = octets[size:]
        return octets

    async def close(self, request: Mapping[str, Any]) -> Mapping[str, Any]:
        """Stops listening, or gives up the connection."""
        held = self.held.pop(request["socket"])
        held.close() if isinstance(held, asyncio.Server) else held.cancel()
        return {}

    async def describe(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """Who this is."""
        return {"name": "test target", "version": "0"}

    async def send(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        """This target's application never speaks first."""
        return {}


def emit(line: Mapping[str, Any]) -> None:
    """One line to the suite."""
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


async def main() -> None:
    """Serves requests until the end of standard input."""
    station, requests = Station(), asyncio.StreamReader(limit=1 << 24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(requests), sys.stdin)
    while line := await requests.readline():
        request = json.loads(line)
        try:
            answer = await getattr(station, request["verb"])(request)
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        emit({"id": request["id"], **answer})


if __name__ == "__main__":
    FAULTS[sys.argv[1]]()
    asyncio.run(main())
