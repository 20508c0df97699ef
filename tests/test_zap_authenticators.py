"""pyzmq's authenticators before QZMQ sockets: as they are, and with `configure_qzmq`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zmq
import zmq.auth.thread

import qzmq_ref.asyncio
from qzmq_ref.alerts import LocalError
from qzmq_ref.auth import QZMQ_ALLOW_ANY, AsyncioAuthenticator, ThreadAuthenticator, create_keys, load_key
from tests.zap_handlers import World, until

ANONYMOUS = (b"", None)


@pytest.fixture
def world() -> Iterator[World]:
    """QZMQ sockets, and whatever authenticator the test starts."""
    world = World("QZMQ")
    yield world
    world.close()


@pytest.fixture
def authenticator(world: World) -> Iterator[ThreadAuthenticator]:
    """Started, not configured."""
    found = ThreadAuthenticator(world.context)
    found.start()
    yield found
    found.stop()


def admitted(world: World, key: Any = None, domain: bytes = b"") -> str | None:
    """The user id under which a client's message arrives; None if the client is refused for good."""
    server = world.server(domain=domain)
    client = world.client(server, key=key)
    client.socket.send(b"message")
    assert until(lambda: server.socket.poll(0) or server.heard(zmq.Event.HANDSHAKE_FAILED_AUTH, 400))
    if not server.socket.poll(0):
        assert until(lambda: client.heard(zmq.Event.HANDSHAKE_FAILED_AUTH, 400))
        return None
    return str(server.socket.recv(copy=False).get("User-Id"))


def test_nobody_is_admitted_before_it_is_configured(world: World, authenticator: ThreadAuthenticator) -> None:
    assert admitted(world) is None
    authenticator.configure_qzmq("elsewhere", QZMQ_ALLOW_ANY)
    assert admitted(world) is None


def test_a_directory_of_keys(world: World, authenticator: ThreadAuthenticator, tmp_path: Path) -> None:
    create_keys(tmp_path / "alice")
    authenticator.configure_qzmq("*", tmp_path)
    alice = load_key(tmp_path / "alice.key_secret")
    assert admitted(world, (alice.public, alice.secret)) == alice.public.decode()
    assert admitted(world, world.keypair()) is None
    assert admitted(world, ANONYMOUS) is None
    with pytest.raises(LocalError, match="is not a directory"):
        authenticator.configure_qzmq("*", tmp_path / "nowhere")


def test_keys_by_domain(world: World, authenticator: ThreadAuthenticator) -> None:
    """A domain without a list of its own has that of `*`."""
    staff, guest = world.keypair(), world.keypair()
    authenticator.configure_qzmq("*", [staff[0], guest[0].decode()])
    authenticator.configure_qzmq("vault", [staff[0]])
    assert admitted(world, guest, b"lounge")
    assert admitted(world, guest)
    assert admitted(world, staff, b"vault")
    assert admitted(world, guest, b"vault") is None


def test_anyone(world: World, authenticator: ThreadAuthenticator) -> None:
    authenticator.configure_qzmq(location=QZMQ_ALLOW_ANY)
    assert admitted(world) == world.client_key[0].decode()
    assert admitted(world, ANONYMOUS) == "anonymous"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_function_decides(world: World, authenticator: ThreadAuthenticator, *, asynchronous: bool) -> None:
    asked: list[tuple[str, bytes]] = []

    def judge(domain: str, key: bytes) -> bool:
        asked.append((domain, key))
        return key == world.client_key[0]

    async def judge_later(domain: str, key: bytes) -> bool:
        await asyncio.sleep(0)
        return judge(domain, key)

    authenticator.configure_qzmq("global", judge_later if asynchronous else judge)
    assert admitted(world, domain=b"global")
    assert admitted(world, world.keypair(), b"global") is None
    assert asked[0] == ("global", world.client_key[0])


def test_a_function_that_fails_is_an_internal_error(world: World, authenticator: ThreadAuthenticator) -> None:
    """ZAP-9: and the authenticator goes on."""

    def judge(_domain: str, key: bytes) -> bool:
        return bool(1 / (key == world.client_key[0]))

    authenticator.configure_qzmq("*", judge)
    server = world.server()
    stranger = world.client(server, key=world.keypair())
    assert until(lambda: stranger.heard(zmq.Event.HANDSHAKE_FAILED_AUTH, 500))
    assert admitted(world)


