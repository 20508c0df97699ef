"""The long-term keys of a run. Each follows from its name, so that a replay has the same ones."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from qzmq_conformance.security import Security
from qzmq_ref import z85
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.policy import Policy
from qzmq_ref.registries import SigId

PRESETS = {"hybrid": "default", "pq_only": "balanced", "classical": "performance"}
"""The preset that stands for each mode where one suite is enough."""


def policy(mode: str) -> Policy:
    """The policy a case of this mode runs under, unless it says otherwise."""
    return Policy.preset(PRESETS[mode])


def seed(name: str) -> bytes:
    """The 32-octet secret key of that name."""
    return sha256(b"QZMQ conformance key of " + name.encode()).digest()


@cache
def key(name: str, sig: SigId) -> SigningKey:
    """The key pair of that name, for one signature algorithm."""
    return SigningKey.from_seed(sig, seed(name), provider())


def as_server(name: str, chosen: Policy, *clients: str) -> Security:
    """What the application of server `name` sets; it lets in the keys of `clients`, or anyone if there are none."""
    pins = tuple(_z85(key(client, chosen.signature).pin) for client in clients)
    return Security(chosen, server=True, secret_key=_z85(seed(name)), client_keys=pins or None)


def as_client(name: str, chosen: Policy, server: str) -> Security:
    """What the application of client `name` sets; it trusts the key of `server`. An empty name is anonymous."""
    secret = _z85(seed(name)) if name else ""
    return Security(chosen, server=False, secret_key=secret, server_key=_z85(key(server, chosen.signature).pin))


def _z85(octets: bytes) -> str:
    return z85.encode(octets).decode()
