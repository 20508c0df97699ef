"""Whole handshakes by the pure machine: honest, or with the one deviation that a fault of the suite describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from qzmq_conformance.peer import HONEST, Deviation
from qzmq_conformance.sealing import sealer
from qzmq_conformance.vectors.shape import Source
from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake import client as client_side
from qzmq_ref.handshake import keyschedule
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import ClientAuth, ClientHello, ClientKey, Finished, ServerHello, build
from qzmq_ref.handshake.outputs import Ended, Send
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.handshake.tickets import TicketStore
from qzmq_ref.metadata import Property, build_metadata
from qzmq_ref.policy import Policy, mode_of
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import CipherSuite, KemId, MessageType, SigId
from qzmq_ref.spec.schema import load
from qzmq_ref.zmtp import ZmtpBinding

SOCKETS: Mapping[Role, bytes] = {"client": b"DEALER", "server": b"ROUTER"}
PURE = provider("pure")


@dataclass(frozen=True)
class Setting:
    """What is decided before a handshake. `mutual`: the server asks for the client's key and knows it."""

    suite: CipherSuite
    binding: str = "zmtp"
    mutual: bool = True
    stranger: str = ""

    @property
    def policy(self) -> Policy:
        """The policy of both sides: this one suite."""
        return Policy((self.suite,), mode=mode_of(self.suite) or "")

    @property
    def prologue(self) -> bytes:
        """Both greetings, the client's first."""
        binding = ZmtpBinding if self.binding == "zmtp" else RawBinding
        return binding("client").greeting() + binding("server").greeting()

    def key(self, source: Source, role: Role) -> SigningKey:
        """The long-term key of a side, of the suite's algorithm; that of `stranger` is one that nobody knows."""
        name = "stranger" if role == self.stranger else role
        return _key(source, SigId(self.suite.sig), name)

    def configuration(self, source: Source, role: Role, tickets: TicketStore | None = None) -> Configuration:
        """A DEALER that connects to a ROUTER, or two STREAM sockets over raw."""
        raw, honest = self.binding == "raw", replace(self, stranger="")
        told = () if raw else (Property(b"Socket-Type", SOCKETS[role]), Property(b"Identity", role.encode()))
        own = self.key(source, role) if role == "server" or self.mutual else None
        socket_type = b"" if raw else SOCKETS[role]
        if role == "client":
            pins = frozenset({honest.key(source, "server").pin})
            return Configuration("client", self.policy, own, pins, None, told, socket_type, PURE)
        known_clients = frozenset({honest.key(source, "client").pin}) if self.mutual else None
        return Configuration(
            "server", self.policy, own, frozenset(), known_clients, told, socket_type, PURE, tickets=tickets
        )


@cache
def _key(source: Source, sig: SigId, name: str) -> SigningKey:
    return SigningKey.from_seed(sig, source.octets(f"key/{name}", 32), PURE)


