"""Every legal pair of socket types says over QZMQ what it says over NULL, whoever binds, over tcp and ipc."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import zmq

from qzmq_ref.patterns import legal_peers
from tests.sockets import NULL, QZMQ, AnySocket, Kind, endpoint_of, running

TYPES = ("REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR")
PAIRS = [(one, two) for one in TYPES for two in TYPES if two.encode() in legal_peers()[one.encode()]]
SILENT = ("REP", "SUB", "XSUB", "PULL")
"""Types that cannot say anything first. (REQ cannot listen first, and REP does not tell a ROUTER its name.)"""
DIRECTED = [pair for pair in PAIRS if pair[0] not in SILENT and pair[1] != "REQ" and pair != ("ROUTER", "REP")]

MESSAGES = [[b""], [b"one"], [b"several", b"", b"frames"], [b"long" * 100_000], [bytes(300)] * 3]


def talk(speaker: AnySocket, listener: AnySocket) -> list[list[bytes]]:
    """What either side hears when one speaks and the other echoes, or only listens."""
    one, two = zmq.SocketType(int(speaker.type)), zmq.SocketType(int(listener.type))
    if one in (zmq.PUB, zmq.XPUB):
        return publish(speaker, listener)
    heard = []
    for message in MESSAGES:
        say(speaker, [*envelope(one, two), *message])
        heard.append(listener.recv_multipart())
        if one != zmq.PUSH:
            listener.send_multipart(heard[-1])
            heard.append(speaker.recv_multipart())
    return heard


def envelope(one: zmq.SocketType, two: zmq.SocketType) -> list[bytes]:
    """What the speaker's type puts before a message to a listener of the other type."""
    if one == zmq.ROUTER:
        return [b"listener"]
    return [b""] if (one, two) == (zmq.DEALER, zmq.REP) else []


def say(speaker: AnySocket, message: list[bytes]) -> None:
    """Send; a ROUTER has to wait until it knows its peer."""
    for _ in range(2000):
        try:
            speaker.send_multipart(message)
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            speaker.poll(5)
        else:
            return
    pytest.fail("no route")


def publish(publisher: AnySocket, subscriber: AnySocket) -> list[list[bytes]]:
    """Two topics, one of them subscribed, then unsubscribed."""
    subscribe(subscriber, b"a")
    while not subscriber.poll(5):
        publisher.send(b"a begin")
    for topic in (b"a", b"b", b"ab"):
        for message in MESSAGES:
            publisher.send_multipart([topic, *message])
    publisher.send(b"a last")
    heard = list(until(b"a last", publisher, subscriber))
    subscribe(subscriber, b"a", cancel=True)
    subscribe(subscriber, b"end")
    return [message for message in [*heard, *until(b"end", publisher, subscriber)] if message != [b"a begin"]]


def subscribe(subscriber: AnySocket, topic: bytes, *, cancel: bool = False) -> None:
    """SUB sets an option, XSUB sends a message."""
    if subscriber.type == zmq.XSUB:
        subscriber.send(bytes([not cancel]) + topic)
    else:
        subscriber.set(zmq.UNSUBSCRIBE if cancel else zmq.SUBSCRIBE, topic)


def until(end: bytes, publisher: AnySocket, subscriber: AnySocket) -> Iterator[list[bytes]]:
    """What the subscriber hears before `end`, which is published until it arrives."""
    while True:
        if subscriber.poll(5):
            message = subscriber.recv_multipart()
            if message == [end]:
                return
            yield message
        elif end == b"end":
            publisher.send_multipart([b"a", b"unheard"])
            publisher.send(end)


def transcript(kind: Kind, one: str, two: str, address: str, *, listener_binds: bool) -> list[list[bytes]]:
    """The talk of a speaker and a listener over one mechanism."""
    with running(kind) as stage:
        speaker = stage.socket(zmq.SocketType[one])
        listener = stage.socket(zmq.SocketType[two])
        for socket, name in ((speaker, b"speaker"), (listener, b"listener")):
            if socket.type in (zmq.REQ, zmq.REP, zmq.DEALER, zmq.ROUTER):
                socket.identity = name
        if speaker.type == zmq.ROUTER:
            speaker.router_mandatory = 1
        binder, connecter = (listener, speaker) if listener_binds else (speaker, listener)
        if connecter.type == zmq.ROUTER:
            connecter.connect_routing_id = b"listener" if listener_binds else b"speaker"
        binder.bind(address)
        connecter.connect(endpoint_of(binder))
        return talk(speaker, listener)


@pytest.mark.parametrize("listener_binds", [True, False], ids=["listener binds", "speaker binds"])
@pytest.mark.parametrize("address", ["tcp://127.0.0.1:*", "ipc://*"])
@pytest.mark.parametrize(("one", "two"), DIRECTED)
def test_same_transcript_as_plain_zmtp(one: str, two: str, address: str, *, listener_binds: bool) -> None:
    plain = transcript(NULL, one, two, address, listener_binds=listener_binds)
    assert transcript(QZMQ, one, two, address, listener_binds=listener_binds) == plain
    assert len(plain) >= len(MESSAGES)
