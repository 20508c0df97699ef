"""Much traffic: every message once, whole and in order; while the keys rotate under it, too."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
import zmq

from qzmq_interop.soak.sides import Rotations
from qzmq_ref.policy import Limits, Policy
from tests.soak import scaled, timeout
from tests.sockets import QZMQ, AnySocket, Stage, endpoint_of, running

pytestmark = pytest.mark.timeout(timeout(60))

ROTATING = replace(Policy.preset("default"), limits=Limits(step_records=50, generation_seconds=0.5), record_cut=256)


@pytest.fixture
def stage() -> Iterator[Stage]:
    with running(QZMQ) as stage:
        yield stage


def in_background(work: object, *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread


def send_numbers(socket: AnySocket, count: int, size: int) -> None:
    for number in range(count):
        socket.send_multipart([number.to_bytes(8), hashlib.sha256(number.to_bytes(8)).digest() * (size // 32)])


def check_numbers(socket: AnySocket, count: int, size: int) -> None:
    for number in range(count):
        *_, head, body = socket.recv_multipart()
        assert head == number.to_bytes(8)
        assert body == hashlib.sha256(head).digest() * (size // 32)


@pytest.mark.parametrize(("size", "count"), [(64, 50_000), (4096, 10_000), (1 << 20, 50)])
def test_a_stream_arrives_as_it_was_sent(stage: Stage, size: int, count: int) -> None:
    receiver, sender = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
    receiver.bind("tcp://127.0.0.1:*")
    sender.connect(endpoint_of(receiver))
    sending = in_background(send_numbers, sender, scaled(count), size)
    check_numbers(receiver, scaled(count), size)
    sending.join()


def test_every_subscriber_gets_everything(stage: Stage) -> None:
    """High-water marks off, so that PUB has no reason to drop."""
    publisher = stage.socket(zmq.XPUB, sndhwm=0)
    publisher.bind("tcp://127.0.0.1:*")
    subscribers = [stage.socket(zmq.SUB, rcvhwm=0) for _ in range(5)]
    for subscriber in subscribers:
        subscriber.subscribe(b"")
        subscriber.connect(endpoint_of(publisher))
    for _ in subscribers:
        assert publisher.recv() == b"\x01"
        publisher.set(zmq.XPUB_VERBOSE, 1)
    sending = in_background(send_numbers, publisher, scaled(5000), 64)
    for subscriber in subscribers:
        check_numbers(subscriber, scaled(5000), 64)
    sending.join()


def test_keys_rotate_while_traffic_flows_both_ways(stage: Stage) -> None:
    """ROT-1, ROT-14, ROT-15: steps and generations change nothing for the application."""
    rotations = Rotations()
    stage.context.slot.observe = rotations
    server, client = (stage.socket(zmq.PAIR, qzmq_policy=ROTATING) for _ in range(2))
    server.bind("tcp://127.0.0.1:*")
    client.connect(endpoint_of(server))
    first, deadline = 0, time.monotonic() + timeout(30)
    while rotations.generations < scaled(4) or rotations.steps < scaled(100):
        assert time.monotonic() < deadline, f"only {rotations.steps} steps, {rotations.generations} generations"
        window = range(first, first + 100)
        for number in window:
            client.send(b"up %d" % number)
            server.send(b"down %d" % number)
        assert [server.recv() for _ in window] == [b"up %d" % number for number in window]
        assert [client.recv() for _ in window] == [b"down %d" % number for number in window]
        first += len(window)
    print(f"{2 * first} messages, {rotations.steps} steps, {rotations.generations} generations")
