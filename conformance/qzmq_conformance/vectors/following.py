"""The reference follows a handshake that is over: both sides are played at once, and say what the vector says."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, TypeAlias

from qzmq_conformance.vectors.judging import At, check, drawing, octets_of
from qzmq_conformance.vectors.keyschedule import everything
from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid, provider
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.crypto.kem import kem
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake import keyschedule as ks
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import (
    SEALED,
    STRUCTURES,
    ClientHello,
    ClientKey,
    PreSharedKey,
    parse_body,
    parse_structure,
)
from qzmq_ref.handshake.outputs import Install, ReceiveEarly
from qzmq_ref.handshake.session import Session
from qzmq_ref.handshake.tickets import EARLY_STREAM, MAX_EARLY_OCTETS, ClientTicket, ServerTicket
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Policy, mode_of
from qzmq_ref.records import OVERHEAD, RecordReader
from qzmq_ref.registries import (
    AeadId,
    AlertDescription,
    CipherSuite,
    ExtensionType,
    HashId,
    KemId,
    MessageType,
    SigId,
)
from qzmq_ref.tickets import MemoryTickets

Json: TypeAlias = Mapping[str, Any]
SOCKETS: Mapping[Role, bytes] = {"client": b"DEALER", "server": b"ROUTER"}
EARLY = b"\x00\x05early"
NOON = 1.8e9


def follow(given: Json) -> Json:
    """Every value of the key schedule, after the last message; `At` which one is refused."""
    followed = Followed(given)
    for position, message in enumerate(given["messages"]):
        try:
            followed.cross(message["sender"], bytes.fromhex(message["octets"]))
        except Alert as refused:
            raise At(position, refused) from None
    return {"values": {name: octets.hex() for name, octets in followed.values().items()}}


class Followed:
    """A client and a server. What one of them has to say is taken from the vector; the other one judges it."""

    def __init__(self, given: Json) -> None:
        suite = given["suite"]
        self._suite = CipherSuite(
            KemId[suite["kem"].upper()],
            SigId[suite["sig"].upper()],
            AeadId[suite["aead"].upper()],
            HashId[suite["hash"].upper()],
        )
        self._given = given
        self._h = HashFunction(HashId(self._suite.hash))
        drawn = octets_of(given, "kem_seed") or secrets.token_bytes(96)  # without ServerHello nobody has drawn it
        self._kem_key = kem(KemId(self._suite.kem), provider()).generate(drawing(drawn))
        self._store = MemoryTickets(lambda: NOON)
        prologue = octets_of(given, "prologue")
        self._sides = {role: Session(self._side(role), prologue, secrets.token_bytes) for role in SOCKETS}
        self._readers: dict[Role, RecordReader] = {}
        self._early: RecordReader | None = None
        self._remember()

    def cross(self, sender: Role, octets: bytes) -> None:
        """One message from its sender to its receiver; Alert if that one refuses it."""
        receiver: Role = "server" if sender == "client" else "client"
        self._say(sender, octets)
        session = self._sides[receiver]
        if not octets or octets[0] not in STRUCTURES:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "REG-1", "no type of message")
        kind, name = MessageType(octets[0]), MessageType(octets[0]).name.lower()
        early = session.early_status is not None and session.state == "wait_client_key"
        if kind is MessageType.DATA and early:
            session = step(session, name, self._open_early(octets), "early")
        elif kind not in SEALED:
            session = step(session, name, octets[1:], "plain")
        elif reader := self._readers.get(receiver):
            opened = reader.open(memoryview(octets))
            session = step(session, name, opened, str(reader.epoch >> 8))
        else:
            raise Alert(AlertDescription.UNEXPECTED_MESSAGE, "REC-1", "a record before there is a key")
        self._sides[receiver] = check(session)
        self._install(receiver)

    def values(self) -> dict[str, bytes]:
        """Everything of the key schedule."""
        server = self._sides["server"]
        secret = self._kem_key.decapsulate(server.kem_ciphertext)
        hello = server.prologue + server.client_hello
        return {"kem_secret": secret} | everything(self._h, secret, server.h1, server.t_ck, hello, server.psk)

    # ------------------------------------------------------------------ what they say and hear

    def _say(self, sender: Role, octets: bytes) -> None:
        """The sender has said just this, whatever it would have said itself."""
        session = self._sides[sender]
        due = (
            {"start": MessageType.CLIENT_HELLO, "wait_finished": MessageType.CLIENT_KEY}
            if sender == "client"
            else {"wait_client_key": MessageType.SERVER_HELLO}
        )
        if octets[:1] != bytes([due.get(session.state, 0)]):
            return
        if octets[0] == MessageType.CLIENT_HELLO:
            session = step(session, "(begin)").but(client_hello=octets)
        elif octets[0] == MessageType.SERVER_HELLO:
            session = session.but(server_hello=octets, kem_key=self._kem_key)
        else:
            session = self._with_key(session, octets)
        self._sides[sender] = session

    def _with_key(self, client: Session, octets: bytes) -> Session:
        """The client once it has sent this ClientKey. If it is no right one, nothing comes after it."""
        try:
            message: ClientKey = parse_body(MessageType.CLIENT_KEY, octets[1:])
            secret = self._kem_key.decapsulate(message.kem_ciphertext)
        except (Alert, Invalid):
            return client
        client = client.but(kem_ciphertext=message.kem_ciphertext, client_key=octets)
        derived = ks.handshake_secrets(self._h, secret, client.h1, client.psk)
        self._readers["client"] = RecordReader(self._suite, derived.s_hs, 0)
        generation = ks.first_generation(self._h, derived.master, client.t_ck)
        return client.but(secrets=derived, generation_secrets=generation)

    def _open_early(self, octets: bytes) -> bytes:
        return self._early.open(memoryview(octets)) if self._early else bytes(len(octets) - OVERHEAD)

    def _install(self, receiver: Role) -> None:
        """The keys that the last step asks for."""
        for output in self._sides[receiver].outputs:
            match output:
                case ReceiveEarly(suite, secret):
                    self._early = RecordReader(suite, secret, 0, EARLY_STREAM)
                case Install("receive", generation, secret):
                    if generation and receiver in self._readers:
                        self._readers[receiver].install(secret, generation)
                    else:
                        self._readers[receiver] = RecordReader(self._suite, secret, generation)

    # ------------------------------------------------------------------ who they are

    def _side(self, role: Role) -> Configuration:
        given, raw = self._given, self._given["binding"] == "raw"
        chosen = Policy((self._suite,), mode=mode_of(self._suite) or "", early_data=True, tickets=0)
        told = () if raw else (Property(b"Socket-Type", SOCKETS[role]), Property(b"Identity", role.encode()))
        own, socket_type = self._key(role), b"" if raw else SOCKETS[role]
        if role == "client":
            pins = frozenset({octets_of(given, "server_pin")})
            return Configuration("client", chosen, own, pins, None, told, socket_type)
        clients = frozenset({octets_of(given, "client_pin")}) if given["client_authentication"] else None
        return Configuration("server", chosen, own, frozenset(), clients, told, socket_type, tickets=self._store)

    def _key(self, role: Role) -> SigningKey | None:
        seed = octets_of(self._given, f"{role}_seed")
        return SigningKey.from_seed(SigId(self._suite.sig), seed, provider()) if seed else None

    def _remember(self) -> None:
        """Both sides remember the session that the ticket is of, the server only if it still knows the ticket."""
        psk = octets_of(self._given, "psk")
        if not psk:
            return
        identity, announced = self._offered()
        client, server = (self._sides[role].configuration for role in ("client", "server"))
        shown = {side.role: build_certificate(side.key) if side.key else b"" for side in (client, server)}
        told = {side.role: side.metadata_octets for side in (client, server)}
        pin = client.key.pin if client.key else None
        room = MAX_EARLY_OCTETS
        ticket = ClientTicket(identity, psk, self._suite, shown["server"], told["server"], told["client"], pin, room)
        self._sides["client"] = self._sides["client"].but(offered=ticket, early=EARLY if announced else b"")
        if self._given["known"]:
            kept = ServerTicket(psk, self._suite, shown["client"], told["client"], server.digest, NOON, NOON + 60, room)
            self._store.put(identity, kept)

    def _offered(self) -> tuple[bytes, bool]:
        """The ticket's identity in the first message, and whether early data is announced there."""
        octets = bytes.fromhex(self._given["messages"][0]["octets"])
        try:
            hello: ClientHello = parse_body(MessageType.CLIENT_HELLO, octets[1:])
            found = {each.extension_type: each.extension_data for each in hello.extensions}
            key: PreSharedKey = parse_structure("PreSharedKey", found[ExtensionType.PRE_SHARED_KEY], "REG-10")
        except (Alert, KeyError):
            return bytes(1), False
        return key.identity, ExtensionType.EARLY_DATA in found
