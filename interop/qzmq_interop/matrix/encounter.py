"""Two application sockets of two implementations that meet through a recording relay."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from qzmq_conformance.case import Failed
from qzmq_conformance.dialogue import SPEAKS_FIRST, End, Transcript, converse, options
from qzmq_conformance.relay import Relay
from qzmq_conformance.security import Security
from qzmq_conformance.target import Application, Message, Target

NOTICED = 0.25
"""Seconds after which a library has noticed that a connection is over."""
RECONNECT_IVL = 600
"""Milliseconds until a client comes back: time for its application to speak before."""
PAUSE = 0.025
PATIENCE = 8.0
RECEIVE_WITHIN = 5.0
GLANCE = 0.2
"""Seconds between two looks at the relay of somebody who waits."""
PROBE = b"are you there?"
BEGIN = b"begin"
MANDATORY = "ROUTER_MANDATORY"


@dataclass(frozen=True)
class Side:
    """One of the two sockets before it is opened: `end` is binder or connector, `security` None for NULL."""

    end: str
    pattern: str
    target: Target
    security: Security | None
    features: tuple[str, ...] = ()


Hopeless = Callable[[Relay], str]
"""Why nobody need wait any longer, as far as the relay can see; empty while there is hope."""


def hopeful(_: Relay) -> str:
    """Nothing on the wire means that all is lost."""
    return ""


@dataclass
class Speaker(End):
    """An application socket that does not wait for what cannot come."""

    hopeless: Callable[[], str] = str
    patience: float = PATIENCE

    def receive(self) -> tuple[bytes, ...]:
        """Receives one message."""
        parts = self.take(min(RECEIVE_WITHIN, self.patience)).parts
        self.transcript.append((self.name, parts))
        return parts

    def take(self, within: float) -> Message:
        """The next message with its properties; `Failed` if none comes in time, or ever will."""
        deadline = time.monotonic() + within
        while True:
            try:
                return self.application.take(GLANCE)
            except Failed:
                if why := self.hopeless():
                    raise Failed(f"no message reached the application of the {self.name}: {why}") from None
                if time.monotonic() > deadline:
                    raise Failed(f"no message reached the application of the {self.name} in {within:.0f} s") from None


@dataclass
class Encounter:
    """Both sockets, what lies between, and octets to look for there."""

    binder: Speaker
    connector: Speaker
    relay: Relay
    token: bytes
    transcript: Transcript = field(default_factory=list)
    properties: dict[str, Mapping[str, str]] = field(default_factory=dict)
    """By end, what its application could read of the peer in the last message of `_say`."""


Script = Callable[[Encounter], None]
"""What the applications say to each other; what they hear goes into the encounter's transcript."""


@contextmanager
def meet(
    binder: Side,
    connector: Side,
    token: bytes,
    chosen: Mapping[str, int],
    hopeless: Hopeless = hopeful,
    patience: float = PATIENCE,
) -> Iterator[Encounter]:
    """Opens both sockets and the relay between them, closes them afterwards. `chosen` are the connector's options.

    Who waits for a message gives up after `patience` seconds, or when it is `hopeless`.
    """
    with ExitStack() as stack:

        def opened(side: Side, other: Side, endpoint: str, more: Mapping[str, int]) -> Application:
            wanted = {**options(side.end, side.pattern, token), **more}
            if other.pattern != "ROUTER":  # then the ROUTER only answers, and need not know whether a peer is there
                wanted.pop(MANDATORY, None)
            return stack.enter_context(_open(side, endpoint, wanted))

        bound = opened(binder, connector, "tcp://127.0.0.1:*", {})
        relay = stack.enter_context(Relay(bound.address))
        joined = opened(connector, binder, f"tcp://127.0.0.1:{relay.port}", chosen)
        left, right = (
            Speaker(side.end, side.pattern, application, hopeless=lambda: hopeless(relay), patience=patience)
            for side, application in ((binder, bound), (connector, joined))
        )
        yield Encounter(left, right, relay, token)


def _open(side: Side, endpoint: str, wanted: Mapping[str, str | int]) -> Application:
    """The socket; without ROUTER_MANDATORY where the library has no such thing, which may lose its first message."""

    def attempt(chosen: Mapping[str, str | int]) -> Application:
        return side.target.open(
            side.pattern,
            endpoint,
            bind=side.end == "binder",
            security=side.security,
            options=chosen,
            features=side.features,
        )

    try:
        return attempt(wanted)
    except Failed as failed:
        if MANDATORY not in wanted or MANDATORY not in failed.seen:
            raise
        return attempt({name: value for name, value in wanted.items() if name != MANDATORY})


# ---------------------------------------------------------------------- scripts


def dialogue(encounter: Encounter) -> None:
    """All that the two patterns can say to each other."""
    ends = (encounter.binder, encounter.connector)
    first, second = sorted(ends, key=lambda end: (SPEAKS_FIRST.index(end.pattern), end.name))
    first.transcript = encounter.transcript
    converse(first, second, encounter.token)


def chatter(encounter: Encounter, times: int = 40) -> None:
    """Short messages there and back for a second."""
    for number in range(times):
        there_and_back(encounter, b"%d" % number)
        time.sleep(PAUSE)


def return_visit(encounter: Encounter) -> None:
    """The connection is cut; the connector comes back, and both can speak again."""
    there_and_back(encounter, b"before")
    time.sleep(PAUSE)
    encounter.relay.cut()
    find_again(encounter)
    there_and_back(encounter, b"after")


def impatient_visit(encounter: Encounter) -> None:
    """The connection is cut; the connector's application speaks before it is back. That arrives once."""
    there_and_back(encounter, b"before")
    encounter.relay.cut()
    time.sleep(NOTICED)
    _say(encounter, encounter.connector, encounter.binder, b"early")
    there_and_back(encounter, b"after")


def greet(encounter: Encounter) -> None:
    """One message there and back."""
    there_and_back(encounter, b"greetings")


def speak(encounter: Encounter) -> None:
    """Both speak. Nobody listens: whether they were heard, and should be, is to be asked afterwards."""
    for end in (encounter.connector, encounter.binder):
        end.send(encounter.token)


def there_and_back(encounter: Encounter, words: bytes) -> None:
    _say(encounter, encounter.connector, encounter.binder, words)
    _say(encounter, encounter.binder, encounter.connector, words)


def _say(encounter: Encounter, speaker: Speaker, listener: Speaker, words: bytes) -> None:
    """One message, which must arrive as it is and next."""
    parts = (words, encounter.token)
    speaker.send(*parts)
    heard = listener.take(listener.patience)
    if heard.parts != parts:
        raise Failed(f"the {listener.name} heard {heard.parts!r}", f"{parts!r}")
    encounter.transcript.append((listener.name, parts))
    encounter.properties[listener.name] = heard.properties


def find_again(encounter: Encounter) -> None:
    """What is sent into a connection that is dying is lost: the connector asks until the binder hears it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        encounter.connector.send(PROBE, encounter.token)
        try:
            encounter.binder.application.receive(within=0.05)
        except Failed:
            continue
        encounter.connector.send(BEGIN, encounter.token)
        while encounter.binder.take(RECEIVE_WITHIN).parts[0] != BEGIN:
            pass
        return
    raise Failed(f"the connector did not come back within {PATIENCE:.0f} s", "a new connection")
