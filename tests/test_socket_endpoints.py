"""Endpoints: what binds and connects, under which name, what is refused, and what is free again afterwards."""

from __future__ import annotations

import os
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq

import qzmq_ref
from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.endpoints import UNSECURED
from tests.ports import reserved
from tests.sockets import NULL, QZMQ, AnySocket, Stage, client_keys, endpoint_of, eventually, running, server_keys

WRONG = [
    "", "nonsense", "tcp://", "tcp://127.0.0.1", "tcp://127.0.0.1:port",
    "foo://bar", "ipc://" + "x" * 120,
]  # fmt: skip


@pytest.fixture
def stage() -> Iterator[Stage]:
    with running(QZMQ) as stage:
        yield stage


def deliver(sender: AnySocket, receiver: AnySocket) -> None:
    """One message passes."""
    sender.send(b"message")
    assert receiver.recv() == b"message"


def pair(stage: Stage, address: str) -> tuple[AnySocket, AnySocket]:
    """A PULL bound to the address and a PUSH connected to it."""
    pull, push = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
    pull.bind(address)
    push.connect(endpoint_of(pull))
    return push, pull


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:*", "tcp://*:0", "tcp://lo:*", "ipc://*", "ipc://@qzmq-test-{pid}"]
)
def test_last_endpoint_is_where_the_network_finds_it(stage: Stage, address: str) -> None:
    push, pull = pair(stage, address.format(pid=os.getpid()))
    deliver(push, pull)
    assert endpoint_of(pull) == endpoint_of(push)
    assert endpoint_of(pull).startswith(address[:6])
    assert "*" not in endpoint_of(pull)


def test_ipv6(stage: Stage) -> None:
    pull, push = stage.socket(zmq.PULL, ipv6=1), stage.socket(zmq.PUSH, ipv6=1)
    pull.bind("tcp://[::1]:*")
    assert endpoint_of(pull).startswith("tcp://[::1]:")
    push.connect(endpoint_of(pull))
    deliver(push, pull)


def test_ipc_path_comes_and_goes_as_with_libzmq(stage: Stage, tmp_path: Path) -> None:
    path = tmp_path / "socket"
    path.write_text("left behind")
    push, pull = pair(stage, f"ipc://{path}")
    deliver(push, pull)
    assert stat.S_ISSOCK(path.stat().st_mode)
    pull.unbind(f"ipc://{path}")
    assert not path.exists()


def test_names_are_resolved(stage: Stage) -> None:
    pull, push = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
    pull.bind("tcp://localhost:*")
    push.connect(endpoint_of(pull).replace("127.0.0.1", "localhost"))
    deliver(push, pull)


def test_connect_from_a_given_address(stage: Stage) -> None:
    pull, push = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
    pull.bind("tcp://127.0.0.1:*")
    push.connect(endpoint_of(pull).replace("tcp://", "tcp://127.0.0.2:0;"))
    push.send(b"message")
    assert pull.recv(copy=False).get("X-QZMQ-Peer-Address") == "127.0.0.2"


def test_several_endpoints_per_socket(stage: Stage) -> None:
    server, client = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
    other = stage.socket(zmq.PULL)
    for each in (server, server, other):
        each.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(each))
    server.bind("ipc://*")
    client.connect(endpoint_of(server))
    inproc = "inproc://beside"
    server.bind(inproc)
    client.connect(inproc)
    eventually(lambda: client.poll(0, zmq.POLLOUT) != 0)
    heard = 0
    for _ in range(500):
        client.send(b"message")
        heard += sum(1 for each in (server, other) if each.poll(1) and each.recv())
        if heard >= 25:
            return
    pytest.fail("messages are lost")


@pytest.mark.parametrize("address", WRONG)
@pytest.mark.parametrize("verb", ["bind", "connect"])
def test_wrong_endpoints_raise_what_libzmq_raises(stage: Stage, verb: str, address: str) -> None:
    with running(NULL) as plain_stage, pytest.raises(zmq.ZMQError) as plain:
        getattr(plain_stage.socket(zmq.PULL), verb)(address)
    with pytest.raises(zmq.ZMQError) as raised:
        getattr(stage.socket(zmq.PULL), verb)(address)
    assert plain.value.errno in (None, raised.value.errno)


@pytest.mark.parametrize("port", ["65536", "-1", "٣"])
def test_ports_that_libzmq_would_wrap_around_are_refused(stage: Stage, port: str) -> None:
    for verb in ("bind", "connect"):
        with pytest.raises(zmq.ZMQError):
            getattr(stage.socket(zmq.PULL), verb)(f"tcp://127.0.0.1:{port}")


def test_an_address_in_use_is_refused(stage: Stage) -> None:
    first, second = stage.socket(zmq.PULL), stage.socket(zmq.PULL)
    first.bind("tcp://127.0.0.1:*")
    with pytest.raises(zmq.ZMQError) as raised:
        second.bind(endpoint_of(first))
    assert raised.value.errno == zmq.EADDRINUSE


@pytest.mark.parametrize("transport", sorted(UNSECURED))
def test_other_transports_are_refused(stage: Stage, transport: str) -> None:
    """PAT-11: and the message says what to use."""
    for verb in ("bind", "connect"):
        with pytest.raises(LocalError, match=r"tcp.*ipc"):
            getattr(stage.socket(zmq.PULL), verb)(f"{transport}://127.0.0.1:5555")


