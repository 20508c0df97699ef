"""The peer in its two roles. Each method is one honest step of the handshake; deviations happen inside `shape`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

from qzmq_conformance.peer import Peer
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_ref.handshake import client, keyschedule, server
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.messages import ClientAuth, ClientHello, ClientKey, Finished, ServerHello, build
from qzmq_ref.handshake.session import known
from qzmq_ref.metadata import build_metadata
from qzmq_ref.records import RecordReader
from qzmq_ref.registries import VERSION, CipherSuite, ClientAuthRequest, Extension, ExtensionType, MessageType

GREASE = 0x5A
"""The GREASE octet (RFC 8701) of the honest peer."""


class ClientPeer(Peer):
    """The client, against a target that is the server."""

    states: ClassVar[tuple[str, ...]] = ("start", "wait_client_key", "established")

    def steps(self) -> tuple[Callable[[], None], ...]:
        return self.greet, self.exchange_hellos, self.exchange_keys

    def speak(self, state: str) -> None:
        {"start": self.send_client_hello, "wait_client_key": self.send_client_key}[state]()

    def exchange_hellos(self) -> None:
        """ClientHello out, ServerHello in."""
        self.send_client_hello()
        self.encapsulate(self.read_server_hello())

    def exchange_keys(self) -> None:
        """ClientKey out, Finished in."""
        self.send_client_key()
        self.read_finished()

    def send_client_hello(self) -> None:
        """Offers the suites of the policy, and GREASE beside them (REG-11)."""
        suites = (*self.session.configuration.policy.suites, CipherSuite(GREASE, GREASE, GREASE, GREASE))
        extensions = (Extension(GREASE << 8 | GREASE, b"GREASE"),)
        _, octets = self.shape(ClientHello(VERSION, self.session.entropy(32), suites, extensions))
        message = bytes([MessageType.CLIENT_HELLO]) + octets
        self.session = self.session.but(client_hello=message)
        self.send_message(message)

    def read_server_hello(self) -> ServerHello:
        """Checks the target's ServerHello as a client must."""
        message: ServerHello = self.read(MessageType.SERVER_HELLO)
        for check in (client.accept_server_hello, client.trust_server, client.verify_server):
            self.session = check(self.session, message)
        return message

    def encapsulate(self, message: ServerHello) -> None:
        """Derives the handshake secrets."""
        self.session = client.encapsulate(self.session, message)

    def send_client_key(self) -> None:
        """Sends ClientKey and enters generation 1."""
        message, auth = self.make_client_key()
        self.send_message(message, auth)

    def make_client_key(self) -> tuple[bytes, bytes]:
        """ClientKey, with the ClientAuth sealed in it; from here on the peer has all keys."""
        secrets = known(self.session.secrets)
        auth = self.client_auth()
        nonce = keyschedule.expand(self.session.hash, secrets.c_hs, "auth_iv")
        sealed = client.auth_aead(self.session).seal(nonce, auth, self.session.auth_aad)
        _, octets = self.shape(ClientKey(self.session.kem_ciphertext, sealed))
        message = bytes([MessageType.CLIENT_KEY]) + octets
        self.session = self.session.but(client_key=message)
        self.generation = keyschedule.first_generation(self.session.hash, secrets.master, self.session.t_ck)
        self.session = self.session.but(generation=self.generation)
        self.reader = RecordReader(self.session.chosen, secrets.s_hs, 0)
        self.sealer = sealer(self.session.chosen, self.generation.c_ap, 1)
        return message, auth

    def early_sealer(self) -> Sealer:
        """The keys that the target will derive from the ClientKey that it has not got yet, if there are any."""
        if self.session.secrets is None:
            return super().early_sealer()
        self.make_client_key()
        return known(self.sealer)

    def client_auth(self) -> bytes:
        """ClientAuth with what the server asked for."""
        key = self.session.configuration.key
        asked = key is not None and key.sig in (self.session.requested_signatures or ())
        certificate = build_certificate(known(key)) if asked else b""
        metadata = build_metadata(self.session.configuration.metadata)
        return self.shape(ClientAuth(certificate, b"", metadata, 0, b""), self._sign, self._authenticate)[1]

    def _sign(self, auth: ClientAuth) -> ClientAuth:
        if self.session.configuration.key is None or not auth.certificate:
            return auth
        return replace(auth, signature=self.sign(client.client_signed(self.session, auth.certificate)))

    def _authenticate(self, auth: ClientAuth) -> ClientAuth:
        return replace(auth, verify_data=client.client_mac(self.session, auth))

    def read_finished(self) -> None:
        """Checks the target's Finished; its next record is of generation 1."""
        message: Finished = self.read(MessageType.FINISHED)
        self.session = client.verify_finished(self.session, message)
        self.check_metadata(message.metadata)
        known(self.reader).install(known(self.generation).s_ap, 1)


