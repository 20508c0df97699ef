"""Handshake messages as frozen dataclasses, bound to the structures of spec/handshake.md."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from qzmq_ref.alerts import Alert
from qzmq_ref.registries import AlertDescription, CipherSuite, Extension, MessageType
from qzmq_ref.spec.schema import SchemaError, enumeration, load, structure
from qzmq_ref.spec.tables import tables


@structure("ClientHello")
@dataclass(frozen=True)
class ClientHello:
    """First message of the client: what it supports."""

    version: int
    random: bytes
    suites: tuple[CipherSuite, ...]
    extensions: tuple[Extension, ...]


@structure("HelloRetry")
@dataclass(frozen=True)
class HelloRetry:
    """The server's puzzle (spec/puzzle.md); `difficulty` in bits."""

    version: int
    cookie: bytes
    difficulty: int


@structure("ServerHello")
@dataclass(frozen=True)
class ServerHello:
    """The server's choice, its fresh KEM key, its long-term key and its signature over all of it."""

    version: int
    random: bytes
    suite: CipherSuite
    kem_public_key: bytes
    certificate: bytes
    extensions: tuple[Extension, ...]
    signature: bytes


@structure("ClientKey")
@dataclass(frozen=True)
class ClientKey:
    """The KEM ciphertext and, sealed, a ClientAuth."""

    kem_ciphertext: bytes
    sealed_auth: bytes


@structure("ClientAuth")
@dataclass(frozen=True)
class ClientAuth:
    """What the client says of itself, readable by the authenticated server only."""

    certificate: bytes
    signature: bytes
    metadata: bytes
    early_count: int
    verify_data: bytes


@structure("Finished")
@dataclass(frozen=True)
class Finished:
    """The server's metadata and its confirmation of the whole handshake."""

    metadata: bytes
    verify_data: bytes


@structure("NewTicket")
@dataclass(frozen=True)
class NewTicket:
    """What a client needs to come back (spec/resumption.md); `lifetime` in seconds."""

    lifetime: int
    early_octets: int
    nonce: bytes
    identity: bytes


@structure("PreSharedKey")
@dataclass(frozen=True)
class PreSharedKey:
    """Body of `pre_shared_key` in ClientHello."""

    identity: bytes
    binder: bytes


@structure("Empty")
@dataclass(frozen=True)
class Empty:
    """Body of an extension that says all by being there."""

    nothing: bytes = b""


@enumeration("EarlyDataStatus")
class EarlyDataStatus(IntEnum):
    """What a server says of early data (RES-15)."""

    ACCEPTED = 1
    REJECTED = 2
    UNKNOWN = 3


@structure("EarlyDataAnswer")
@dataclass(frozen=True)
class EarlyDataAnswer:
    """Body of `early_data` in ServerHello."""

    status: EarlyDataStatus


@enumeration("KeyUpdateKind")
class KeyUpdateKind(IntEnum):
    """Who speaks: the client offers, the server requests (ROT-7)."""

    OFFER = 1
    REQUEST = 2


@structure("KeyUpdate")
@dataclass(frozen=True)
class KeyUpdate:
    """An offer with its `kem_public_key` as body, or a request with an empty one."""

    kind: KeyUpdateKind
    generation: int
    body: bytes


@structure("KeyUpdateAck")
@dataclass(frozen=True)
class KeyUpdateAck:
    """The server's answer to an offer."""

    generation: int
    kem_ciphertext: bytes


@structure("AlertBody")
@dataclass(frozen=True)
class AlertBody:
    """Body of `alert` and plaintext of `sealed_alert`."""

    description: AlertDescription | int


STRUCTURES: dict[MessageType, str] = {
    MessageType[row["Type"].upper()]: row["Structure"] or row["Plaintext"] for row in tables()["messages"]
}
"""Table `messages`: the structure of each type's body or plaintext; empty for application octets."""

SEALED: frozenset[MessageType] = frozenset(
    MessageType[row["Type"].upper()] for row in tables()["messages"] if row["Protection"] == "sealed"
)


def parse_body(message_type: MessageType, body: bytes, hash_length: int = 0) -> Any:
    """The structure in `body`, or `body` itself for application octets; Alert decode_error otherwise (REG-2)."""
    name = STRUCTURES[message_type]
    return parse_structure(name, body, "REG-2", hash_length) if name else body


def parse_structure(name: str, octets: bytes, requirement: str, hash_length: int = 0) -> Any:
    """Parse peer input; a SchemaError becomes Alert decode_error under the given requirement."""
    try:
        return load().parse(name, octets, hash_length=hash_length)
    except SchemaError as error:
        raise Alert(AlertDescription.DECODE_ERROR, requirement, str(error)) from None


def build(value: Any, hash_length: int = 0) -> bytes:
    """The octets of a structure of this module."""
    return load().build(value, hash_length=hash_length)


def build_message(message_type: MessageType, value: Any) -> bytes:
    """A plain message: type octet, then its structure."""
    return bytes([message_type]) + build(value)


def vector(octets: bytes, length_octets: int) -> bytes:
    """`octets` as they stand in a hash input: behind their big-endian length (spec/handshake.md, Transcript)."""
    return len(octets).to_bytes(length_octets) + octets
