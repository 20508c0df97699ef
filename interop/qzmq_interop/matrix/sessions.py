"""Scenarios about sessions: keys that change, coming back, and what a policy asks for."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise

from qzmq_conformance.case import Failed
from qzmq_conformance.keys import key
from qzmq_conformance.security import Security
from qzmq_interop.matrix.encounter import (
    PATIENCE,
    PAUSE,
    RECONNECT_IVL,
    chatter,
    dialogue,
    find_again,
    greet,
    impatient_visit,
    return_visit,
    there_and_back,
)
from qzmq_interop.matrix.scenario import CLIENT, SERVER, Missed, Played, Scenario, mutual
from qzmq_interop.matrix.wire import ROLES
from qzmq_ref import z85
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.policy import Limits, Policy, mode_of
from qzmq_ref.records import OVERHEAD
from qzmq_ref.registries import AeadId, MessageType

STEP_RECORDS = 8
GENERATION_SECONDS = 0.25
PADDING = 256  # octets
LABEL, CONTEXT, LENGTH = "interop", b"context", 48

# ---------------------------------------------------------------------- keys that change


def _steps(played: Played) -> None:
    """Both sides step, one step at a time, within one generation."""
    (connection,) = played.look()
    for role in ROLES:
        steps = [step for generation, step in connection.epochs(role) if generation]
        if max(steps, default=0) < 2 or any(after - before not in (0, 1) for before, after in pairwise(steps)):
            raise Failed(f"the {role}'s steps: {steps}", f"a step after {STEP_RECORDS} records")


def _generations(played: Played) -> None:
    """Both sides go through several generations, each with a key exchange of its own."""
    (connection,) = played.look()
    exchanges = len(connection.of(MessageType.KEY_UPDATE_ACK))
    for role in ROLES:
        reached = max((generation for generation, _ in connection.epochs(role)), default=0)
        if reached < 3 or exchanges < reached - 1:
            seen = f"the {role} reached generation {reached} with {exchanges} key exchanges"
            raise Failed(seen, f"a generation each {GENERATION_SECONDS} s, for a second")


def _rekeyed(played: Played) -> None:
    """Each side takes a step when asked, and has a new generation come about."""
    for role in ROLES:
        played.end(role).application.rekey(generation=False)
        there_and_back(played.encounter, b"a step")
        if not any(step for _, step in played.look()[0].epochs(role)):
            raise Failed(f"no step of the {role}, which was asked to take one", "a step")
    for number, role in enumerate(ROLES, 2):
        played.end(role).application.rekey(generation=True)
        _await_generation(played, role, number)


def _await_generation(played: Played, asked: Role, number: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while any(max(played.look()[0].epochs(role))[0] < number for role in ROLES):
        if time.monotonic() > deadline:
            raise Failed(
                f"no generation {number}, for which the {asked} was asked", "a new generation in both directions"
            )
        there_and_back(played.encounter, b"a generation")
        time.sleep(PAUSE)
    there_and_back(played.encounter, b"both have read records of it")  # before that nobody may ask for the next


def _exported(played: Played) -> None:
    """Both sides export the same, and something else for another label."""
    client, server = (played.end(role).application.export(LABEL, CONTEXT, LENGTH) for role in ROLES)
    if client != server or len(client) != LENGTH:
        raise Failed(f"{client.hex()} of the client, {server.hex()} of the server", f"the same {LENGTH} octets")
    if played.end("client").application.export(f"other {LABEL}", CONTEXT, LENGTH) == client:
        raise Failed("the same octets for another label", "other ones")


def _told(played: Played) -> None:
    """Both adapters tell of the handshake what it was."""
    suite = played.policy.suites[0]
    for role, other in zip(ROLES, (SERVER, CLIENT), strict=True):
        told = played.end(role).application.await_event("established")
        expected = {
            "suite": str(suite).lower(),
            "mode": mode_of(suite),
            "peer": z85.encode(key(other, played.policy.signature).pin).decode(),
            "resumed": False,
        }
        if (found := {name: told.get(name) for name in expected}) != expected:
            raise Failed(f"the {role}'s adapter tells of {found}", str(expected))


# ---------------------------------------------------------------------- coming back


def _resumed(played: Played) -> None:
    """The last connection is resumed, the first one is not."""
    first, *_, last = played.look()
    if first.resumed or not last.resumed:
        offered = "with" if last.offered else "without"
        raise Failed(f"a full handshake, {offered} a ticket in ClientHello", "a resumed session")


def _not_resumed(played: Played) -> None:
    """A client that may not offer its ticket comes back by a full handshake."""
    played.end("client").application.resume(ticket=False)
    played.encounter.relay.cut()
    find_again(played.encounter)
    if played.look()[-1].offered:
        raise Failed("a ticket in ClientHello", "none, for the application has forbidden it")


def _spoke_early(played: Played) -> None:
    """The application's octets came in the first flight."""
    _resumed(played)
    last = played.look()[-1]
    if not any(message.early for message in last.client):
        raise Missed(f"no early record: {last}", "the application's octets in the first flight")


