"""Which sockets may talk, and what an application may know of its peer (spec/patterns.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from qzmq_ref import z85
from qzmq_ref.alerts import Alert
from qzmq_ref.metadata import Property, parse_metadata
from qzmq_ref.registries import AlertDescription, CipherSuite
from qzmq_ref.spec.tables import tables

MECHANISM = b"QZMQ"
CURVE = b"CURVE"

_RESERVED = frozenset({b"user-id", b"peer-address"})
_RESERVED_PREFIXES = (b"x-qzmq-", b"__")
_SPELLING = {name.lower(): name for name in (b"Socket-Type", b"Identity", b"Resource")}


@cache
def legal_peers() -> Mapping[bytes, frozenset[bytes]]:
    """Legal Socket-Types of the peer, by one's own (tables `socket-types` and `draft-socket-types`)."""
    rows = tables()["socket-types"] + tables()["draft-socket-types"]
    return {row["Socket-Type"].encode(): frozenset(row["Peers"].encode().split(b", ")) for row in rows}


def accept_properties(octets: bytes, socket_type: bytes) -> tuple[Property, ...]:
    """What a peer's metadata says of it, for a socket of this type; `socket_type` is empty in the raw binding.

    Reserved names are gone and known ones canonical (PAT-5, PAT-6). Raises Alert (PAT-1, PAT-3, PAT-4, PAT-7, PAT-8).
    """
    if not socket_type:
        if octets:
            raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PAT-8", f"{len(octets)} octets of metadata over raw")
        return ()
    accepted = tuple(_filtered(parse_metadata(octets)))
    values = {each.name: each.value for each in accepted}
    _check_socket_type(socket_type, values.get(b"Socket-Type"))
    _check_identity(values.get(b"Identity", b""))
    return accepted


def added_properties(pin: bytes | None, suite: CipherSuite, address: str) -> tuple[Property, ...]:
    """What the receiver says of a peer, over zmtp (PAT-10). `pin` is None for an anonymous client."""
    peer = z85.encode(pin) if pin else b""
    added = {
        b"User-Id": peer,
        b"X-QZMQ-Peer": peer,
        b"X-QZMQ-Peer-Address": address.encode(),
        b"X-QZMQ-Mechanism": MECHANISM,
        b"X-QZMQ-Suite": str(suite).encode(),
    }
    return tuple(Property(name, value) for name, value in added.items() if value)


def foreign_properties(mechanism: bytes) -> tuple[Property, ...]:
    """What ZAP says of a peer of another mechanism beside User-Id, so that the peer cannot say it itself (ZMTP-16)."""
    own = (row["Property"].encode() for row in tables()["added-properties"])
    values = {b"X-QZMQ-Mechanism": mechanism}
    return tuple(Property(name, values.get(name, b"")) for name in own if name != b"User-Id")


def authorized_properties(
    properties: tuple[Property, ...], user_id: bytes, added: tuple[Property, ...]
) -> tuple[Property, ...]:
    """A peer's properties as ZAP completes them: its user id, and what it adds wins over what the peer said (ZAP-5,
    ZAP-6)."""
    own = {each.name.lower(): each for each in _filtered(added) if each.name not in _SPELLING.values()}
    kept = (each for each in properties if each.name != b"User-Id" and each.name.lower() not in own)
    return (*kept, Property(b"User-Id", user_id), *own.values())


def check_identity_is_pin(properties: tuple[Property, ...], pin: bytes | None) -> None:
    """A policy's demand that a peer call itself by its pin, if it gives itself a name at all (PAT-9)."""
    identity = next((each.value for each in properties if each.name == b"Identity"), b"")
    if identity and (pin is None or identity != z85.encode(pin)):
        raise Alert(AlertDescription.ACCESS_DENIED, "PAT-9", "Identity is not the peer's pin")


def _filtered(properties: tuple[Property, ...]) -> Iterator[Property]:
    """PAT-5, PAT-6."""
    for each in properties:
        name = each.name.lower()
        if name not in _RESERVED and not name.startswith(_RESERVED_PREFIXES):
            yield Property(_SPELLING.get(name, each.name), each.value)


def _check_socket_type(own: bytes, peers: bytes | None) -> None:
    """PAT-1."""
    if peers not in legal_peers().get(own, ()):
        shown = "no Socket-Type" if peers is None else repr(peers[:40])
        detail = f"{own.decode()} cannot talk to {shown}"
        raise Alert(AlertDescription.HANDSHAKE_FAILURE, "PAT-1", detail)


def _check_identity(identity: bytes) -> None:
    """PAT-7."""
    if len(identity) > 255 or identity.startswith(b"\0"):
        detail = f"Identity of {len(identity)} octets, {identity[:1].hex()} first"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "PAT-7", detail)
