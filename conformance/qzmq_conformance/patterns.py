"""Area `patterns`: every legal socket pair through a recording relay, compared with the same dialogue over NULL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import cycle

from qzmq_conformance.case import MODES, Case, Failed
from qzmq_conformance.dialogue import SPEAKS_FIRST, End, Transcript, converse, options
from qzmq_conformance.keys import as_client, as_server, policy
from qzmq_conformance.relay import Relay
from qzmq_conformance.security import Security
from qzmq_conformance.stage import Stage
from qzmq_conformance.target import Target, token
from qzmq_conformance.trace import Entry
from qzmq_ref.spec.tables import tables


@dataclass(frozen=True)
class Setting:
    """The patterns of the target and of the other side; whether the target binds, and whether it is the server."""

    target: str
    other: str
    target_binds: bool
    target_serves: bool

    @property
    def name(self) -> str:
        """The end of the case's id."""
        attached = "binds" if self.target_binds else "connects"
        return f"{self.target}-{self.other}/{attached}-as-{'server' if self.target_serves else 'client'}"


@dataclass(frozen=True)
class Side:
    """One of the two application sockets of a case, before it is opened."""

    name: str
    pattern: str
    process: Target
    security: Security | None


def cases() -> Iterator[Case]:
    """Every legal pair x bind direction x role x mode."""
    for mode in MODES:
        for target, other in legal_pairs():
            for binds in (True, False):
                for serves in (True, False):
                    setting = Setting(target, other, binds, serves)
                    yield Case(f"patterns/{mode}/{setting.name}", ("PAT-1",), partial(_play, mode, setting))


def legal_pairs() -> Iterator[tuple[str, str]]:
    """Ordered pairs of the table `socket-types`, so that most come twice, and STREAM's own over raw."""
    for row in tables()["socket-types"]:
        for peer in row["Peers"].split(", "):
            yield row["Socket-Type"], peer
    yield "STREAM", "STREAM"


def _play(mode: str, setting: Setting, stage: Stage) -> None:
    octets = token()
    oracle, clear = run(octets, *_sides(stage, setting, None), stage)
    if not clear:
        raise Failed("over NULL the relay did not see the octets it looks for, so it proves nothing", "a working relay")
    transcript, clear = run(octets, *_sides(stage, setting, mode), stage)
    if clear:
        raise Failed("known application octets crossed the wire in the clear", "no application octet on the wire")
    if transcript != oracle:
        raise Failed(
            f"the applications received {_brief(transcript)}", f"what they receive over NULL: {_brief(oracle)}"
        )


def _sides(stage: Stage, setting: Setting, mode: str | None) -> tuple[Side, Side]:
    """The side that binds, then the side that connects."""
    ours, theirs = _securities(mode, setting.target_serves)
    target = Side("target", setting.target, stage.target, ours)
    other = Side("other", setting.other, stage.bench.other, theirs)
    return (target, other) if setting.target_binds else (other, target)


def _securities(mode: str | None, target_serves: bool) -> tuple[Security | None, Security | None]:
    """Mutual authentication, or NULL if there is no mode."""
    if mode is None:
        return None, None
    server, client = ("target", "other") if target_serves else ("other", "target")
    pair = as_server(server, policy(mode), client), as_client(client, policy(mode), server)
    return pair if target_serves else pair[::-1]


def run(octets: bytes, binder: Side, connector: Side, stage: Stage) -> tuple[Transcript, bool]:
    """The dialogue over one relayed connection: what was received, and whether its octets were seen in the relay."""
    with ExitStack() as stack:

        def opened(side: Side, endpoint: str, bind: bool) -> End:
            chosen = options(side.name, side.pattern, octets)
            application = side.process.open(side.pattern, endpoint, bind=bind, security=side.security, options=chosen)
            return End(side.name, side.pattern, stack.enter_context(application))

        bound = opened(binder, "tcp://127.0.0.1:*", True)
        relay = stack.enter_context(Relay(bound.application.address))
        joined = opened(connector, f"tcp://127.0.0.1:{relay.port}", False)
        first, second = sorted((bound, joined), key=lambda end: (SPEAKS_FIRST.index(end.pattern), end.name))
        transcript = converse(first, second, octets)
        for sender, recording in zip(cycle((connector, binder)), relay.recordings()):
            stage.note(Entry(sender.name, recording, framed=False))
        return transcript, relay.carried(octets)


def _brief(transcript: Transcript) -> str:
    """The transcript with long parts cut."""
    return "; ".join(
        f"{name}: " + " | ".join(f"{part[:48]!r} ({len(part)} octets)" for part in parts) for name, parts in transcript
    )