# ---------------------------------------------------------------------- the rest


def _puzzled(played: Played) -> None:
    (connection,) = played.look()
    if not connection.of(MessageType.HELLO_RETRY):
        raise Failed(f"no hello_retry: {connection}", "a puzzle")


def _padded(played: Played) -> None:
    (connection,) = played.look()
    for message in connection.of(MessageType.DATA):
        if (size := len(message.octets) - OVERHEAD) % PADDING:
            raise Failed(f"a data record of {size} octets", f"a multiple of {PADDING}")


def _two_suites(policy: Policy) -> tuple[Security, Security]:
    """Each side prefers another AEAD."""
    (suite,) = policy.suites
    other = AeadId.CHACHA20_POLY1305 if suite.aead == AeadId.AES_256_GCM else AeadId.AES_256_GCM
    suites = (suite, replace(suite, aead=other))
    server, client = mutual(replace(policy, suites=suites))
    return server, replace(client, policy=replace(client.policy, suites=suites[::-1]))


def _servers_choice(played: Played) -> None:
    (connection,) = played.look()
    if connection.suite != played.policy.suites[0]:
        raise Failed(f"suite {connection.suite}", f"{played.policy.suites[0]}, which the server prefers")


SOON = {"RECONNECT_IVL": 50}
LATER = {"RECONNECT_IVL": RECONNECT_IVL}
TICKETS = ("resumption",)
SCENARIOS = (
    Scenario("negotiation", "suites", greet, _servers_choice, _two_suites),
    Scenario("steps", "steps", chatter, _steps, change={"limits": Limits(step_records=STEP_RECORDS)}),
    Scenario(
        "generations",
        "generations",
        chatter,
        _generations,
        change={"limits": Limits(generation_seconds=GENERATION_SECONDS)},
        claims=("rekey",),
    ),
    Scenario("rekey", "on demand", greet, _rekeyed, claims=("rekey", "rekey_on_demand")),
    Scenario("export", "on demand", greet, _exported, claims=("export",)),
    Scenario("events", "on demand", greet, _told, claims=("events",)),
    Scenario(
        "no-ticket",
        "on demand",
        greet,
        _not_resumed,
        claims=(*TICKETS, "resume_on_demand"),
        connector=SOON,
        server_binds=True,
    ),
    Scenario("reconnect", "resumption", return_visit, connector=SOON),
    Scenario("resumption", "resumption", return_visit, _resumed, claims=TICKETS, connector=SOON, server_binds=True),
    Scenario(
        "early-data",
        "early data",
        impatient_visit,
        _spoke_early,
        change={"early_data": True},
        claims=TICKETS,
        connector=LATER,
        server_binds=True,
    ),
    Scenario("puzzle", "puzzle", greet, _puzzled, change={"retry": "always", "difficulty": 8}),
    Scenario("padding", "padding", dialogue, _padded, change={"padding": PADDING}),
)