class ServerPeer(Peer):
    """The server, against a target that is the client."""

    states: ClassVar[tuple[str, ...]] = ("wait_server_hello", "wait_finished", "established")

    def steps(self) -> tuple[Callable[[], None], ...]:
        return self.begin, self.answer_hello, self.send_finished

    def speak(self, state: str) -> None:
        {"wait_server_hello": self.send_server_hello, "wait_finished": self.send_finished}[state]()

    def begin(self) -> None:
        """Greetings both ways, ClientHello in."""
        self.greet()
        message: ClientHello = self.read(MessageType.CLIENT_HELLO)
        self.session = server.generate_kem_key(server.select_suite(self.session, message), message)

    def answer_hello(self) -> None:
        """ServerHello out, ClientKey in."""
        self.send_server_hello()
        self.read_client_key()

    def send_server_hello(self) -> None:
        """Signs the choice; asks for the client's key if the configuration has a list of authorised ones."""
        configuration = self.session.configuration
        extensions: tuple[Extension, ...] = ()
        if configuration.client_pins is not None:
            self.session = self.session.but(requested_signatures=configuration.policy.client_signatures)
            request = ClientAuthRequest(configuration.policy.client_signatures)
            extensions = (Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(request)),)
        hello = ServerHello(
            version=VERSION,
            random=self.session.entropy(32),
            suite=self.session.chosen,
            kem_public_key=known(self.session.kem_key).public_key,
            certificate=build_certificate(known(configuration.key)),
            extensions=extensions,
            signature=b"",
        )
        message = bytes([MessageType.SERVER_HELLO]) + self.shape(hello, self._sign)[1]
        self.session = self.session.but(server_hello=message)
        self.send_message(message)

    def _sign(self, hello: ServerHello) -> ServerHello:
        return replace(hello, signature=self.sign(client.server_signed(self.session, hello)))

    def read_client_key(self) -> None:
        """Checks the target's ClientKey as a server must and derives generation 1."""
        message: ClientKey = self.read(MessageType.CLIENT_KEY)
        for check in (server.decapsulate, server.open_client_auth, server.verify_client, server.trust_client):
            self.session = check(self.session, message)
        self.check_metadata(known(self.session.client_auth).metadata)
        secrets = known(self.session.secrets)
        self.generation = keyschedule.first_generation(self.session.hash, secrets.master, self.session.t_ck)
        self.reader = RecordReader(self.session.chosen, self.generation.c_ap, 1)
        self.sealer = sealer(self.session.chosen, secrets.s_hs, 0)

    def send_finished(self) -> None:
        """Finished as generation 0, record 0; generation 1 from then on."""
        metadata = build_metadata(self.session.configuration.metadata)
        self.send_sealed(MessageType.FINISHED, self.shape(Finished(metadata, b""), authenticate=self._authenticate)[1])
        known(self.sealer).install(known(self.generation).s_ap, 1)

    def _authenticate(self, finished: Finished) -> Finished:
        return replace(finished, verify_data=client.server_mac(self.session, finished.metadata))
