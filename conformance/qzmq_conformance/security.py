"""What an application sets on a socket to secure it, and how that crosses the pipe to a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from qzmq_ref.policy import Limits, Policy
from qzmq_ref.registries import AeadId, CipherSuite, HashId, KemId, SigId


@dataclass(frozen=True)
class Security:
    """`server` is the role. Keys are 40 Z85 characters; `client_keys` are those a server lets in, None for anyone.

    `zap` is the domain, if the target is to ask its ZAP handler: it says what the handler answers, a status of RFC 27
    with the user id `judged`, or something that is no status, or `silent` for nothing.
    With `curve_secret_key` a server also serves the CURVE clients that have the public keys `curve_clients`.
    `ca` is the PEM certificate of an authority whose certificates a peer may show, a server's for `server_name`.
    `certificate` are the PEM certificates that this side shows, its own first.
    """

    policy: Policy
    server: bool
    secret_key: str = field(default="", repr=False)
    server_key: str = ""
    client_keys: tuple[str, ...] | None = None
    zap: str = ""
    ca: str = ""
    server_name: str = ""
    certificate: str = ""
    curve_secret_key: str = field(default="", repr=False)
    curve_clients: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data; a suite is the names of its four algorithms."""
        suites = [str(suite).lower().split("/") for suite in self.policy.suites]
        return _plain(self) | {"policy": _plain(self.policy) | {"suites": suites, "limits": _plain(self.policy.limits)}}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Security:
        """The inverse of `to_json`."""
        policy, clients = document["policy"], document["client_keys"]
        chosen = dict(policy, suites=tuple(map(_suite, policy["suites"])), limits=Limits(**policy["limits"]))
        keys = {"client_keys": clients and tuple(clients), "curve_clients": tuple(document["curve_clients"])}
        return cls(**{**document, **keys, "policy": Policy(**chosen)})


def _plain(value: Security | Policy | Limits) -> dict[str, Any]:
    """The fields, as they are: `asdict` would copy what is in them."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _suite(names: list[str]) -> CipherSuite:
    kem, sig, aead, hash_ = (name.upper() for name in names)
    return CipherSuite(KemId[kem], SigId[sig], AeadId[aead], HashId[hash_])
