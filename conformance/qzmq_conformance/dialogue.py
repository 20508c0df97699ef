"""What two application sockets say to each other in a pattern case, and the transcript of what each received.

A dialogue only uses what every ZeroMQ library has: messages out, messages in. Played over plain ZMTP NULL it gives the
transcript that the same dialogue must give over QZMQ: libzmq is the oracle.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from qzmq_conformance.case import Failed
from qzmq_conformance.target import Application

Transcript = list[tuple[str, tuple[bytes, ...]]]
SUBSCRIBE = b"\x01"
BIG = 70_000  # octets: more than a record at the default cut


@dataclass
class End:
    """One application socket with its pattern and name; what it receives goes into the transcript the ends share."""

    name: str
    pattern: str
    application: Application
    transcript: Transcript = field(default_factory=list)

    def send(self, *parts: bytes) -> None:
        """Sends one message."""
        self.application.send(*parts)

    def receive(self) -> tuple[bytes, ...]:
        """Receives one message."""
        parts = self.application.receive()
        self.transcript.append((self.name, parts))
        return parts


def identity(name: str, token: bytes) -> bytes:
    """The routing id of the end of that name: known octets too, for the relay to look for."""
    return name.encode() + b"-" + token


def options(name: str, pattern: str, token: bytes) -> dict[str, str | int]:
    """libzmq options the dialogue needs on a socket of this pattern."""
    chosen: dict[str, str | int] = (
        {"ROUTING_ID": identity(name, token).decode()} if pattern in {"REQ", "DEALER", "ROUTER"} else {}
    )
    if pattern == "ROUTER":
        chosen["ROUTER_MANDATORY"] = 1  # so that a message to a peer that is not there yet is kept, not dropped
    if pattern == "SUB":
        chosen["SUBSCRIBE"] = token.decode()
    return chosen


def messages(token: bytes) -> tuple[tuple[bytes, ...], ...]:
    """Single part, several parts with an empty one, and one that does not fit a record."""
    return (token,), (token, b"", b"\x00" + token), (token + bytes(BIG), b"end")


def converse(left: End, right: End, token: bytes) -> Transcript:
    """Plays the dialogue of the two patterns, `left` first; returns everything both received, in order."""
    right.transcript = left.transcript
    DIALOGUES[left.pattern](left, right, token)
    return left.transcript


def ask_and_answer(asker: End, answerer: End, token: bytes) -> None:
    """Each message goes there and comes back; envelopes as the two patterns need them."""
    for parts in messages(token):
        asker.send(*_address(asker, answerer, token), *parts)
        received = answerer.receive()
        answerer.send(*_return_address(asker, answerer, received), *parts)
        asker.receive()


def push(pusher: End, puller: End, token: bytes) -> None:
    """One way only."""
    for parts in messages(token):
        pusher.send(*parts)
        puller.receive()


def publish(publisher: End, subscriber: End, token: bytes) -> None:
    """The subscription reaches the publisher; a message of another topic must not reach the subscriber."""
    if subscriber.pattern == "XSUB":
        subscriber.send(SUBSCRIBE + token)
    if publisher.pattern == "XPUB":
        publisher.receive()
    else:
        _await_subscription(publisher, subscriber, token)
    for parts in messages(token):
        publisher.send(b"another topic", token)
        publisher.send(*parts)
        subscriber.receive()


def exchange(left: End, right: End, token: bytes) -> None:
    """STREAM: each side learns of the connection, then octets flow both ways. Routing ids are made up: none counts."""
    ids = {end.name: end.receive()[0] for end in (left, right)}
    for sender, receiver in ((left, right), (right, left)):
        for parts in messages(token):
            octets = b"".join(parts)
            sender.send(ids[sender.name], octets)
            _collect(receiver, len(octets))
    left.transcript[:] = [(name, (b"the one peer", *parts[1:])) for name, parts in left.transcript]


DIALOGUES: Mapping[str, Callable[[End, End, bytes], None]] = {
    "REQ": ask_and_answer,
    "DEALER": ask_and_answer,
    "ROUTER": ask_and_answer,
    "PAIR": ask_and_answer,
    "PUSH": push,
    "PUB": publish,
    "XPUB": publish,
    "STREAM": exchange,
}
"""By the pattern of the end that speaks first, the one nearer to the top of the table."""

SPEAKS_FIRST = (*DIALOGUES, "REP", "PULL", "SUB", "XSUB")


def _address(asker: End, answerer: End, token: bytes) -> tuple[bytes, ...]:
    """What the asker's application puts in front: a ROUTER the peer's identity, a DEALER the empty part REP expects."""
    if asker.pattern == "ROUTER":
        return (identity(answerer.name, token),)
    return (b"",) if asker.pattern == "DEALER" and answerer.pattern == "REP" else ()


def _return_address(asker: End, answerer: End, received: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if answerer.pattern != "ROUTER":
        return ()
    return received[:2] if asker.pattern == "REQ" else received[:1]


def _await_subscription(publisher: End, subscriber: End, token: bytes) -> None:
    """A PUB cannot see its subscribers: it repeats a first message until one arrives, and none of those counts."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        publisher.send(token, b"are you there?")
        try:
            subscriber.application.receive(within=0.02)
        except Failed:
            continue
        publisher.send(token, b"begin")
        while subscriber.application.receive()[1] != b"begin":
            pass
        return
    raise Failed("no subscription reached the publisher within 5 s")


def _collect(receiver: End, length: int) -> None:
    """One entry of the transcript for octets that may arrive in any number of pieces."""
    sender, octets = b"", b""
    while len(octets) < length:
        sender, piece = receiver.application.receive()
        octets += piece
    receiver.transcript.append((receiver.name, (sender, octets)))
