"""The worked examples of the pages are today's, whole, and what two connections really exchange (NOT-12)."""

from __future__ import annotations

from qzmq_ref import examples
from qzmq_ref.connection import Connection, Received
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.spec.notation import Struct
from qzmq_ref.spec.tables import specification
from qzmq_ref.zmtp import ZmtpBinding

ROLES: tuple[Role, ...] = ("client", "server")


def test_every_example_is_fresh() -> None:
    assert examples.refresh(write=False) == [], "run `qzmq spec examples write` and look at the difference"


def test_a_stale_example_is_found_and_rewritten() -> None:
    page = specification().pages["registries"]
    stale = page.replace("x25519_ml_kem_768\n    1  01", "x25519\n    1  01")
    assert stale != page
    assert examples.rewritten(stale) == page


def test_every_structure_has_an_example() -> None:
    structures = {name for name, definition in specification().definitions.items() if isinstance(definition, Struct)}
    marks = (mark for page in specification().pages.values() for mark in examples.MARKS.findall(page))
    shown = {name for _, names, _ in marks for name in names.split()}
    assert structures == set(examples.structures())
    assert structures <= shown
    assert shown - structures == {"data", "handshake", "raw-greeting"}


def test_two_connections_with_the_same_entropy_exchange_the_same_octets() -> None:
    client, server = (connection(role) for role in ROLES)
    sent = {"client": b"", "server": b""}
    for _ in range(5):
        to_server, to_client = client.data_to_send(), server.data_to_send()
        sent["client"] += to_server
        sent["server"] += to_client
        server.receive(to_server)
        client.receive(to_client)
    session, greetings = examples.worked(), examples.prologue()
    assert sent["client"] == greetings[:64] + framed(session.client_hello) + framed(session.client_key)
    assert sent["server"] == greetings[64:] + framed(session.server_hello) + framed(session.finished_record)
    assert server.receive(framed(session.data_record)) == [Received(examples.DATA)]


def connection(role: Role) -> Connection:
    entropy = examples.seeded(role)
    return Connection(examples.configuration(role), ZmtpBinding(role), entropy=entropy, clock=lambda: 0.0)


def framed(message: bytes) -> bytes:
    return ZmtpBinding("client").header(len(message)) + message
