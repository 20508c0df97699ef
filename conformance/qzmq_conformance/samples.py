"""Well-formed messages of any type for places where they do not belong. Their octets carry the case's token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qzmq_conformance.peer import Peer
from qzmq_conformance.scene import frame
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.messages import (
    AlertBody,
    ClientHello,
    ClientKey,
    Finished,
    HelloRetry,
    KeyUpdate,
    KeyUpdateAck,
    KeyUpdateKind,
    NewTicket,
    ServerHello,
    build,
)
from qzmq_ref.registries import VERSION, AlertDescription, CipherSuite, KemId, MessageType


def plain_sample(peer: Peer, kind: int) -> bytes:
    """A plain message: a well-formed structure if the type has one, else the token alone."""
    make = _STRUCTURES.get(kind)
    return bytes([kind]) + (build(make(peer)) if make else peer.stage.token)


def sealed_sample(peer: Peer, kind: int) -> bytes:
    """The plaintext of a sealed message."""
    if kind == MessageType.FINISHED:
        return build(Finished(peer.stage.token, bytes(_hash_length(peer))), _hash_length(peer))
    make = _PLAINTEXTS.get(kind)
    return build(make(peer.stage.token)) if make else frame(peer.stage.token)


def suite_of(peer: Peer) -> CipherSuite:
    """The session's suite, or the one it will have."""
    return peer.session.suite or peer.session.configuration.policy.suites[0]


def _hash_length(peer: Peer) -> int:
    return peer.hash_length or 32


def _client_hello(peer: Peer) -> ClientHello:
    return ClientHello(VERSION, bytes(32), (suite_of(peer),), ())


def _server_hello(peer: Peer) -> ServerHello:
    key, suite = peer.session.configuration.key, suite_of(peer)
    certificate = build_certificate(key) if key else peer.stage.token
    share = kem(KemId(suite.kem), peer.session.configuration.provider).generate(peer.session.entropy).public_key
    return ServerHello(VERSION, bytes(32), suite, share, certificate, (), peer.stage.token)


def _client_key(peer: Peer) -> ClientKey:
    size = kem(KemId(suite_of(peer).kem), peer.session.configuration.provider).ciphertext_size
    return ClientKey(bytes(size), peer.stage.token)


_PLAINTEXTS: Mapping[int, Callable[[bytes], Any]] = {
    MessageType.SEALED_ALERT: lambda _: AlertBody(AlertDescription.INTERNAL_ERROR),
    MessageType.KEY_UPDATE: lambda token: KeyUpdate(KeyUpdateKind.OFFER, 2, token),
    MessageType.KEY_UPDATE_ACK: lambda token: KeyUpdateAck(2, token),
    MessageType.NEW_TICKET: lambda token: NewTicket(1, 0, b"nonce", token),
}
_STRUCTURES: Mapping[int, Callable[[Peer], Any]] = {
    MessageType.CLIENT_HELLO: _client_hello,
    MessageType.SERVER_HELLO: _server_hello,
    MessageType.CLIENT_KEY: _client_key,
    MessageType.HELLO_RETRY: lambda peer: HelloRetry(VERSION, peer.stage.token, 0),
    MessageType.ALERT: lambda _: AlertBody(AlertDescription.INTERNAL_ERROR),
}