def test_names_instead_of_keys(world: World) -> None:
    class Named(ThreadAuthenticator):
        def qzmq_user_id(self, key: bytes) -> str:
            return {world.client_key[0]: "alice"}[key]

    authenticator = Named(world.context)
    authenticator.start()
    authenticator.configure_qzmq("*", QZMQ_ALLOW_ANY)
    assert admitted(world) == "alice"
    authenticator.stop()


@pytest.mark.parametrize(
    ("rule", "address", "passes"),
    [
        ("allow", "127.0.0.1", True),
        ("allow", "192.0.2.1", False),
        ("deny", "127.0.0.1", False),
        ("deny", "192.0.2.1", True),
    ],
)
@pytest.mark.parametrize("mechanism", ["QZMQ", "CURVE"])
def test_address_lists(mechanism: str, rule: str, address: str, *, passes: bool) -> None:
    """ZAP-4: the client's own address, not that of the private hop; over CURVE the same lists do the same."""
    world = World(mechanism)
    authenticator = ThreadAuthenticator(world.context)
    authenticator.start()
    authenticator.configure_qzmq("*", QZMQ_ALLOW_ANY)
    authenticator.configure_curve("*", zmq.auth.CURVE_ALLOW_ANY)
    getattr(authenticator, rule)(address)
    assert (admitted(world) is not None) is passes
    authenticator.stop()
    world.close()


def test_a_denied_address_needs_no_judge(world: World, authenticator: ThreadAuthenticator) -> None:
    authenticator.deny("127.0.0.1")
    authenticator.configure_qzmq("*", lambda _domain, _key: pytest.fail("it was asked"))
    assert admitted(world) is None


def test_what_an_unmodified_authenticator_answers(world: World) -> None:
    """By address alone: it does not know the mechanism, and never looks at a key."""
    authenticator = zmq.auth.thread.ThreadAuthenticator(world.context)
    authenticator.start()
    assert admitted(world) is None
    authenticator.allow("127.0.0.1")
    assert admitted(world) == "anonymous"
    server = world.server()
    server.socket.qzmq_clientkeys = {world.client_key[0]}
    server.socket.bind("tcp://127.0.0.1:*")
    stranger = world.client(server, key=world.keypair())
    assert until(lambda: server.heard(zmq.Event.HANDSHAKE_FAILED_AUTH, 400))
    assert not stranger.heard(zmq.Event.HANDSHAKE_SUCCEEDED)
    authenticator.stop()


def test_the_asyncio_form() -> None:
    """The handler and the sockets in one asyncio loop; nothing of the bridge waits for it."""
    context = qzmq_ref.asyncio.Context()
    server_public, server_secret = qzmq_ref.keypair()
    public, secret = qzmq_ref.keypair()

    async def run() -> Any:
        authenticator = AsyncioAuthenticator(context)
        authenticator.start()
        authenticator.configure_qzmq("*", [public])
        server = context.socket(zmq.PULL)
        server.qzmq_secretkey = server_secret
        server.bind("tcp://127.0.0.1:*")
        client = context.socket(zmq.PUSH)
        client.qzmq_serverkey, client.qzmq_secretkey = server_public, secret
        client.connect(server.getsockopt_string(zmq.LAST_ENDPOINT))
        await client.send(b"message")
        frame = await asyncio.wait_for(server.recv(copy=False), 5)
        authenticator.stop()
        client.close(0)
        server.close(0)
        return frame.get("User-Id")

    assert asyncio.run(run()).encode() == public
    context.destroy(linger=0)


def test_without_a_context_it_is_for_the_sockets_of_ours() -> None:
    """zmq.Context.instance() would be a handler that no QZMQ socket ever asks."""
    assert ThreadAuthenticator().context is qzmq_ref.Context.instance()
    assert AsyncioAuthenticator().context is qzmq_ref.asyncio.Context.instance()
    qzmq_ref.Context.instance().term()
    qzmq_ref.asyncio.Context.instance().term()


def test_other_mechanisms_are_judged_as_before() -> None:
    """A NULL client with a ZAP domain, in the same authenticator."""
    context: zmq.Context[Any] = zmq.Context()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    server = context.socket(zmq.PULL)
    server.zap_domain = b"global"
    server.bind("tcp://127.0.0.1:*")
    client = context.socket(zmq.PUSH)
    client.connect(server.getsockopt_string(zmq.LAST_ENDPOINT))
    client.send(b"message")
    assert server.poll(5000)
    assert server.recv(copy=False).get("User-Id") == "anonymous"
    authenticator.stop()
    context.destroy(linger=0)
