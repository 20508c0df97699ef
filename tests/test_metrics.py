"""Metrics: what they count is what happened, the dashboard asks for nothing else, and nobody pays without asking."""

from __future__ import annotations

import functools
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

import qzmq_ref
from qzmq_ref import metrics
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.options import Options
from qzmq_ref.bridge.watched import MessageCounter, WatchedConnection
from qzmq_ref.connection import Configuration, Connection
from qzmq_ref.policy import Limits, Policy
from tests.ports import reserved
from tests.sidecars import Sidecar, keys

__all__ = ["keys"]

PUBLIC, SECRET = qzmq_ref.keypair()
DASHBOARD = Path(__file__).parents[1] / "interop" / "grafana" / "qzmq.json"
METRIC = re.compile(r"\bqzmq_\w+")
SUFFIXES = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}


class Scene:
    """A context with metrics, and sockets in it."""

    def __init__(self) -> None:
        self.context = qzmq_ref.Context()
        self.metrics = metrics.Metrics()
        self.metrics.watch(self.context)
        self._sockets: list[qzmq_ref.Socket] = []  # until the context goes: pyzmq warns of sockets left open

    @property
    def registry(self) -> CollectorRegistry:
        return self.metrics.registry

    def bind(self, kind: zmq.SocketType, policy: Policy | str = "default") -> qzmq_ref.Socket:
        socket = self._socket(kind)
        socket.qzmq_secretkey = SECRET
        socket.qzmq_policy = policy
        socket.bind("tcp://127.0.0.1:*")
        return socket

    def connect(
        self, kind: zmq.SocketType, server: qzmq_ref.Socket, policy: Policy | str = "default", pin: bytes = PUBLIC
    ) -> qzmq_ref.Socket:
        socket = self._socket(kind)
        socket.qzmq_serverkey = pin
        socket.qzmq_policy = policy
        socket.connect(server.get_string(zmq.LAST_ENDPOINT))
        return socket

    def _socket(self, kind: zmq.SocketType) -> qzmq_ref.Socket:
        socket = self.context.socket(kind)
        socket.rcvtimeo = 5000
        self._sockets.append(socket)
        return socket

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(f"qzmq_{name}", labels) or 0.0


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.context.destroy(linger=0)


def eventually(happened: Callable[[], float]) -> None:
    """Within five seconds."""
    deadline = time.monotonic() + 5
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def frame(body: bytes, *, more: bool = False, is_command: bool = False) -> bytes:
    flags = more | 4 * is_command | 2 * (len(body) > 255)
    return bytes([flags]) + len(body).to_bytes(8 if len(body) > 255 else 1) + body


parts = st.lists(st.integers(0, 600).map(bytes), min_size=1, max_size=3)
items = st.one_of(parts, st.integers(0, 300).map(bytes))  # a message, or a command


