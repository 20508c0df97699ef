"""The peer in its two roles. Each method is one honest step of the handshake; deviations happen inside `shape`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import ClassVar

from qzmq_conformance.case import Failed
from qzmq_conformance.peer import Peer
from qzmq_conformance.sealing import Sealer, sealer
from qzmq_ref.crypto.hash import HashFunction
from qzmq_ref.handshake import client, keyschedule, resume, server
from qzmq_ref.handshake.certificates import build_certificate
from qzmq_ref.handshake.messages import (
    ClientAuth,
    ClientHello,
    ClientKey,
    EarlyDataAnswer,
    Empty,
    Finished,
    NewTicket,
    ServerHello,
    build,
    parse_body,
)
from qzmq_ref.handshake.outputs import ReceiveEarly, Send, TicketReceived
from qzmq_ref.handshake.session import known
from qzmq_ref.handshake.tickets import EARLY_STREAM, ClientTicket
from qzmq_ref.metadata import build_metadata
from qzmq_ref.records import OVERHEAD, RecordReader
from qzmq_ref.registries import (
    VERSION,
    CipherSuite,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    HashId,
    MessageType,
)

GREASE = 0x5A
"""The GREASE octet (RFC 8701) of the honest peer."""

Early = Callable[[Sealer], bytes]
"""Makes one early record."""


class ClientPeer(Peer):
    """The client, against a target that is the server."""

    states: ClassVar[tuple[str, ...]] = ("start", "wait_client_key", "established")
    early: tuple[Early, ...] = ()
    tickets: tuple[TicketReceived, ...] = ()

    def offer(self, ticket: ClientTicket, *early: Early) -> None:
        """Come back with this ticket, and with early records if there are any."""
        self.early = early
        self.session = self.session.but(offered=ticket, early=b"announced" if early else b"")

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
        """Offers the suites of the policy, and GREASE beside them (REG-11); then a ticket and early data, if any."""
        suites = (*self.session.configuration.policy.suites, CipherSuite(GREASE, GREASE, GREASE, GREASE))
        extensions = (Extension(GREASE << 8 | GREASE, b"GREASE"),)
        hello = ClientHello(VERSION, self.session.entropy(32), suites, extensions)
        _, octets = self.shape(resume.offer_ticket(self.session, hello), authenticate=self.bind)
        self.send_hello(octets)
        self.send_early()

    def send_hello(self, octets: bytes) -> None:
        """Sends a ClientHello; the last one sent is in the transcript (PUZ-6)."""
        message = bytes([MessageType.CLIENT_HELLO]) + octets
        self.session = self.session.but(client_hello=message)
        self.send_message(message)

    def bind(self, hello: ClientHello) -> ClientHello:
        """The hello with its binder computed, if a ticket stands last (RES-9)."""
        if not hello.extensions or hello.extensions[-1].extension_type != ExtensionType.PRE_SHARED_KEY:
            return hello
        bound: ClientHello = parse_body(MessageType.CLIENT_HELLO, resume.bound(self.session, hello)[1:])
        return bound

    def send_early(self) -> None:
        """The early records, right behind ClientHello (RES-14)."""
        if self.early:
            ticket = known(self.session.offered)
            secret = resume.early_traffic(HashFunction(HashId(ticket.suite.hash)), ticket.psk, self.session)
            sealing = sealer(ticket.suite, secret, 0)
            for record in self.early:
                self.send_message(record(sealing))
            self.session = self.session.but(early_records=len(self.early))

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
        self.session = self.session.but(generation=1, generation_secrets=self.generation)
        self.reader = RecordReader(self.session.chosen, secrets.s_hs, 0)
        self.sealer = sealer(self.session.chosen, self.generation.c_ap, 1)
        return message, auth

    def makeshift_sealer(self) -> Sealer:
        """The keys that the target will derive from the ClientKey that it has not got yet, if there are any."""
        if self.session.secrets is None:
            return super().makeshift_sealer()
        self.make_client_key()
        return known(self.sealer)

    def client_auth(self) -> bytes:
        """ClientAuth with what the server asked for."""
        key = self.session.configuration.key
        asked = key is not None and key.sig in (self.session.requested_signatures or ())
        certificate = build_certificate(known(key)) if asked else b""
        metadata = build_metadata(self.session.configuration.metadata)
        auth = ClientAuth(certificate, b"", metadata, self.session.early_records, b"")
        return self.shape(auth, self._sign, self._authenticate)[1]

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
        self.session = self.session.but(peer_metadata=message.metadata)
        known(self.reader).install(known(self.generation).s_ap, 1)

    def keep_ticket(self, ticket: NewTicket) -> None:
        """As a client that keeps all of them (RES-1, RES-2)."""
        received = resume.accept_ticket(self.session.but(outputs=()), ticket).outputs
        self.tickets += tuple(output for output in received if isinstance(output, TicketReceived))


class ServerPeer(Peer):
    """The server, against a target that is the client."""

    states: ClassVar[tuple[str, ...]] = ("wait_server_hello", "wait_finished", "established")
    early: tuple[bytes, ...] = ()
    early_seen: int = 0

    def steps(self) -> tuple[Callable[[], None], ...]:
        return self.begin, self.answer_hello, self.send_finished

    def speak(self, state: str) -> None:
        {"wait_server_hello": self.send_server_hello, "wait_finished": self.send_finished}[state]()

    def begin(self) -> None:
        """Greetings both ways, ClientHello in."""
        self.greet()
        self.take_hello(self.read(MessageType.CLIENT_HELLO))

    def take_hello(self, message: ClientHello) -> None:
        """Takes the ticket if there is one that holds, then does what a server must."""
        for action in (server.check_client_hello, resume.resume, server.select_suite, server.generate_kem_key):
            self.session = action(self.session, message)

    def answer_hello(self) -> None:
        """ServerHello out, ClientKey in."""
        self.send_server_hello()
        self.read_client_key()

    def send_server_hello(self) -> None:
        """Signs the choice, or proves the ticket."""
        hello = ServerHello(
            version=VERSION,
            random=self.session.entropy(32),
            suite=self.session.chosen,
            kem_public_key=known(self.session.kem_key).public_key,
            certificate=b"" if self.session.resumed else build_certificate(known(self.session.configuration.key)),
            extensions=tuple(self._extensions()),
            signature=b"",
        )
        message = bytes([MessageType.SERVER_HELLO]) + self.shape(hello, self._sign)[1]
        self.session = self.session.but(server_hello=message)
        self.send_message(message)

    def _extensions(self) -> Iterator[Extension]:
        """What became of the ticket and of early data; the question for the client's key if the configuration has a
        list of authorised ones."""
        session, policy = self.session, self.session.configuration.policy
        if session.resumed:
            yield Extension(ExtensionType.PRE_SHARED_KEY, build(Empty()))
        if session.early_status is not None:
            yield Extension(ExtensionType.EARLY_DATA, build(EarlyDataAnswer(session.early_status)))
        if session.configuration.client_pins is not None and not session.resumed:
            self.session = session.but(requested_signatures=policy.client_signatures)
            yield Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(ClientAuthRequest(policy.client_signatures)))

    def _sign(self, hello: ServerHello) -> ServerHello:
        if self.session.resumed:
            return replace(hello, signature=client.server_proof(self.session, hello))
        return replace(hello, signature=self.sign(client.server_signed(self.session, hello)))

    def read_early(self) -> tuple[int, bytes]:
        """The next message that is no early record; those before it are opened and kept (RES-14, RES-16)."""
        reader = next(
            (
                RecordReader(output.suite, output.secret, 0, EARLY_STREAM)
                for output in self.session.outputs
                if isinstance(output, ReceiveEarly)
            ),
            None,
        )
        kind, body = self.read_message()
        while kind == MessageType.DATA and self.session.early_status is not None:
            octets = bytes(max(0, 1 + len(body) - OVERHEAD))
            if reader:
                out = memoryview(bytearray(octets))
                reader.open_into(memoryview(bytes([kind]) + body), out)
                octets = bytes(out)
                self.early += (octets,)
            self.early_seen += 1
            self.session = resume.discard_early(self.session, octets)
            kind, body = self.read_message()
        return kind, body

    def read_client_key(self) -> None:
        """Checks the target's ClientKey as a server must and derives generation 1."""
        message: ClientKey = self.parse(MessageType.CLIENT_KEY, *self.read_early())
        for check in (server.decapsulate, server.open_client_auth, server.verify_client, server.trust_client):
            self.session = check(self.session, message)
        told = known(self.session.client_auth).metadata
        self.check_metadata(told)
        if self.session.resumed and told != self.session.peer_metadata:
            raise Failed(f"metadata {told.hex()}", f"that of the ticket (RES-7), {self.session.peer_metadata.hex()}")
        self.session = self.session.but(peer_metadata=told)
        secrets = known(self.session.secrets)
        self.generation = keyschedule.first_generation(self.session.hash, secrets.master, self.session.t_ck)
        self.session = self.session.but(generation=1, generation_secrets=self.generation)
        self.reader = RecordReader(self.session.chosen, self.generation.c_ap, 1)
        self.sealer = sealer(self.session.chosen, secrets.s_hs, 0)

    def send_finished(self) -> None:
        """Finished as generation 0, record 0; generation 1 from then on."""
        metadata = build_metadata(self.session.configuration.metadata)
        self.send_sealed(MessageType.FINISHED, self.shape(Finished(metadata, b""), authenticate=self._authenticate)[1])
        known(self.sealer).install(known(self.generation).s_ap, 1)

    def _authenticate(self, finished: Finished) -> Finished:
        return replace(finished, verify_data=client.server_mac(self.session, finished.metadata))

    def issue(self) -> None:
        """Sends the tickets of the policy (RES-1)."""
        self.session = resume.new_tickets(self.session.but(outputs=()))
        for output in self.session.outputs:
            if isinstance(output, Send):
                ticket: NewTicket = parse_body(MessageType.NEW_TICKET, output.octets)
                self.send_sealed(MessageType.NEW_TICKET, self.shape(ticket)[1])
