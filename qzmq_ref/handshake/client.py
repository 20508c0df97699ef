"""The client's actions and sends of table `handshake`, in the order in which a handshake meets them."""

from __future__ import annotations

import hmac
from dataclasses import replace

from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid
from qzmq_ref.crypto.aead import Aead
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake import grease, keyschedule
from qzmq_ref.handshake.certificates import build_certificate, trusted_server
from qzmq_ref.handshake.extensions import listed_extensions
from qzmq_ref.handshake.messages import (
    ClientAuth,
    ClientHello,
    ClientKey,
    Finished,
    ServerHello,
    build,
    build_message,
    vector,
)
from qzmq_ref.handshake.outputs import Disclose, Install, Send
from qzmq_ref.handshake.resume import accept_resumption, bound, offer_ticket, send_early
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.registries import VERSION, AeadId, AlertDescription, CipherSuite, ExtensionType, KemId, MessageType

SERVER_CONTEXT = b"QZMQ-v1 server signature\0"
CLIENT_CONTEXT = b"QZMQ-v1 client signature\0"
"""What the signature of either side begins with, so that neither is ever taken for the other (CERT-5)."""


def client_hello(session: Session) -> Session:
    """Offer the policy's suites (POL-2) with a fresh random (HS-8) and GREASE beside them (REG-11)."""
    value = grease.octet(session.entropy)
    hello = ClientHello(
        version=VERSION,
        random=session.entropy(32),
        suites=(*session.configuration.policy.suites, CipherSuite(value, value, value, value)),
        extensions=(grease.extension(session.entropy),),
    )
    session = session.but(client_hello=bound(session, offer_ticket(session, hello)))
    return send_early(session.emit(Send(MessageType.CLIENT_HELLO, session.client_hello)))


def accept_server_hello(session: Session, message: ServerHello) -> Session:
    """HS-2, HS-4, HS-5, REG-7, REG-9, REG-10, and what a ticket changes (RES-10, RES-13, RES-15)."""
    if message.version != VERSION:
        raise Alert(AlertDescription.PROTOCOL_VERSION, "HS-2", f"ServerHello.version is {message.version}")
    if message.suite not in session.configuration.policy.suites:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "HS-4", f"suite {message.suite} was not offered")
    extensions = listed_extensions(message.extensions, MessageType.SERVER_HELLO)
    session = accept_resumption(session, message, extensions)
    if not message.certificate and not session.resumed:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "HS-5", "ServerHello.certificate is empty")
    request = extensions.get(ExtensionType.CLIENT_AUTH_REQUEST)
    algorithms = request.algorithms if request else None
    return session.but(suite=message.suite, requested_signatures=algorithms, server_hello=session.received)


def trust_server(session: Session, message: ServerHello) -> Session:
    """CERT-1 to CERT-3, CERT-7 to CERT-16; of a ticket's certificate too (RES-6)."""
    certificate = known(session.offered).server_certificate if session.resumed else message.certificate
    key = trusted_server(session.configuration, certificate, message.suite.sig)
    return session.but(peer_key=key, peer_certificate=certificate)


def verify_server(session: Session, message: ServerHello) -> Session:
    """HS-6, or RES-11 if the session is resumed."""
    if session.resumed:
        if not hmac.compare_digest(message.signature, server_proof(session, message)):
            raise Alert(AlertDescription.DECRYPT_ERROR, "RES-11", "ServerHello.signature is not the ticket's proof")
        return session
    try:
        known(session.peer_key).verify(message.signature, server_signed(session, message))
    except Invalid as error:
        raise Alert(AlertDescription.DECRYPT_ERROR, "HS-6", f"ServerHello.signature: {error}") from None
    return session


def t_sig(session: Session, hello: ServerHello) -> bytes:
    """T_sig of spec/handshake.md, Transcript."""
    up_to_signature = build_message(MessageType.SERVER_HELLO, replace(hello, signature=b""))[:-2]
    return session.prologue + session.client_hello + up_to_signature


def server_signed(session: Session, hello: ServerHello) -> bytes:
    """The octets that the server's signature covers (HS-6)."""
    return SERVER_CONTEXT + session.hash.digest(t_sig(session, hello))


