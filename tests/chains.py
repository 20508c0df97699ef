"""The suite's chains of certificates, at a moment that tests choose."""

from __future__ import annotations

from collections.abc import Collection

from qzmq_conformance import chains
from qzmq_conformance.chains import LEAVES, MIDDLE, NAME, ROOT, Shape
from qzmq_ref.connection import Configuration
from qzmq_ref.handshake.x509 import Trust
from qzmq_ref.policy import Policy

NOW = 1_800_000_000.0
SERVER, CLIENT = LEAVES["server"], LEAVES["client"]
SERVERS, CLIENTS = (SERVER, MIDDLE, ROOT), (CLIENT, ROOT)


def chain_of(*shapes: Shape) -> tuple[bytes, ...]:
    """DER certificates for the moment NOW, each signed by the next shape, the last by itself."""
    return chains.chain_of(NOW, *shapes)


def trust_in(*anchors: bytes, name: str = NAME, now: float = NOW) -> Trust:
    """Trust in these certificates at one moment."""
    return Trust(anchors, lambda: now, name)


def server_and_client(
    server: Collection[Shape], client: Collection[Shape] = (), policy: str = "performance"
) -> tuple[Configuration, Configuration]:
    """A server and a client that show all but the last of these shapes and trust the last of the other's."""
    servers, clients = chain_of(*server), chain_of(*client) if client else ()
    chosen = Policy.preset(policy)
    return (
        Configuration("server", chosen, next(iter(server)).key, chain=servers[:-1],
                      trust=trust_in(clients[-1], name="") if clients else None),
        Configuration("client", chosen, next(iter(client)).key if client else None, chain=clients[:-1],
                      trust=trust_in(servers[-1])),
    )  # fmt: skip
