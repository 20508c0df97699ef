"""The operations of the vectors at which the reference has to decide, other than whole handshakes."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, TypeAlias

from qzmq_conformance.keys import policy, seed
from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Entropy, Invalid, provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake import rekey, resume
from qzmq_ref.handshake.certificates import parse_certificate, trusted_client, trusted_server
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.keyschedule import GenerationSecrets
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import HelloRetry, parse_body
from qzmq_ref.handshake.outputs import Ended, Install
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.handshake.tickets import EARLY_STREAM
from qzmq_ref.handshake.x509 import Trust
from qzmq_ref.policy import Policy, mode_of, modes
from qzmq_ref.records import RecordReader
from qzmq_ref.registries import AeadId, AlertDescription, CipherSuite, HashId, KemId, MessageType, SigId

Json: TypeAlias = Mapping[str, Any]


class At(Exception):
    """The message or record in this place is refused."""

    def __init__(self, position: int, refused: Alert) -> None:
        super().__init__(position)
        self.position = position
        self.alert = refused


def octets_of(given: Json, name: str) -> bytes:
    """A field of octets, empty if it is absent."""
    return bytes.fromhex(given.get(name, ""))


def alert(description: str, requirement: str) -> Alert:
    """The alert of that name."""
    return Alert(AlertDescription[description.upper()], requirement, "a test vector")


def drawing(octets: bytes) -> Entropy:
    """Randomness that has been drawn already."""
    left = iter(octets)
    return lambda size: bytes(islice(left, size))


@contextmanager
def alerting(description: str, requirement: str) -> Iterator[None]:
    """What the cryptography refuses is answered with this alert."""
    try:
        yield
    except Invalid:
        raise alert(description, requirement) from None


def suite_of(given: Json, sig: SigId = SigId.ED25519) -> CipherSuite:
    """The suite that a vector is about, as far as it says."""
    kem_id, hash_id = (KemId[given.get("kem", "x25519").upper()], HashId[given["hash"].upper()])
    return CipherSuite(kem_id, sig, AeadId[given.get("aead", "aes_256_gcm").upper()], hash_id)


def side(role: Role, suite: CipherSuite, **changes: Any) -> Session:
    """A session of somebody who would choose this suite; `changes` are those of its policy."""
    chosen = replace(Policy((suite,), mode=mode_of(suite) or ""), **changes)
    own = SigningKey.from_seed(chosen.signature, seed("target"), provider())
    pins = frozenset({own.pin})
    client = Configuration("client", chosen, server_pins=pins)
    return Session(client if role == "client" else Configuration("server", chosen, own), b"", secrets.token_bytes)


def check(session: Session) -> Session:
    """The session, unless a step of the machine has ended it."""
    for output in session.outputs:
        if isinstance(output, Ended) and output.alert:
            raise output.alert
    return session


# ---------------------------------------------------------------------- records, rotation


def open_records(given: Json) -> Json:
    """A receiver reads one record after the other."""
    reader = RecordReader(suite_of(given), octets_of(given, "secret"), given["generation"])
    reader.seq = given["seq"]
    if "next_secret" in given:
        reader.allow(octets_of(given, "next_secret"), given["generation"] + 1)
    return {"plaintexts": [octets.hex() for octets in _opened(reader, given["records"])]}


def _opened(reader: RecordReader, records: list[str]) -> Iterator[bytes]:
    for position, record in enumerate(records):
        try:
            yield reader.open(memoryview(bytes.fromhex(record)))
        except Alert as refused:
            raise At(position, refused) from None


def exchange(given: Json) -> Json:
    """What `received_by` makes of the last of offer, request and ack; after an ack, the generation that begins."""
    name = next(name for name in ("ack", "request", "offer") if name in given)
    kind = MessageType.KEY_UPDATE_ACK if name == "ack" else MessageType.KEY_UPDATE
    h, octets = HashFunction(HashId[given["hash"].upper()]), octets_of(given, name)
    last = GenerationSecrets(b"", b"", octets_of(given, "rekey"), b"", octets_of(given, "th"))
    key = kem(KemId[given["kem"].upper()], provider()).generate(drawing(octets_of(given, "kem_seed")))
    session = side("client", policy("classical").suites[0]).but(
        suite=suite_of(given),
        generation=given["generation"],
        generation_secrets=last,
        kem_key=key,
        offer=octets_of(given, "offer") if name == "ack" else b"",
        received=bytes([kind]) + octets,
        epoch=str(given["generation"]),
    )
    message = parse_body(kind, octets)
    if name != "ack":
        (rekey.accept_offer if given["received_by"] == "server" else rekey.accept_request)(session, message)
        return {"values": {}}
    session = rekey.accept_ack(session, message)
    fresh, secret = known(session.generation_secrets), key.decapsulate(message.kem_ciphertext)
    traffic = {each.direction: each.secret for each in session.outputs if isinstance(each, Install)}
    values = {"kem_secret": secret, "root": h.extract(last.rekey, secret), "th_next": fresh.th}
    values |= {"c_ap": traffic["send"], "s_ap": traffic["receive"], "rekey_next": fresh.rekey, "res": fresh.res}
    return {"values": {name: value.hex() for name, value in values.items()}}


# ---------------------------------------------------------------------- tickets, puzzle


def new_ticket(given: Json) -> Json:
    """What a client makes of a ticket."""
    session = side("client", suite := policy("classical").suites[0])
    secret = bytes(HashFunction(HashId(suite.hash)).length)
    session = session.but(suite=suite, generation_secrets=GenerationSecrets(b"", b"", b"", secret, b""))
    resume.accept_ticket(session, parse_body(MessageType.NEW_TICKET, octets_of(given, "new_ticket")))
    return {}


def early(given: Json) -> Json:
    """A server reads early records, within their bounds."""
    suite = suite_of(given)
    session = side("server", suite).but(
        prologue=octets_of(given, "prologue"), client_hello=octets_of(given, "client_hello")
    )
    secret = resume.early_traffic(HashFunction(HashId(suite.hash)), octets_of(given, "psk"), session)
    plaintexts: list[str] = []
    for octets in _opened(RecordReader(suite, secret, 0, EARLY_STREAM), given["records"]):
        try:
            session = resume.discard_early(session, octets)
        except Alert as refused:
            raise At(len(plaintexts), refused) from None
        plaintexts.append(octets.hex())
    return {"c_early": secret.hex(), "plaintexts": plaintexts}


def puzzle(given: Json) -> Json:
    """The receiver of the last message judges it."""
    names = ("client_hello", "hello_retry", "second_client_hello")
    first, retry, second = (octets_of(given, name) for name in names)
    suite = policy("classical").suites[0]
    if retry and not second:
        client = step(side("client", suite, max_difficulty=given["max_difficulty"]), "(begin)")
        check(step(client.but(client_hello=first), "hello_retry", retry[1:], "plain"))
        return {}
    if not retry:
        check(step(side("server", suite), "client_hello", first[1:], "plain"))
        return {}
    asked: HelloRetry = parse_body(MessageType.HELLO_RETRY, retry[1:])
    server = side("server", suite, retry="always", difficulty=asked.difficulty)
    server = check(step(server, "client_hello", first[1:], "plain")).but(cookie=asked.cookie)
    check(step(server, "client_hello", second[1:], "plain"))
    return {}


# ---------------------------------------------------------------------- certificates


def raw_key(given: Json) -> Json:
    """The peer of `of` reads a raw key, and knows `pins`."""
    sig, shown = SigId[given["sig"].upper()], octets_of(given, "certificate")
    pins = frozenset(map(bytes.fromhex, given["pins"]))
    parse_certificate(shown, {sig}, provider())
    if given["of"] == "server":
        trusted_server(Configuration("client", _policy(sig), server_pins=pins), shown, sig)
    else:
        trusted_client(_server(sig, client_pins=pins), shown)
    return {}


def chain(given: Json) -> Json:
    """The peer of `of` reads a chain, and trusts `anchors`."""
    sig, shown = SigId[given["sig"].upper()], octets_of(given, "certificate")
    trust = Trust(tuple(map(bytes.fromhex, given["anchors"])), lambda: float(given["now"]), given["name"])
    if given["of"] == "server":
        trusted_server(Configuration("client", _policy(sig), trust=trust), shown, sig)
    else:
        trusted_client(_server(sig, trust=trust), shown)
    return {}


def _policy(sig: SigId) -> Policy:
    """A policy whose suite signs with this algorithm."""
    mode = "classical" if sig is SigId.ED25519 else "pq_only"
    return Policy((CipherSuite(min(modes()[mode].kems), sig, AeadId.AES_256_GCM, HashId.SHA_256),), mode=mode)


def _server(sig: SigId, **knowing: Any) -> Configuration:
    chosen = _policy(sig)
    return Configuration(
        "server", chosen, SigningKey.from_seed(chosen.signature, seed("target"), provider()), **knowing
    )
