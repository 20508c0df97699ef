"""Scenarios about who is there: keys, pins, ZAP, and certificates of an authority."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import replace

from qzmq_conformance import chains
from qzmq_conformance.case import Failed
from qzmq_conformance.keys import as_client, as_server, key, seed
from qzmq_conformance.security import Security
from qzmq_interop.matrix.encounter import PATIENCE, greet, speak
from qzmq_interop.matrix.scenario import CLIENT, SERVER, Check, Played, Scenario, Secure, mutual
from qzmq_interop.matrix.wire import Connection, hopeless
from qzmq_ref import z85
from qzmq_ref.handshake.certificates import CertificateType
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.policy import Policy
from qzmq_ref.registries import MessageType, SigId


def _anonymous(policy: Policy) -> tuple[Security, Security]:
    return as_server(SERVER, policy), as_client("", policy, SERVER)


def _stranger(policy: Policy) -> tuple[Security, Security]:
    return as_server(SERVER, policy, CLIENT), as_client("interop stranger", policy, SERVER)


def _impostor(policy: Policy) -> tuple[Security, Security]:
    return as_server("interop impostor", policy, CLIENT), as_client(CLIENT, policy, SERVER)


def _zap(status: str) -> Secure:
    def judged(policy: Policy) -> tuple[Security, Security]:
        server, client = mutual(policy)
        return replace(server, zap=status), client

    return judged


def _certified(server_name: str = chains.NAME, clients_root: str = "root") -> Secure:
    """Both have certificates; the client wants the server of that name, and its own come from that root."""

    def both(policy: Policy) -> tuple[Security, Security]:
        sig = policy.signature
        ca, shown = _chain("server", sig, "root")
        _, clients = _chain("client", sig, clients_root)
        server = Security(policy, server=True, secret_key=_secret("server"), ca=ca, certificate=shown)
        client = Security(policy, server=False, secret_key=_secret("client"), ca=ca, certificate=clients)
        return server, replace(client, server_name=server_name)

    return both


def _chain(role: str, sig: SigId, root: str) -> tuple[str, str]:
    """The root's certificate and what a leaf of it shows: its own and the one in between. PEM."""
    shapes = (chains.LEAVES[role], chains.MIDDLE, chains.ROOT.but(name=root))
    *shown, authority = chains.chain_of(time.time(), *(shape.but(sig=sig) for shape in shapes))
    return ssl.DER_cert_to_PEM_cert(authority), "".join(map(ssl.DER_cert_to_PEM_cert, shown))


def _secret(name: str) -> str:
    return z85.encode(seed(name)).decode()


# ---------------------------------------------------------------------- what must come of it


def _refused_by(role: Role) -> Check:
    """That side ends the session with an alert, and neither application hears anything."""

    def check(played: Played) -> None:
        deadline = time.monotonic() + PATIENCE
        wire = played.look()
        while not any(_alerts(connection, role) for connection in wire):
            if time.monotonic() > deadline or hopeless(wire):
                raise Failed(hopeless(wire) or f"no alert within {PATIENCE:.0f} s", f"the {role} refuses its peer")
            time.sleep(0.02)
            wire = played.look()
        for end in (played.encounter.binder, played.encounter.connector):
            try:
                heard = end.application.receive(within=0.05)
            except Failed:
                continue
            raise Failed(f"the {end.name} heard {heard!r} of a peer that is refused", "nothing")

    return check


def _alerts(connection: Connection, role: Role) -> bool:
    sent = connection.client if role == "client" else connection.server
    return any(message.kind in (MessageType.ALERT, MessageType.SEALED_ALERT) for message in sent)


def _named(played: Played) -> None:
    """Each application reads the other's pin and the suite; the server's also the user id."""
    _expect_names(played, server=SERVER, client=CLIENT)


def _certificates_named(played: Played) -> None:
    """A peer with a certificate is known by its key all the same."""
    _expect_names(played, server="server", client="client")


def _certificates_shown(played: Played) -> None:
    """The server has shown a certificate; what the client shows is sealed."""
    shown = [connection.server_certificate for connection in played.look()]
    if any(certificate[:1] != bytes([CertificateType.X509]) for certificate in shown):
        raise Failed(f"certificates of type {[each[:1].hex() for each in shown]}", "x509 (01)")


def _expect_names(played: Played, *, server: str, client: str) -> None:
    suite = str(played.policy.suites[0])
    pins = {name: z85.encode(key(name, played.policy.signature).pin).decode() for name in (server, client)}
    _expect_properties("client", played, {"X-QZMQ-Peer": pins[server], "X-QZMQ-Suite": suite})
    _expect_properties("server", played, {"X-QZMQ-Peer": pins[client], "X-QZMQ-Suite": suite, "User-Id": pins[client]})


def _judged(played: Played) -> None:
    _expect_properties("server", played, {"User-Id": "judged"})


def _expect_properties(role: Role, played: Played, expected: Mapping[str, str]) -> None:
    heard = played.heard_by(role)
    found = {name: heard.get(name) for name in expected}
    if found != expected:
        raise Failed(f"the {role}'s application reads {found}", str(expected))


PROPERTIES = ("properties",)
SCENARIOS = (
    Scenario("anonymous", "authentication", greet, secure=_anonymous),
    Scenario("stranger", "authentication", speak, _refused_by("server"), _stranger),
    Scenario("impostor", "authentication", speak, _refused_by("client"), _impostor),
    Scenario("properties", "authentication", greet, _named, claims=PROPERTIES),
    Scenario("x509", "X.509", greet, _certificates_shown, _certified()),
    Scenario("x509-properties", "X.509", greet, _certificates_named, _certified(), claims=PROPERTIES),
    Scenario("x509-other-name", "X.509", speak, _refused_by("client"), _certified(server_name="other.example")),
    Scenario("x509-other-authority", "X.509", speak, _refused_by("server"), _certified(clients_root="other root")),
    Scenario("zap-admits", "ZAP", greet, secure=_zap("200")),
    Scenario("zap-properties", "ZAP", greet, _judged, _zap("200"), claims=PROPERTIES),
    Scenario("zap-refuses", "ZAP", speak, _refused_by("server"), _zap("400")),
)
