"""What is played in a cell beside the pattern's own dialogue: one feature each, checked by what the relay has seen."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from qzmq_conformance.capabilities import Capability
from qzmq_conformance.case import Failed
from qzmq_conformance.keys import as_client, as_server, key
from qzmq_conformance.security import Security
from qzmq_interop.matrix.encounter import (
    PATIENCE,
    RECONNECT_IVL,
    Encounter,
    Script,
    chatter,
    dialogue,
    greet,
    impatient_visit,
    return_visit,
    speak,
)
from qzmq_interop.matrix.wire import ROLES, Connection, hopeless
from qzmq_ref import z85
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.records import OVERHEAD
from qzmq_ref.registries import AeadId, MessageType

Look = Callable[[], Sequence[Connection]]
"""What the relay has seen up to now."""

SERVER, CLIENT = "interop server", "interop client"
STEP_RECORDS = 8
GENERATION_SECONDS = 0.25
PADDING = 256  # octets


@dataclass(frozen=True)
class Played:
    """An encounter that was secured and went well so far, and the relay's view of it."""

    encounter: Encounter
    policy: Policy
    look: Look
    server_binds: bool

    def heard_by(self, role: Role) -> Mapping[str, str]:
        """What that side's application can read of its peer."""
        binds = self.server_binds == (role == "server")
        return self.encounter.properties.get("binder" if binds else "connector", {})


Check = Callable[[Played], None]


def nothing_else(_: Played) -> None:
    """What the applications heard is all that counts."""


def mutual(policy: Policy) -> tuple[Security, Security]:
    """The server's side and the client's; each knows the other's key."""
    return as_server(SERVER, policy, CLIENT), as_client(CLIENT, policy, SERVER)


@dataclass(frozen=True)
class Scenario:
    """One feature. `secure` makes both sides of a policy, the server's first, and `change` the policy itself.

    `check` comes after `script`. `claims` are what both adapters must claim beyond what their sockets need.
    `connector` are socket options of that end. `server_binds` if only that makes sense.
    """

    name: str
    column: str
    script: Script = dialogue
    check: Check = nothing_else
    secure: Callable[[Policy], tuple[Security, Security]] = mutual
    change: Mapping[str, Any] = field(default_factory=dict)
    claims: tuple[str, ...] = ()
    connector: Mapping[str, int] = field(default_factory=dict)
    server_binds: bool = False

    @property
    def features(self) -> frozenset[Capability]:
        """`claims` as the capabilities they are."""
        return frozenset(Capability("feature", name) for name in self.claims)


PLAIN = Scenario("", "")
"""The dialogue of the patterns."""


# ---------------------------------------------------------------------- who is there


def _anonymous(policy: Policy) -> tuple[Security, Security]:
    return as_server(SERVER, policy), as_client("", policy, SERVER)


def _stranger(policy: Policy) -> tuple[Security, Security]:
    return as_server(SERVER, policy, CLIENT), as_client("interop stranger", policy, SERVER)


def _impostor(policy: Policy) -> tuple[Security, Security]:
    return as_server("interop impostor", policy, CLIENT), as_client(CLIENT, policy, SERVER)


def _zap(status: str) -> Callable[[Policy], tuple[Security, Security]]:
    def judged(policy: Policy) -> tuple[Security, Security]:
        server, client = mutual(policy)
        return replace(server, zap=status), client

    return judged


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
    for role, other in (("server", CLIENT), ("client", SERVER)):
        heard = played.heard_by("server" if role == "server" else "client")
        pin = z85.encode(key(other, played.policy.signature).pin).decode()
        expected = {"X-QZMQ-Peer": pin, "X-QZMQ-Suite": str(played.policy.suites[0])}
        expected |= {"User-Id": pin} if role == "server" else {}
        _expect_properties(role, heard, expected)


def _judged(played: Played) -> None:
    _expect_properties("server", played.heard_by("server"), {"User-Id": "judged"})


def _expect_properties(role: str, heard: Mapping[str, str], expected: Mapping[str, str]) -> None:
    found = {name: heard.get(name) for name in expected}
    if found != expected:
        raise Failed(f"the {role}'s application reads {found}", str(expected))


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


# ---------------------------------------------------------------------- coming back


def _resumed(played: Played) -> None:
    """The last connection is resumed, the first one is not."""
    first, *_, last = played.look()
    if first.resumed or not last.resumed:
        offered = "with" if last.offered else "without"
        raise Failed(f"a full handshake, {offered} a ticket in ClientHello", "a resumed session")


def _spoke_early(played: Played) -> None:
    """The application's octets came in the first flight."""
    _resumed(played)
    last = played.look()[-1]
    if not any(message.early for message in last.client):
        raise Failed(f"no early record: {last}", "the application's octets in the first flight")


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


BACK = {"RECONNECT_IVL": RECONNECT_IVL}
SCENARIOS = (
    Scenario("anonymous", "authentication", greet, secure=_anonymous),
    Scenario("stranger", "authentication", speak, _refused_by("server"), _stranger),
    Scenario("impostor", "authentication", speak, _refused_by("client"), _impostor),
    Scenario("properties", "authentication", greet, _named, claims=("properties",)),
    Scenario("zap-admits", "ZAP", greet, _judged, _zap("200"), claims=("properties",)),
    Scenario("zap-refuses", "ZAP", speak, _refused_by("server"), _zap("400")),
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
    Scenario("reconnect", "resumption", return_visit, connector={"RECONNECT_IVL": 50}),
    Scenario(
        "resumption",
        "resumption",
        return_visit,
        _resumed,
        claims=("resumption",),
        connector={"RECONNECT_IVL": 50},
        server_binds=True,
    ),
    Scenario(
        "early-data",
        "early data",
        impatient_visit,
        _spoke_early,
        change={"early_data": True},
        claims=("resumption",),
        connector=BACK,
        server_binds=True,
    ),
    Scenario("puzzle", "puzzle", greet, _puzzled, change={"retry": "always", "difficulty": 8}),
    Scenario("padding", "padding", dialogue, _padded, change={"padding": PADDING}),
)
"""Each is played by DEALERs, in every mode."""
