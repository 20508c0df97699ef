"""The server's actions and sends of table `handshake`, in the order in which a handshake meets them."""

from __future__ import annotations

import hmac
from dataclasses import replace

from qzmq_ref.alerts import Alert
from qzmq_ref.crypto import Invalid
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake import grease, keyschedule
from qzmq_ref.handshake.certificates import build_certificate, parse_certificate, trusted_client
from qzmq_ref.handshake.client import auth_aead, client_mac, client_signed, server_mac, server_proof, server_signed
from qzmq_ref.handshake.extensions import listed_extensions
from qzmq_ref.handshake.messages import (
    ClientAuth,
    ClientHello,
    ClientKey,
    EarlyDataAnswer,
    Empty,
    Finished,
    ServerHello,
    build,
    build_message,
    parse_structure,
)
from qzmq_ref.handshake.outputs import Disclose, Install, Send
from qzmq_ref.handshake.puzzle import puzzle_is_due
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.registries import (
    VERSION,
    AlertDescription,
    ClientAuthRequest,
    Extension,
    ExtensionType,
    KemId,
    MessageType,
)


def check_client_hello(session: Session, message: ClientHello) -> Session:
    """HS-2, REG-7, REG-8, REG-10; whether ZAP will be asked is decided here (ZAP-1)."""
    if message.version != VERSION:
        raise Alert(AlertDescription.PROTOCOL_VERSION, "HS-2", f"ClientHello.version is {message.version}")
    listed_extensions(message.extensions, MessageType.CLIENT_HELLO)
    return session.but(authorizing=session.configuration.authorizing())


def select_suite(session: Session, message: ClientHello) -> Session:
    """The server's own preference decides (HS-3), unless a ticket did."""
    if session.resumed:
        return session
    configuration = session.configuration
    key = known(configuration.key)
    for suite in configuration.policy.suites:
        if suite in message.suites and suite.sig == key.sig:
            return session.but(suite=suite, client_hello=session.received)
    raise Alert(
        AlertDescription.HANDSHAKE_FAILURE,
        "HS-3",
        "ClientHello.suites has no suite of this server's policy and key",
    )


def generate_kem_key(session: Session, _: ClientHello) -> Session:
    """HS-7."""
    chosen = KemId(session.chosen.kem)
    return session.but(prepared=None) if session.prepared is chosen else _with_kem_key(session, chosen)


def prepare_kem_key(session: Session) -> Session:
    """Make the key pair of this handshake before the client has spoken, for the KEM that the server prefers, unless a
    puzzle comes first (PUZ-1). If the client wants another KEM, it is dropped unused."""
    configuration = session.configuration
    waiting = configuration.role == "server" and session.state == "start" and session.prepared is None
    if not waiting or puzzle_is_due(session):
        return session
    preferred = next(suite for suite in configuration.policy.suites if suite.sig == known(configuration.key).sig)
    return _with_kem_key(session, KemId(preferred.kem)).but(prepared=KemId(preferred.kem))


def _with_kem_key(session: Session, kem_id: KemId) -> Session:
    return session.but(kem_key=kem(kem_id, session.configuration.provider).generate(session.entropy))


def server_hello(session: Session) -> Session:
    """Show the KEM key and the long-term key and sign all that was said (HS-6), or prove the ticket (RES-11)."""
    key = known(session.configuration.key)
    if (session.configuration.asks_clients or session.authorizing) and not session.resumed:
        session = session.but(requested_signatures=session.configuration.policy.client_signatures)
    hello = ServerHello(
        version=VERSION,
        random=session.entropy(32),
        suite=session.chosen,
        kem_public_key=known(session.kem_key).public_key,
        certificate=b"" if session.resumed else build_certificate(key, session.configuration.chain),
        extensions=_hello_extensions(session),
        signature=b"",
    )
    if session.resumed:
        hello = replace(hello, signature=server_proof(session, hello))
    else:
        hello = replace(hello, signature=key.sign(server_signed(session, hello), session.entropy))
    octets = build_message(MessageType.SERVER_HELLO, hello)
    return session.but(server_hello=octets).emit(Send(MessageType.SERVER_HELLO, octets))


def _hello_extensions(session: Session) -> tuple[Extension, ...]:
    """What ServerHello says of the ticket and of early data (RES-10, RES-15), or asks of the client (REG-12)."""
    found = []
    if session.resumed:
        found.append(Extension(ExtensionType.PRE_SHARED_KEY, build(Empty())))
    if session.early_status is not None:
        found.append(Extension(ExtensionType.EARLY_DATA, build(EarlyDataAnswer(session.early_status))))
    if session.requested_signatures is not None:
        request = ClientAuthRequest((*session.requested_signatures, grease.octet(session.entropy)))
        found.append(Extension(ExtensionType.CLIENT_AUTH_REQUEST, build(request)))
    return tuple(found)