def test_a_socket_without_keys_refuses() -> None:
    """CERT-6: the error names the attribute to set, and nothing listens or connects."""
    with running(QZMQ) as stage, socket.create_server(("127.0.0.1", 0)) as bystander:
        bystander.settimeout(0.1)
        bare = stage.bare(zmq.DEALER)
        with pytest.raises(LocalError, match="qzmq_secretkey"):
            bare.bind("tcp://127.0.0.1:*")
        with pytest.raises(LocalError, match="qzmq_serverkey"):
            bare.connect(f"tcp://127.0.0.1:{bystander.getsockname()[1]}")
        bare.qzmq_server = True
        with pytest.raises(LocalError, match="qzmq_secretkey"):
            bare.connect(f"tcp://127.0.0.1:{bystander.getsockname()[1]}")
        with pytest.raises(TimeoutError):
            bystander.accept()


@pytest.mark.parametrize("key", [b"", b"x" * 39, b"~" * 40, "\u00e9" * 40, b"x" * 41])
def test_what_is_no_key_is_refused_without_being_shown(stage: Stage, key: Any) -> None:
    """SEC-7."""
    bare = stage.bare(zmq.PULL)
    bare.qzmq_secretkey = key
    with pytest.raises(LocalError, match="qzmq_secretkey is not a key") as raised:
        bare.bind("tcp://127.0.0.1:*")
    assert not key or repr(key)[2:-1] not in str(raised.value)


def test_a_public_key_must_belong_to_its_secret(stage: Stage) -> None:
    bare = stage.bare(zmq.PULL)
    bare.qzmq_secretkey, bare.qzmq_publickey = server_keys()[1], client_keys()[0]
    with pytest.raises(LocalError, match="leave qzmq_publickey out"):
        bare.bind("tcp://127.0.0.1:*")
    bare.qzmq_publickey = server_keys()[0].decode()
    bare.bind("tcp://127.0.0.1:*")


def test_curve_beside_qzmq_is_refused(stage: Stage) -> None:
    both = stage.socket(zmq.PULL)
    both.curve_server = True
    with pytest.raises(LocalError, match="leave those lines out"):
        both.bind("tcp://127.0.0.1:*")


def test_the_connecting_side_may_be_the_server(stage: Stage) -> None:
    binder = stage.bare(zmq.PULL)
    binder.qzmq_server, binder.qzmq_serverkey = False, server_keys()[0]
    binder.bind("tcp://127.0.0.1:*")
    connecter = stage.bare(zmq.PUSH)
    connecter.qzmq_server, connecter.qzmq_secretkey = True, server_keys()[1]
    connecter.connect(endpoint_of(binder))
    connecter.send(b"message")
    assert binder.recv(copy=False).get("User-Id") == server_keys()[0].decode()


def test_unbind_frees_the_port_and_ends_the_sessions(stage: Stage) -> None:
    with reserved() as port:
        push, pull = pair(stage, f"tcp://127.0.0.1:{port}")
        deliver(push, pull)
        address = endpoint_of(pull)
        pull.unbind(address)
        other = stage.socket(zmq.PULL)
        other.bind(address)
    while not other.poll(5):
        assert not pull.poll(0)
        if push.poll(0, zmq.POLLOUT):
            push.send(b"message")
    with pytest.raises(zmq.ZMQError) as raised:
        pull.unbind(address)
    assert raised.value.errno == 2


def test_disconnect_ends_the_session(stage: Stage) -> None:
    push, pull = pair(stage, "tcp://127.0.0.1:*")
    deliver(push, pull)
    push.disconnect(endpoint_of(pull))
    eventually(lambda: push.poll(0, zmq.POLLOUT) == 0)


def test_connect_may_come_before_bind(stage: Stage) -> None:
    with reserved() as port:
        address = f"tcp://127.0.0.1:{port}"
        push = stage.socket(zmq.PUSH, reconnect_ivl=20)
        push.connect(address)
        push.send(b"message")
        pull = stage.socket(zmq.PULL)
        pull.bind(address)
    assert pull.recv() == b"message"


def test_connect_may_come_before_there_is_a_path(stage: Stage, tmp_path: Path) -> None:
    """It is refused at once, in the middle of the attempt, and tried again."""
    push, pull = stage.socket(zmq.PUSH, reconnect_ivl=10), stage.socket(zmq.PULL)
    push.connect(f"ipc://{tmp_path}/later")
    push.send(b"in advance", zmq.DONTWAIT)
    time.sleep(0.1)
    pull.bind(f"ipc://{tmp_path}/later")
    assert pull.recv() == b"in advance"


def test_the_private_hop_is_private(stage: Stage) -> None:
    """SEC-10: a directory that only its owner can enter, gone with the Context."""
    push, pull = pair(stage, "tcp://127.0.0.1:*")
    deliver(push, pull)
    private = Path(stage.context.slot.bridge().private_path()).parent
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert {stat.S_IFMT(each.stat().st_mode) for each in private.iterdir()} == {stat.S_IFSOCK}
    stage.context.destroy(linger=0)
    assert not private.exists()


def test_keypair_is_two_keys() -> None:
    public, secret = qzmq_ref.keypair()
    assert (len(public), len(secret)) == (40, 40)
    assert qzmq_ref.keypair() != (public, secret)
