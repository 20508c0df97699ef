"""What a scenario is: who the two sides are, what their applications say, and what the relay must have seen of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qzmq_conformance.capabilities import Capability
from qzmq_conformance.case import Failed
from qzmq_conformance.keys import as_client, as_server
from qzmq_conformance.security import Security
from qzmq_interop.matrix.encounter import Encounter, Script, Speaker, dialogue
from qzmq_interop.matrix.wire import Connection
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.policy import Policy

SERVER, CLIENT = "interop server", "interop client"
"""The names of their keys."""

Look = Callable[[], Sequence[Connection]]
"""What the relay has seen up to now."""


@dataclass(frozen=True)
class Played:
    """An encounter that was secured and went well so far, and the relay's view of it. `policy` is the server's."""

    encounter: Encounter
    policy: Policy
    look: Look
    server_binds: bool

    def end(self, role: Role) -> Speaker:
        """The application socket of that side."""
        binds = self.server_binds == (role == "server")
        return self.encounter.binder if binds else self.encounter.connector

    def heard_by(self, role: Role) -> Mapping[str, str]:
        """What that side's application can read of its peer."""
        return self.encounter.properties.get(self.end(role).name, {})


class Missed(Failed):
    """Something came too late, which no rule forbids: the encounter may be tried again."""


Check = Callable[[Played], None]
"""Raises `Failed` if the encounter was not what it should have been."""

Secure = Callable[[Policy], tuple[Security, Security]]
"""Both sides of a policy, the server's first."""


def nothing_else(_: Played) -> None:
    """What the applications heard is all that counts."""


def mutual(policy: Policy) -> tuple[Security, Security]:
    """Each knows the other's key."""
    return as_server(SERVER, policy, CLIENT), as_client(CLIENT, policy, SERVER)


@dataclass(frozen=True)
class Scenario:
    """One feature. `secure` makes both sides of a policy that is changed by `change`.

    `check` comes after `script`; over NULL there is only the script. `claims` are what both adapters must claim beyond
    what their sockets need. `connector` are socket options of that end. `server_binds` if only that makes sense.
    """

    name: str
    column: str
    script: Script = dialogue
    check: Check = nothing_else
    secure: Secure = mutual
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