class Meeting:
    """One handshake. `messages` are those that crossed the wire, with their senders, until somebody refused one."""

    def __init__(
        self, setting: Setting, source: Source, name: str, deviation: Deviation = HONEST, **sides: Session
    ) -> None:
        self.setting = setting
        self.source = source
        self.deviation = deviation
        self.drawn: dict[str, list[bytes]] = {"client": [], "server": []}
        self.messages: list[tuple[str, bytes]] = []
        self.client = sides.get("client") or self._session("client")
        self.server = sides.get("server") or self._session("server")
        self._name = name
        self._spare = source.entropy(f"{name}/deviation")
        self._entropy = {role: source.entropy(f"{name}/{role}") for role in self.drawn}
        self.client = self.client.but(entropy=self._drawing("client"))
        self.server = self.server.but(entropy=self._drawing("server"))

    def run(self) -> Meeting:
        """All four messages, or as many as the deviation lets pass; returns itself."""
        for move in (self.say_hello, self.answer, self.send_key, self.finish):
            move()
            if self.refusal:
                break
        return self

    @property
    def refusal(self) -> Alert | None:
        """The alert with which the receiver of the last message ended the session."""
        ends = (out for side in (self.client, self.server) for out in side.outputs if isinstance(out, Ended))
        return next((out.alert for out in ends), None)

    # ------------------------------------------------------------------ moves

    def say_hello(self) -> None:
        """ClientHello, and what the server makes of it."""
        self.client = step(self.client, "(begin)")
        if self._deviates("ClientHello"):
            hello = load().parse(ClientHello, self.client.client_hello[1:])
            octets = bytes([MessageType.CLIENT_HELLO]) + self._shape(hello)
            self.client = self.client.but(client_hello=octets)
        self._send("client", self.client.client_hello)
        self.server = step(self.server, "client_hello", self.client.client_hello[1:], "plain")

    def answer(self) -> None:
        """ServerHello, and what the client makes of it."""
        if self._deviates("ServerHello"):
            hello = load().parse(ServerHello, self.server.server_hello[1:])
            octets = self._shape(replace(hello, signature=b""), sign=self._sign_hello)
            self.server = self.server.but(server_hello=bytes([MessageType.SERVER_HELLO]) + octets)
        self._send("server", self.server.server_hello)
        self._kem_key = known(self.server.kem_key)
        self.client = step(self.client, "server_hello", self.server.server_hello[1:], "plain")

    def send_key(self) -> None:
        """ClientKey, and what the server makes of it."""
        if self._deviates("ClientAuth", "ClientKey"):
            key = ClientKey(self.client.kem_ciphertext, self._sealed_auth())
            octets = bytes([MessageType.CLIENT_KEY]) + self._shape(key)
            self.client = self.client.but(client_key=octets)
        self._send("client", self.client.client_key)
        self.server = step(self.server, "client_key", self.client.client_key[1:], "plain")

    def finish(self) -> None:
        """Finished, sealed as generation 0, record 0, and what the client makes of it."""
        metadata = build_metadata(self.server.configuration.metadata)
        finished = self._shape(Finished(metadata, b""), prove=self._prove_finished)
        s_hs = known(self.client.secrets).s_hs
        self._send("server", sealer(self.setting.suite, s_hs, 0).seal(MessageType.FINISHED, finished))
        self.client = step(self.client, "finished", finished, "0")

    def say(self, sender: Role, octets: bytes) -> None:
        """The first application octets of a side, as generation 1."""
        secrets = keyschedule.first_generation(self.client.hash, self._master, self.client.t_ck)
        sealing = sealer(self.setting.suite, secrets.c_ap if sender == "client" else secrets.s_ap, 1)
        sealing.seq = int(sender == "server")
        self._send(sender, sealing.seal(MessageType.DATA, octets))

    # ------------------------------------------------------------------ what a test tells

    @cached_property
    def kem_secret(self) -> bytes:
        """What both sides agreed on."""
        return self._kem_key.decapsulate(self.client.kem_ciphertext)

    @property
    def kem_draws(self) -> int:
        """How many times a KEM draws: once for each of its parts."""
        return 2 if "X25519_" in KemId(self.setting.suite.kem).name else 1

    @property
    def _master(self) -> bytes:
        client = self.client
        return keyschedule.handshake_secrets(client.hash, self.kem_secret, client.h1, client.psk).master

    # ------------------------------------------------------------------ deviations

    def _deviates(self, *structures: str) -> bool:
        return self.deviation.structure in structures

    def _shape(self, value: Any, sign: Any = None, prove: Any = None) -> bytes:
        """A structure's octets with its proofs, after the deviation if it is about this one."""
        deviation = self.deviation if self._deviates(type(value).__name__) else HONEST
        value = deviation.content(value)
        value = deviation.signed(sign(value) if sign else value)
        value = deviation.proved(prove(value) if prove else value)
        hash_length = self.server.hash.length if self.server.suite else 0
        return deviation.octets(build(value, hash_length))

    def _sign_hello(self, hello: ServerHello) -> ServerHello:
        if self.server.resumed:
            return replace(hello, signature=client_side.server_proof(self.server, hello))
        covered = client_side.server_signed(self.server, hello)
        return replace(hello, signature=known(self.server.configuration.key).sign(covered, self._spare))

    def _sealed_auth(self) -> bytes:
        client = self.client
        key, asked = client.configuration.key, client.requested_signatures is not None
        certificate = build_certificate(key) if key and asked else b""
        metadata = build_metadata(client.configuration.metadata)
        auth = self._shape(
            ClientAuth(certificate, b"", metadata, client.early_records, b""), self._sign_auth, self._prove_auth
        )
        nonce = keyschedule.expand(client.hash, known(client.secrets).c_hs, "auth_iv")
        return client_side.auth_aead(client).seal(nonce, auth, client.auth_aad)

    def _sign_auth(self, auth: ClientAuth) -> ClientAuth:
        key = self.client.configuration.key
        if key is None or not auth.certificate or self.client.requested_signatures is None:
            return auth
        return replace(auth, signature=key.sign(client_side.client_signed(self.client, auth.certificate), self._spare))

    def _prove_auth(self, auth: ClientAuth) -> ClientAuth:
        return replace(auth, verify_data=client_side.client_mac(self.client, auth))

    def _prove_finished(self, finished: Finished) -> Finished:
        return replace(finished, verify_data=client_side.server_mac(self.client, finished.metadata))

    # ------------------------------------------------------------------ the wire

    def _session(self, role: Role) -> Session:
        configuration = self.setting.configuration(self.source, role)
        return Session(configuration, self.setting.prologue, self.source.entropy("replaced"))

    def _drawing(self, role: str) -> Any:
        def entropy(size: int) -> bytes:
            self.drawn[role].append(self._entropy[role](size))
            return self.drawn[role][-1]

        return entropy

    def _send(self, sender: str, message: bytes) -> None:
        self.messages.append((sender, message))


def sent(session: Session, message_type: MessageType) -> bytes:
    """The message of that type which a step asked to send."""
    return next(out.octets for out in session.outputs if isinstance(out, Send) and out.type is message_type)