def server_proof(session: Session, hello: ServerHello) -> bytes:
    """What stands in the signature's place if the session is resumed, by both sides (RES-11)."""
    return keyschedule.psk_mac(session.hash, session.psk, "s_psk_auth", t_sig(session, hello))


def encapsulate(session: Session, message: ServerHello) -> Session:
    """REG-4, REG-6; then the handshake secrets over H1 (KS-3)."""
    mechanism = kem(KemId(session.chosen.kem), session.configuration.provider)
    try:
        ciphertext, secret = mechanism.encapsulate(message.kem_public_key, session.entropy)
    except Invalid as error:
        rule = error.requirement or "REG-4"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, rule, f"ServerHello.kem_public_key: {error}") from None
    session = session.but(kem_ciphertext=ciphertext)
    secrets = keyschedule.handshake_secrets(session.hash, secret, session.h1, session.psk)
    return session.but(secrets=secrets).emit(Disclose("c_hs", secrets.c_hs))


def client_key(session: Session) -> Session:
    """Seal ClientAuth (HS-9) and start generation 1 in the client's direction (KS-4, REC-11)."""
    secrets, h = known(session.secrets), session.hash
    auth = build(_client_auth(session), hash_length=h.length)
    sealed = auth_aead(session).seal(keyschedule.expand(h, secrets.c_hs, "auth_iv"), auth, session.auth_aad)
    octets = build_message(MessageType.CLIENT_KEY, ClientKey(session.kem_ciphertext, sealed))
    session = session.but(client_key=octets)
    generation = keyschedule.first_generation(h, secrets.master, session.t_ck)
    kept = replace(generation, c_ap=b"")
    return session.but(generation=1, generation_secrets=kept, secrets=replace(secrets, master=b"")).emit(
        Send(MessageType.CLIENT_KEY, octets),
        Install("receive", 0, secrets.s_hs),
        Install("send", 1, generation.c_ap),
    )


def auth_aead(session: Session) -> Aead:
    """The AEAD of `sealed_auth` (HS-9), by both sides."""
    key = keyschedule.expand(session.hash, known(session.secrets).c_hs, "auth_key")
    return Aead(AeadId(session.chosen.aead), key)


def client_signed(session: Session, certificate: bytes) -> bytes:
    """The octets that the client's signature covers: context || Hash(H1 || certificate) (HS-13)."""
    return CLIENT_CONTEXT + session.hash.digest(session.h1 + vector(certificate, 3))


def client_mac(session: Session, auth: ClientAuth) -> bytes:
    """verify_data of ClientAuth (HS-14)."""
    covered = build(replace(auth, verify_data=b""), hash_length=0)
    return keyschedule.finished_mac(session.hash, known(session.secrets).c_hs, session.h1 + covered)


def _client_auth(session: Session) -> ClientAuth:
    """Identity, if the server asked for one it can check (POL-5, HS-10), and metadata (HS-17)."""
    key, certificate, signature = session.configuration.key, b"", b""
    if key is not None and key.sig in (session.requested_signatures or ()):
        certificate = build_certificate(key, session.configuration.chain)
        signature = key.sign(client_signed(session, certificate), session.entropy)
    metadata = session.configuration.metadata_octets
    auth = ClientAuth(certificate, signature, metadata, early_count=session.early_records, verify_data=b"")
    return replace(auth, verify_data=client_mac(session, auth))


def verify_finished(session: Session, message: Finished) -> Session:
    """HS-16, SEC-5; then the server's direction enters generation 1 and the handshake secrets go (KS-5)."""
    if not hmac.compare_digest(message.verify_data, server_mac(session, message.metadata)):
        raise Alert(AlertDescription.DECRYPT_ERROR, "HS-16", "Finished.verify_data does not match")
    generation = known(session.generation_secrets)
    kept = replace(generation, s_ap=b"", exp=b"")
    return session.but(secrets=None, generation_secrets=kept, exp=generation.exp).emit(
        Install("receive", 1, generation.s_ap)
    )


def server_mac(session: Session, metadata: bytes) -> bytes:
    """verify_data of Finished, by both sides (HS-16)."""
    covered = session.t_ck + bytes([MessageType.FINISHED]) + vector(metadata, 2)
    return keyschedule.finished_mac(session.hash, known(session.secrets).s_hs, covered)
