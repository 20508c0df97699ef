"""Sessions against a peer made of the protocol core alone, which says what no libzmq would, when none would."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest
import zmq

from qzmq_ref import z85
from qzmq_ref.connection import Configuration, Connection, Ended, Established, Event, Received
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.metadata import Property
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.zmtp import ZmtpBinding
from tests.sockets import QZMQ, Stage, client_keys, endpoint_of, eventually, running, server_keys

DEFAULT = Policy.preset("default")
MESSAGE = b"\x00\x05hello"
"""A ZMTP frame."""


@dataclass
class BarePeer:
    """A QZMQ client without libzmq, on a plain socket."""

    address: str
    metadata: tuple[Property, ...] = (Property(b"Socket-Type", b"PUSH"),)
    policy: Policy = DEFAULT
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        key = SigningKey.from_seed(DEFAULT.signature, z85.decode(client_keys()[1]), provider())
        pins = frozenset({z85.decode(server_keys()[0])})
        kind = self.metadata[0].value
        configuration = Configuration("client", self.policy, key, pins, None, self.metadata, kind)
        self.core = Connection(configuration, ZmtpBinding("client"), entropy=os.urandom, clock=time.monotonic)
        host, _, port = self.address.removeprefix("tcp://").rpartition(":")
        self.sock = socket.create_connection((host, int(port)), timeout=8)

    def flush(self, *, cut: int = 1 << 20) -> None:
        """Send what the core has to say."""
        octets = self.core.data_to_send()
        for start in range(0, len(octets), cut):
            self.sock.sendall(octets[start : start + cut])

    def step(self) -> bool:
        """Send, then receive once; False at the end of the stream."""
        self.flush()
        octets = self.sock.recv(65536)
        self.events += self.core.receive(octets) if octets else self.core.end_of_file()
        return bool(octets)

    def establish(self) -> None:
        """The whole handshake."""
        while not any(isinstance(event, Established) for event in self.events):
            assert self.step()

    def read_to_end(self) -> Ended:
        """How the server ended it."""
        while self.step():
            pass
        return next(event for event in self.events if isinstance(event, Ended))


@pytest.fixture
def stage() -> Iterator[Stage]:
    with running(QZMQ) as stage:
        yield stage


def test_a_message_and_the_end_right_behind_the_handshake(stage: Stage) -> None:
    """CLS-2: delivered, answered, closed."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(pull))
    peer.establish()
    peer.core.send(MESSAGE * 3)
    peer.core.close()
    assert peer.read_to_end() == Ended("closed", None, authenticated=True)
    assert [pull.recv() for _ in range(3)] == [b"hello"] * 3
    peer.sock.close()


@pytest.mark.parametrize("cut", [1, 7])
def test_records_cut_anywhere(stage: Stage, cut: int) -> None:
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(pull))
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.establish()
    for octet in MESSAGE * 4:  # one record each
        peer.core.send(bytes([octet]))
    peer.flush(cut=cut)
    assert [pull.recv() for _ in range(4)] == [b"hello"] * 4
    peer.sock.close()


def test_a_record_of_the_largest_size(stage: Stage) -> None:
    """REC-3: larger than any read and any system buffer."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(pull), policy=replace(DEFAULT, record_cut=2**20))
    peer.establish()
    size = 2**20 - 9
    frame = b"\x02" + size.to_bytes(8) + bytes(size)
    for _ in range(3):
        peer.core.send(frame)
    peer.flush()
    assert [len(pull.recv()) for _ in range(3)] == [size] * 3
    peer.sock.close()


def test_a_tampered_record_ends_this_session_only(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """REC-8: what came before is delivered, the alert sent, the requirement and the peer logged."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    honest, peer = BarePeer(endpoint_of(pull)), BarePeer(endpoint_of(pull))
    honest.establish()
    peer.establish()
    peer.core.send(MESSAGE)
    peer.flush()
    peer.core.send(MESSAGE)
    octets = bytearray(peer.core.data_to_send())
    octets[-1] ^= 1
    peer.sock.sendall(octets)
    ended = peer.read_to_end()
    assert (ended.reason, ended.authenticated) == ("peer_alert", True)
    assert pull.recv() == b"hello"
    assert not pull.poll(20)
    assert "REC-8: {}:{}".format(*peer.sock.getsockname()) in caplog.text
    honest.core.send(MESSAGE)
    honest.flush()
    assert pull.recv() == b"hello"
    for each in (honest, peer):
        each.sock.close()


def test_octets_that_are_no_zmtp_end_the_session(stage: Stage) -> None:
    """libzmq hangs up, so the bridge says goodbye."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(pull))
    peer.establish()
    peer.core.send(b"\xff" * 20)
    assert peer.read_to_end().reason == "closed"
    assert not pull.poll(20)
    peer.sock.close()


@pytest.mark.parametrize("name", [b"User-Id", b"X-QZMQ-Peer", b"x-qzmq-PEER"])
def test_nobody_writes_his_own_passport(stage: Stage, name: bytes) -> None:
    """PAT-5, PAT-10: up to the last property the application sees."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(pull), (Property(b"Socket-Type", b"PUSH"), Property(name, b"somebody else")))
    peer.establish()
    peer.core.send(MESSAGE)
    peer.flush()
    frame = pull.recv(copy=False)
    assert frame.get("User-Id") == frame.get("X-QZMQ-Peer") == client_keys()[0].decode()
    peer.sock.close()


def test_metadata_of_the_largest_size(stage: Stage) -> None:
    """PAT-3: 8192 octets and what is added to them still make a READY."""
    pull = stage.socket(zmq.PULL)
    pull.bind("tcp://127.0.0.1:*")
    kind = Property(b"Socket-Type", b"PUSH")
    filler = Property(b"X-Filler", b"x" * (8192 - (1 + 11 + 4 + 4) - (1 + 8 + 4)))
    peer = BarePeer(endpoint_of(pull), (kind, filler))
    peer.establish()
    peer.core.send(MESSAGE)
    peer.flush()
    assert pull.recv() == b"hello"
    peer.sock.close()


def test_keys_that_are_used_up_end_in_a_new_connection(stage: Stage) -> None:
    """ROT-6: after 256 records of one step each the session closes, and libzmq connects again."""
    frugal = replace(DEFAULT, limits=Limits(step_records=1))
    pull, push = stage.socket(zmq.PULL), stage.socket(zmq.PUSH, reconnect_ivl=10)
    push.qzmq_policy = frugal
    pull.bind("tcp://127.0.0.1:*")
    push.connect(endpoint_of(pull))
    heard = 0
    for number in range(400):
        push.send(number.to_bytes(4))
        heard += pull.poll(50) != 0 and int.from_bytes(pull.recv()) >= 0
    assert 390 <= heard <= 400


def test_a_peer_that_vanishes_is_let_go(stage: Stage) -> None:
    """CLS-4: the socket learns of it as of any lost connection."""
    router = stage.socket(zmq.ROUTER, router_mandatory=1)
    router.bind("tcp://127.0.0.1:*")
    peer = BarePeer(endpoint_of(router), (Property(b"Socket-Type", b"DEALER"), Property(b"Identity", b"gone")))
    peer.establish()
    peer.core.send(MESSAGE)
    peer.flush()
    assert router.recv_multipart() == [b"gone", b"hello"]
    peer.sock.close()

    def unreachable() -> bool:
        try:
            router.send_multipart([b"gone", b"hello?"])
        except zmq.ZMQError as error:
            return error.errno == zmq.EHOSTUNREACH
        return False

    eventually(unreachable)
    assert [event for event in peer.events if isinstance(event, Received)] == []
