"""Worked values of what can come before and after a handshake: a puzzle, tickets, early data, a generation.

Like `examples`, computed by the reference's own machine from fixed seeds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from qzmq_ref.crypto import Entropy
from qzmq_ref.handshake.configuration import Configuration, Role
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import ClientHello, Empty, ServerHello, build
from qzmq_ref.handshake.outputs import Send, TicketReceived
from qzmq_ref.handshake.session import Session
from qzmq_ref.registries import ExtensionType, MessageType
from qzmq_ref.spec.schema import load
from qzmq_ref.tickets import MemoryTickets

_T = TypeVar("_T")

NOON = 1.8e9
"""The wall clock of the example, in seconds."""


def sequels(
    configurations: Mapping[Role, Configuration], prologue: bytes, entropy: Mapping[Role, Entropy]
) -> Mapping[str, bytes]:
    """Structure name -> octets, from sessions between these two configurations."""
    store = MemoryTickets(lambda: NOON)
    made = {}
    for role, configuration in configurations.items():
        policy = replace(configuration.policy, early_data=True, tickets=1)
        made[role] = replace(configuration, policy=policy, tickets=store if role == "server" else None)
    client, server = (Session(made[role], prologue, entropy[role]) for role in ("client", "server"))
    return {"Empty": build(Empty()), **_puzzle(client, server), **_return(client, server)}


def _puzzle(client: Session, server: Session) -> Mapping[str, bytes]:
    policy = replace(server.configuration.policy, retry="always", difficulty=12)
    server = server.but(configuration=replace(server.configuration, policy=policy))
    client = step(client, "(begin)")
    retry = _sent(step(server, "client_hello", client.client_hello[1:], "plain"), MessageType.HELLO_RETRY)
    client = step(client, "hello_retry", retry[1:], "plain")
    hello = load().parse(ClientHello, client.client_hello[1:])
    return {"HelloRetry": retry[1:], "PuzzleSolution": _extension(hello, ExtensionType.COOKIE)}


def _return(client: Session, server: Session) -> Mapping[str, bytes]:
    """A whole handshake, a generation after it, and the beginning of a second handshake with the ticket."""
    first, second = client, server
    client, server = step(client, "(begin)"), server
    server = step(server, "client_hello", client.client_hello[1:], "plain")
    client = step(client, "server_hello", server.server_hello[1:], "plain")
    server = step(server, "client_key", client.client_key[1:], "plain")
    ticket = _sent(server, MessageType.NEW_TICKET)
    client = step(client, "finished", _sent(server, MessageType.FINISHED), "0")
    kept = _output(step(client, "new_ticket", ticket, "1"), TicketReceived).ticket

    again = step(first.but(offered=kept, early=b"\x00\x05hello"), "(begin)")
    answer = step(second, "client_hello", again.client_hello[1:], "plain")

    client = step(client, "(rekey)")
    offer = _sent(client, MessageType.KEY_UPDATE)
    server = step(server, "key_update", offer, "1")
    return {
        "NewTicket": ticket,
        "PreSharedKey": _extension(load().parse(ClientHello, again.client_hello[1:]), ExtensionType.PRE_SHARED_KEY),
        "EarlyDataAnswer": _extension(load().parse(ServerHello, answer.server_hello[1:]), ExtensionType.EARLY_DATA),
        "KeyUpdate": offer,
        "KeyUpdateAck": _sent(server, MessageType.KEY_UPDATE_ACK),
    }


def _sent(session: Session, message_type: MessageType) -> bytes:
    return next(out.octets for out in session.outputs if isinstance(out, Send) and out.type is message_type)


def _output(session: Session, kind: type[_T]) -> _T:
    return next(output for output in session.outputs if isinstance(output, kind))


def _extension(hello: ClientHello | ServerHello, extension_type: ExtensionType) -> bytes:
    return next(each.extension_data for each in hello.extensions if each.extension_type == extension_type)