def decapsulate(session: Session, message: ClientKey) -> Session:
    """REG-5, REG-6; then the handshake secrets over H1 (KS-3). From here on the server's alerts are sealed (ALR-2)."""
    try:
        secret = known(session.kem_key).decapsulate(message.kem_ciphertext)
    except Invalid as error:
        rule = error.requirement or "REG-5"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, rule, f"ClientKey.kem_ciphertext: {error}") from None
    session = session.but(kem_key=None, kem_ciphertext=message.kem_ciphertext, client_key=session.received)
    secrets = keyschedule.handshake_secrets(session.hash, secret, session.h1, session.psk)
    return session.but(secrets=secrets).emit(Install("send", 0, secrets.s_hs), Disclose("c_hs", secrets.c_hs))


def open_client_auth(session: Session, message: ClientKey) -> Session:
    """HS-9; implicit rejection of ML-KEM shows here."""
    secrets, h = known(session.secrets), session.hash
    try:
        nonce = keyschedule.expand(h, secrets.c_hs, "auth_iv")
        opened = auth_aead(session).open(nonce, message.sealed_auth, session.auth_aad)
    except Invalid:
        raise Alert(AlertDescription.DECRYPT_ERROR, "HS-9", "ClientKey.sealed_auth does not open") from None
    return session.but(client_auth=parse_structure("ClientAuth", opened, "REG-2", h.length))


def verify_client(session: Session, _: ClientKey) -> Session:
    """HS-10 to HS-15."""
    auth = known(session.client_auth)
    session = _verify_client_signature(session, auth)
    if not hmac.compare_digest(auth.verify_data, client_mac(session, auth)):
        raise Alert(AlertDescription.DECRYPT_ERROR, "HS-14", "ClientAuth.verify_data does not match")
    if auth.early_count != session.early_records:
        detail = f"ClientAuth.early_count is {auth.early_count}, received were {session.early_records}"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "HS-15", detail)
    return session


def _verify_client_signature(session: Session, auth: ClientAuth) -> Session:
    """HS-10 to HS-13, ZAP-2, with the form of the certificate (CERT-1, CERT-2, CERT-7)."""
    requested = session.requested_signatures
    if requested is None and auth.certificate:
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "HS-10", "ClientAuth.certificate was not asked for")
    if bool(auth.certificate) != bool(auth.signature):
        detail = "ClientAuth has one of certificate and signature without the other"
        raise Alert(AlertDescription.ILLEGAL_PARAMETER, "HS-11", detail)
    if not auth.certificate:
        if session.configuration.asks_clients and not session.resumed:
            raise Alert(AlertDescription.CERTIFICATE_REQUIRED, "HS-12", "ClientAuth.certificate is empty")
        return session
    key = parse_certificate(auth.certificate, known(requested), session.configuration.provider).key
    try:
        key.verify(auth.signature, client_signed(session, auth.certificate))
    except Invalid as error:
        raise Alert(AlertDescription.DECRYPT_ERROR, "HS-13", f"ClientAuth.signature: {error}") from None
    return session.but(peer_key=key, peer_certificate=auth.certificate)


def trust_client(session: Session, _: ClientKey) -> Session:
    """CERT-4, CERT-8 to CERT-15. A ticket was only taken because its certificate passed (RES-6)."""
    if session.configuration.asks_clients and not session.resumed:
        trusted_client(session.configuration, session.peer_certificate)
    return session


def finished(session: Session) -> Session:
    """Generation 0's one record, then generation 1 in both directions (HS-16, REC-11, KS-4, KS-5)."""
    h, secrets = session.hash, known(session.secrets)
    metadata = session.configuration.metadata_octets
    message = build(Finished(metadata, server_mac(session, metadata)), hash_length=h.length)
    generation = keyschedule.first_generation(h, secrets.master, session.t_ck)
    kept = replace(generation, c_ap=b"", s_ap=b"", exp=b"")
    session = session.but(secrets=None, client_auth=None, generation=1, generation_secrets=kept, exp=generation.exp)
    return session.emit(
        Send(MessageType.FINISHED, message),
        Install("send", 1, generation.s_ap),
        Install("receive", 1, generation.c_ap),
    )
