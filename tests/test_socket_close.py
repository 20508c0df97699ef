"""Nothing is lost at the end that linger would have kept: close and term, a slow reader, the end of the process."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time

import pytest
import zmq

from tests.ports import reserved
from tests.sockets import NULL, QZMQ, AnySocket, Kind, Stage, client_keys, endpoint_of, eventually, running, server_keys

SHRUNK = {"sndbuf": 4096, "rcvbuf": 4096}
COUNT = 300
BODY = bytes(3000)


def numbers(receiver: AnySocket, count: int, pause: float = 0.0) -> list[int]:
    """The numbers of the next messages, read slowly."""
    heard = []
    for _ in range(count):
        heard.append(int.from_bytes(receiver.recv()[:4]))
        if pause:
            time.sleep(pause)
    return heard


def send_numbers(sender: AnySocket, count: int) -> None:
    for number in range(count):
        sender.send(number.to_bytes(4) + BODY)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:*", "ipc://*"])
@pytest.mark.parametrize("sender_binds", [True, False], ids=["sender binds", "sender connects"])
def test_close_and_term_deliver_the_tail(address: str, *, sender_binds: bool) -> None:
    """CLS-1, CLS-3: with buffers far smaller than what is on its way, to a reader slower than the writer.

    (libzmq alone does not always manage it.)
    """
    with running(QZMQ) as near, running(QZMQ) as far:
        sender = near.socket(zmq.PUSH, sndhwm=COUNT, **SHRUNK)
        receiver = far.socket(zmq.PULL, rcvhwm=10, **SHRUNK)
        binder, connecter = (sender, receiver) if sender_binds else (receiver, sender)
        binder.bind(address)
        connecter.connect(endpoint_of(binder))
        send_numbers(sender, COUNT)

        def leave() -> None:
            sender.close()
            near.context.term()

        leaving = threading.Thread(target=leave)
        leaving.start()
        assert numbers(receiver, COUNT, 0.0005) == list(range(COUNT))
        leaving.join(10)
        assert not leaving.is_alive()


def test_term_waits_for_a_peer_that_is_not_there_yet() -> None:
    with running(QZMQ) as near, running(QZMQ) as far, reserved() as port:
        receiver, address = far.socket(zmq.PULL), f"tcp://127.0.0.1:{port}"
        sender = near.socket(zmq.PUSH, reconnect_ivl=10)
        sender.connect(address)
        sender.send(b"message")
        sender.close()
        leaving = threading.Thread(target=near.context.term)
        leaving.start()
        time.sleep(0.05)
        assert leaving.is_alive()
        receiver.bind(address)
        assert receiver.recv() == b"message"
        leaving.join(10)
        assert not leaving.is_alive()


@pytest.mark.parametrize("linger", [0, 200])
def test_term_waits_no_longer_than_linger(linger: int) -> None:
    """And the second that the tail is always given."""
    with running(QZMQ) as near, running(QZMQ) as far:
        receiver = far.socket(zmq.PULL, rcvhwm=1, **SHRUNK)
        receiver.bind("tcp://127.0.0.1:*")
        sender = near.socket(zmq.PUSH, sndhwm=COUNT, **SHRUNK)
        sender.connect(endpoint_of(receiver))
        send_numbers(sender, COUNT)
        started = time.monotonic()
        sender.close(linger)
        near.context.term()
        assert time.monotonic() - started < 2.0


def test_a_closed_socket_leaves_nothing_behind() -> None:
    """Its sessions, timers and listening sockets end while the Context lives on."""
    with running(QZMQ) as stage:
        receiver = stage.socket(zmq.PULL)
        receiver.bind("tcp://127.0.0.1:*")
        bridge = stage.context.slot.bridge()
        for _ in range(5):
            sender = stage.socket(zmq.PUSH)
            sender.connect(endpoint_of(receiver))
            sender.send(b"message")
            assert receiver.recv() == b"message"
            sender.close()
        eventually(lambda: bridge.guests == 1)  # the listener


SCRIPT = textwrap.dedent("""
    import sys, time, zmq, qzmq_ref
    qzmq, address, end, server, secret = sys.argv[1] == "QZMQ", *sys.argv[2:]
    context = (qzmq_ref if qzmq else zmq).Context()
    sender = context.socket(zmq.PUSH)
    if qzmq:
        sender.qzmq_serverkey, sender.qzmq_secretkey = server, secret
    sender.connect(address)
    for number in range(100):
        sender.send(number.to_bytes(4) + bytes(3000))
    if end == "term":
        sender.close()
        context.term()
    elif end == "destroy":
        context.destroy()
    else:
        time.sleep(0.5)  # libzmq itself hands over nothing once the process ends
""")


@pytest.mark.parametrize("end", ["term", "destroy", "exit"])
@pytest.mark.parametrize("kind", [NULL, QZMQ], ids=str)
def test_the_end_of_the_process_loses_nothing(kind: Kind, end: str) -> None:
    """The reader starts when the writer has said everything and is about to end."""
    with running(kind) as stage:
        receiver = stage.socket(zmq.PULL, rcvhwm=5, rcvbuf=20_000)
        receiver.bind("tcp://127.0.0.1:*")
        keys = [server_keys()[0].decode(), client_keys()[1].decode()]
        with subprocess.Popen([sys.executable, "-c", SCRIPT, kind.name, endpoint_of(receiver), end, *keys]) as process:
            time.sleep(0.7)
            assert numbers(receiver, 100, 0.001) == list(range(100))
            assert process.wait(10) == 0


@pytest.mark.parametrize("kind", [NULL, QZMQ], ids=str)
def test_a_cut_loses_no_more_than_the_buffers_hold(kind: Kind) -> None:
    """The receiver vanishes and comes back: what it missed is one run of messages, and none comes twice."""
    with running(kind) as near:
        sender = near.socket(zmq.PUSH, reconnect_ivl=10, sndhwm=20, **SHRUNK)
        heard = []
        with running(kind) as far:
            receiver = far.socket(zmq.PULL, rcvhwm=5, **SHRUNK)
            receiver.bind("tcp://127.0.0.1:*")
            address = endpoint_of(receiver)
            sender.connect(address)
            threading.Thread(target=send_numbers, args=(sender, COUNT)).start()
            heard += numbers(receiver, 50)
        with running(kind) as far:
            heard += _rest(far, address)
        assert heard == sorted(set(heard))
        assert COUNT - len(heard) <= 120


def _rest(stage: Stage, address: str) -> list[int]:
    """What a new receiver hears, to the last message."""
    receiver = stage.socket(zmq.PULL, **SHRUNK)
    for _ in range(100):
        try:
            receiver.bind(address)
            break
        except zmq.ZMQError:
            time.sleep(0.02)
    heard = numbers(receiver, 1)
    while heard[-1] != COUNT - 1:
        heard += numbers(receiver, 1)
    return heard
