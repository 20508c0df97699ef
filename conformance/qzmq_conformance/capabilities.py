"""What an adapter says it has, and what a case needs of it: sets of `Capability`, so that a lack is a difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any, NamedTuple

from qzmq_conformance.scaffold import PROTOCOL
from qzmq_conformance.security import Security
from qzmq_ref.policy import Limits, modes
from qzmq_ref.registries import AeadId, CipherSuite, HashId
from qzmq_ref.spec.tables import tables

FEATURES: Mapping[str, str] = {
    "authorities": "certificates of an authority, in `security.ca` and `security.server_name`",
    "certificates": "a certificate of its own, in `security.certificate`",
    "curve": "CURVE clients on the port of a server, by `security.curve_secret_key` and `security.curve_clients`",
    "early_data": "early data, by `policy.early_data`",
    "events": "what became of connections, by the verb `events`",
    "export": "keying material, by `control` with the action `export`",
    "identity_is_pin": "a peer's routing identity must be its pin, by `policy.identity_is_pin`",
    "limits": "keys that step earlier, by `policy.limits`",
    "log": "a line on standard error for each connection that ends badly",
    "mixed": "suites of several modes in one policy, by `policy.mixed`",
    "padding": "padded records, by `policy.padding`",
    "plaintext": "sockets without security (ZMTP NULL), when `security` is null",
    "properties": "the peer's properties beside every message that `recv` returns",
    "rekey": "generation changes",
    "rekey_on_demand": "a step or a generation when asked, by `control` with the action `rekey`",
    "resume_on_demand": "with a ticket or without, as asked, by `control` with the action `resume`",
    "resumption": "tickets",
    "retry": "puzzles, by `policy.retry`",
    "zap": "a ZAP handler that answers what `security.zap` says",
}
"""Parts of QZMQ, and of an adapter, that an implementation may lack, by the name it claims them under."""

ROLES = frozenset({"client", "server"})
BINDINGS = frozenset({"zmtp", "raw"})
VECTORS = frozenset(
    ("certificates", "handshake", "kem", "keyschedule", "puzzle", "records", "rotation", "signature", "tickets", "wire")
)
HASHES = (HashId.SHA_256, HashId.SHA_384, HashId.SHA_512)


class Capability(NamedTuple):
    """One thing that an implementation has or lacks."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


Capabilities = frozenset[Capability]


class Misdescribed(ValueError):
    """What an adapter says of itself is not what the protocol asks for."""


@dataclass(frozen=True)
class Description:
    """Who an adapter says it is. `more` is whatever else it told, for the report."""

    name: str
    version: str
    capabilities: Capabilities
    more: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> Description:
        """The answer to `describe`; `Misdescribed` says what is wrong with it."""
        if answer.get("protocol") != PROTOCOL:
            raise Misdescribed(f"it speaks protocol {answer.get('protocol')!r}; this suite speaks {PROTOCOL}")
        for name in ("name", "version"):
            if not isinstance(answer.get(name), str):
                raise Misdescribed(f"its {name} is {answer.get(name)!r}, where text belongs")
        more = {name: value for name, value in answer.items() if name not in ("id", "capabilities")}
        return cls(answer["name"], answer["version"], claimed(answer.get("capabilities")), more)


def names() -> Mapping[str, frozenset[str]]:
    """Every name that can be claimed, by its place in `capabilities`."""
    return {
        "roles": ROLES,
        "patterns": frozenset(row["Socket-Type"] for row in tables()["socket-types"]) | {"STREAM"},
        "suites": frozenset(str(suite).lower() for suite in suites()),
        "bindings": BINDINGS,
        "features": frozenset(FEATURES),
        "vectors": VECTORS,
    }


def suites() -> Iterator[CipherSuite]:
    """Every suite of every mode."""
    for row in modes().values():
        yield from (CipherSuite(*parts) for parts in product(row.kems, row.signatures, AeadId, HASHES))


def claimed(document: object) -> Capabilities:
    """The `capabilities` of a description; `Misdescribed` names what is missing, or what nobody knows."""
    if not isinstance(document, Mapping) or document.keys() != names().keys():
        raise Misdescribed(f"its capabilities are no object with {', '.join(names())}")
    for place, known in names().items():
        if not isinstance(document[place], list) or not all(isinstance(name, str) for name in document[place]):
            raise Misdescribed(f"its {place} are no list of names")
        if unknown := set(document[place]) - known:
            raise Misdescribed(f"it claims {place} that QZMQ does not have: {', '.join(sorted(unknown))}")
    return frozenset(Capability(place[:-1], name) for place in names() for name in document[place])


def to_json(capabilities: Capabilities) -> dict[str, list[str]]:
    """The inverse of `claimed`, in alphabetical order."""
    return {place: sorted(each.name for each in capabilities if each.kind == place[:-1]) for place in names()}


def needs(pattern: str, security: Security | None) -> Capabilities:
    """What a socket asks of an implementation."""
    found = {Capability("pattern", pattern)} | {Capability("feature", name) for name in features(security)}
    if security:
        found |= {
            Capability("role", "server" if security.server else "client"),
            Capability("binding", "raw" if pattern == "STREAM" else "zmtp"),
        }
        found |= {Capability("suite", str(suite).lower()) for suite in security.policy.suites}
    return frozenset(found)


def features(security: Security | None) -> Iterator[str]:
    """The features that a socket makes use of."""
    if security is None:
        yield "plaintext"
        return
    policy = security.policy
    used = {
        "authorities": bool(security.ca or security.server_name),
        "curve": bool(security.curve_secret_key),
        "certificates": bool(security.certificate),
        "early_data": policy.early_data,
        "identity_is_pin": policy.identity_is_pin,
        "limits": policy.limits != Limits(),
        "mixed": policy.mixed,
        "padding": policy.padding > 0,
        "retry": policy.retry != "never",
        "zap": bool(security.zap),
    }
    yield from (name for name, is_used in used.items() if is_used)