@given(items=st.lists(items, max_size=4), data=st.data())
def test_messages_are_counted_however_the_stream_is_cut(items: list[list[bytes] | bytes], data: st.DataObject) -> None:
    items *= data.draw(st.sampled_from([1, 2, 600]), "times over")
    stream = b"".join(
        frame(item, is_command=True)
        if isinstance(item, bytes)
        else b"".join(frame(part, more=number + 1 < len(item)) for number, part in enumerate(item))
        for item in items
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    counter = MessageCounter()
    counted = sum(
        counter.feed(memoryview(stream)[start:end]) for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
    )
    assert counted == sum(isinstance(item, list) for item in items)


def test_messages_and_octets_are_counted_at_both_ends(scene: Scene) -> None:
    server = scene.bind(zmq.PULL)
    client = scene.connect(zmq.PUSH, server)
    sizes = [0, 1, 255, 256, 70_000]
    for size in sizes:
        client.send_multipart([b"part", bytes(size)])
    for _ in sizes:
        server.recv_multipart()
    octets = sum(6 + (2 if size < 256 else 9) + size for size in sizes)
    for name, expected in (("messages_total", len(sizes)), ("bytes_total", octets)):
        assert scene.value(name, socket_type="PUSH", direction="sent") == expected
        assert scene.value(name, socket_type="PULL", direction="received") == expected
        assert scene.value(name, socket_type="PULL", direction="sent") == 0


def test_subscriptions_are_no_messages(scene: Scene) -> None:
    server = scene.bind(zmq.XPUB)
    client = scene.connect(zmq.SUB, server)
    client.subscribe(b"topic")
    assert server.recv() == b"\x01topic"
    assert scene.value("bytes_total", socket_type="SUB", direction="sent") > 0
    assert scene.value("messages_total", socket_type="SUB", direction="sent") == 0


def test_connections_come_and_go(scene: Scene) -> None:
    server = scene.bind(zmq.REP)
    clients = [scene.connect(zmq.REQ, server) for _ in range(3)]
    for client in clients:
        client.send(b"")
        server.send(server.recv())
        client.recv()
    active = {"socket_type": "REP", "role": "server"}
    assert scene.value("active_connections", **active) == 3
    assert scene.value("handshakes_total", mode="hybrid", result="established") == 6
    assert scene.value("operation_seconds_count", operation="handshake") == 6
    for client in clients:
        client.close()
    eventually(lambda: scene.value("active_connections", **active) == 0)
    eventually(lambda: scene.value("active_connections", socket_type="REQ", role="client") == 0)


def test_a_refused_peer_is_a_failed_handshake_and_two_alerts(scene: Scene) -> None:
    server = scene.bind(zmq.PULL)
    stranger, _ = qzmq_ref.keypair()
    scene.connect(zmq.PUSH, server, pin=stranger).linger = 0
    for direction, result in (("sent", "alert"), ("received", "peer_alert")):
        eventually(functools.partial(scene.value, "handshakes_total", mode="hybrid", result=result))
        assert scene.value("alerts_total", description="certificate_unknown", direction=direction) > 0
        assert scene.value("authentication_failures_total", reason="certificate_unknown", direction=direction) > 0
    assert scene.value("active_connections", socket_type="PULL", role="server") == 0


def test_new_keys_are_counted(scene: Scene) -> None:
    """ROT-1, ROT-15."""
    limits = Limits(step_records=10, generation_seconds=0.01)
    policy = replace(Policy.preset("default"), limits=limits)
    server = scene.bind(zmq.REP, policy)
    client = scene.connect(zmq.REQ, server, policy)

    def echoed() -> bool:
        client.send(b"")
        server.send(server.recv())
        client.recv()
        return scene.value("key_updates_total", kind="generation", direction="both") >= 2

    eventually(echoed)
    assert scene.value("key_updates_total", kind="step", direction="sent") > 0
    assert scene.value("key_updates_total", kind="step", direction="received") > 0
    assert scene.value("operation_seconds_count", operation="rekey") > 0


def test_nobody_is_watched_without_asking() -> None:
    """Without metrics a connection is the core itself: not one instruction more."""
    configuration = Configuration("client", Policy.preset("default"), server_pins=frozenset({bytes(32)}))
    link = Link(configuration, Options(), lambda *_: None)
    assert type(link.connection("")) is Connection
    assert type(replace(link, observe=metrics.Metrics().observer()).connection("")) is WatchedConnection


def test_a_scrape_is_answered(scene: Scene) -> None:
    with_metrics = metrics.serve(scene.context, port=0)
    try:
        server = scene.bind(zmq.PULL)
        scene.connect(zmq.PUSH, server).send(b"hello")
        server.recv()
        with urllib.request.urlopen(f"http://127.0.0.1:{with_metrics.port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        with_metrics.close()
    assert 'qzmq_messages_total{direction="received",socket_type="PULL"} 1.0' in text


def test_a_sidecar_answers_too(keys: Path) -> None:
    with reserved() as port, zmq.Context() as context, context.socket(zmq.PULL) as program:
        inside = f"tcp://127.0.0.1:{program.bind_to_random_port('tcp://127.0.0.1')}"
        ends = ("--listen", "tcp://127.0.0.1:*", "--forward", inside)
        own = ("--key", keys / "server.key_secret", "--any-client", "--metrics", str(port))
        page = f"http://127.0.0.1:{port}/metrics"
        with Sidecar("server", *ends, *own), urllib.request.urlopen(page) as answer:
            assert "qzmq_active_connections" in answer.read().decode()


def test_the_dashboard_asks_for_what_exists_and_for_all_of_it() -> None:
    dashboard = json.loads(DASHBOARD.read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked = {name for query in queries for name in METRIC.findall(query)}
    exist = {family.name: SUFFIXES[family.type] for family in metrics.Metrics().registry.collect()}
    assert asked <= {name + suffix for name, suffixes in exist.items() for suffix in suffixes}
    for name, suffixes in exist.items():
        assert any(name + suffix in asked for suffix in suffixes), f"no panel shows {name}"
