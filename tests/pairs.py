"""Two connections back to back, without a network: what most tests of the protocol core start from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from qzmq_ref.connection import Configuration, Connection, Event
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.policy import Policy
from qzmq_ref.raw import RawBinding


def seeded(seed: str) -> Callable[[int], bytes]:
    """An entropy source that gives the same octets each time it is made."""
    stream = _stream(seed)
    return lambda n: bytes(next(stream) for _ in range(n))


def _stream(seed: str) -> Iterator[int]:
    counter = 0
    while True:
        yield from hashlib.sha256(f"{seed} {counter}".encode()).digest()
        counter += 1


@dataclass
class Clock:
    """A clock that the test moves."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def signing_key(policy: Policy, name: str, implementation: str = "openssl") -> SigningKey:
    """The key of that name for the policy's signature."""
    return SigningKey.from_seed(policy.signature, seeded(name)(32), provider(implementation))


@dataclass
class Pair:
    """A client and a server over the raw binding, and every event that either has seen."""

    client: Connection
    server: Connection
    clock: Clock
    client_events: list[Event] = field(default_factory=list)
    server_events: list[Event] = field(default_factory=list)

    def exchange(self, cut: int = 1 << 20) -> Pair:
        """Carry octets both ways, `cut` at a time, until both are silent."""
        while (up := self.client.data_to_send()) or (down := self.server.data_to_send()):
            if up:
                self.server_events += self.feed(self.server, up, cut)
            else:
                self.client_events += self.feed(self.client, down, cut)
        return self

    @staticmethod
    def feed(connection: Connection, octets: bytes, cut: int) -> list[Event]:
        """What `connection` makes of the octets when they arrive in pieces."""
        return [
            event for start in range(0, len(octets), cut) for event in connection.receive(octets[start : start + cut])
        ]


def make_pair(
    policy: Policy | str = "default",
    *,
    client_policy: Policy | None = None,
    client_key: bool = True,
    authorised: bool | None = True,
    trusted: bool = True,
    zap: bool = False,
    client_provider: str = "openssl",
    server_provider: str = "openssl",
) -> Pair:
    """A pair that is about to greet. `authorised` False lists another client, None asks for none, `zap` asks ZAP."""
    policy = Policy.preset(policy) if isinstance(policy, str) else policy
    own, other = client_policy or policy, signing_key(policy, "stranger")
    server_key, key = signing_key(policy, "server", server_provider), signing_key(own, "client", client_provider)
    clients = None if authorised is None else frozenset({key.pin if authorised else other.pin})
    server = Configuration(
        "server",
        policy,
        key=server_key,
        client_pins=clients,
        provider=provider(server_provider),
        authorizing=lambda: zap,
    )
    client = Configuration(
        "client",
        own,
        key=key if client_key else None,
        server_pins=frozenset({server_key.pin if trusted else other.pin}),
        provider=provider(client_provider),
    )
    clock = Clock()
    return Pair(
        Connection(client, RawBinding("client"), entropy=seeded("client entropy"), clock=clock),
        Connection(server, RawBinding("server"), entropy=seeded("server entropy"), clock=clock),
        clock,
    )
