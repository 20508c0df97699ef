"""What an application asks of its sessions: a step, a generation, keying material, to come back without a ticket."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import zmq

import qzmq_ref
import qzmq_ref.asyncio
from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.observer import Direction
from qzmq_ref.connection import Configuration, Ended, Peer
from tests.sockets import QZMQ, Stage, client_keys, endpoint_of, eventually, running, server_keys


class Seen:
    """A watch of every connection of a Context."""

    def __init__(self, stage: Stage) -> None:
        self.resumed: list[bool] = []
        self.steps: Counter[tuple[str, Direction]] = Counter()
        self.generations: Counter[str] = Counter()
        stage.context.slot.observe = lambda configuration: _Watch(self, configuration)


class _Watch:
    def __init__(self, seen: Seen, configuration: Configuration) -> None:
        self._seen, self._role = seen, configuration.role

    def carried(self, direction: Direction, octets: int, messages: int, seconds: float) -> None: ...

    def stepped(self, direction: Direction, steps: int) -> None:
        self._seen.steps[self._role, direction] += steps

    def rekeyed(self, seconds: float | None) -> None:  # noqa: ARG002
        self._seen.generations[self._role] += 1

    def established(self, peer: Peer, seconds: float) -> None:  # noqa: ARG002
        self._seen.resumed.append(peer.resumed)

    def ended(self, ended: Ended, *, established: bool) -> None: ...


@pytest.fixture
def stage() -> Iterator[Stage]:
    with running(QZMQ) as found:
        yield found


def socket_of(stage: Stage, kind: int, **options: Any) -> Any:
    """A socket with its security lines, of a type that mypy lets have them."""
    return stage.socket(kind, **options)


def connected(stage: Stage, **options: Any) -> tuple[Any, Any]:
    """A PULL that is bound and a PUSH, between which a message has gone."""
    pull, push = socket_of(stage, zmq.PULL), socket_of(stage, zmq.PUSH, **options)
    pull.bind("tcp://127.0.0.1:*")
    push.connect(endpoint_of(pull))
    push.send(b"first")
    assert pull.recv() == b"first"
    return pull, push


def test_a_step_is_of_the_sending_key_and_taken_at_once(stage: Stage) -> None:
    seen = Seen(stage)
    pull, push = connected(stage)
    assert push.rekey() == push.rekey() == 1
    assert seen.steps["client", "sent"] == 2
    assert pull.rekey() == 1
    eventually(lambda: seen.steps["server", "received"] == 2 and seen.steps["client", "received"] == 1)
    assert not seen.generations


@pytest.mark.parametrize("asks", ["client", "server"])
def test_either_side_begins_a_generation(stage: Stage, asks: str) -> None:
    seen = Seen(stage)
    pull, push = connected(stage)
    assert (push if asks == "client" else pull).rekey(generation=True) == 1
    eventually(lambda: seen.generations == {"client": 1, "server": 1})
    push.send(b"after")
    assert pull.recv() == b"after"


def test_messages_flow_while_keys_change(stage: Stage) -> None:
    """Four threads ask for keys, of both sides, while a fifth sends."""
    seen = Seen(stage)
    pull, push = connected(stage)
    asking = [
        threading.Thread(target=lambda end=end, kind=kind: [end.rekey(kind) for _ in range(20)])
        for end in (pull, push)
        for kind in (False, True)
    ]
    sending = threading.Thread(target=lambda: [push.send(b"%d" % number) for number in range(2000)])
    for thread in (*asking, sending):
        thread.start()
    assert [pull.recv() for _ in range(2000)] == [b"%d" % number for number in range(2000)]
    for thread in (*asking, sending):
        thread.join()
    assert seen.steps["client", "sent"] == seen.steps["server", "sent"] == 20
    assert seen.generations["client"] >= 1


def test_nobody_there_is_no_error(stage: Stage) -> None:
    lonely = socket_of(stage, zmq.PUSH)
    assert lonely.rekey() == 0
    pull, push = connected(stage)
    push.close(linger=0)
    eventually(lambda: pull.rekey() == 0)


def test_peers_are_chosen_by_key_and_by_endpoint(stage: Stage) -> None:
    seen = Seen(stage)
    pulls = [socket_of(stage, zmq.PULL) for _ in range(2)]
    push = socket_of(stage, zmq.PUSH)
    for pull in pulls:
        pull.bind("tcp://127.0.0.1:*")
        push.connect(endpoint_of(pull))
    eventually(lambda: push.rekey() == 2)
    before = seen.steps["client", "sent"]
    assert push.rekey(endpoint=endpoint_of(pulls[0])) == 1
    assert push.rekey(peer=server_keys()[0]) == 2
    assert push.rekey(peer=client_keys()[0].decode()) == 0
    assert push.rekey(endpoint="tcp://127.0.0.1:1") == 0
    assert seen.steps["client", "sent"] == before + 3
    with pytest.raises(LocalError, match="peer is not a key"):
        push.rekey(peer="me")


def test_both_ends_export_the_same(stage: Stage) -> None:
    """KS-6."""
    pull, push = connected(stage)
    mine = push.export("EXPERIMENTAL test", b"context", 48)
    assert mine == pull.export("EXPERIMENTAL test", b"context", 48)
    assert len(mine) == 48
    others = {push.export("EXPERIMENTAL test", b"", 48), push.export("another", b"context", 48), mine}
    assert len(others) == 3
    push.rekey(generation=True)
    assert push.export("EXPERIMENTAL test", b"context", 48) == mine


def test_export_wants_one_session(stage: Stage) -> None:
    lonely = socket_of(stage, zmq.PULL)
    with pytest.raises(LocalError, match="no session is established"):
        lonely.export("label")
    pull, push = connected(stage)
    with pytest.raises(LocalError, match="KS-6: the exporter wants a label of 1 to 249 octets"):
        push.export("")
    with pytest.raises(LocalError, match="gives 1 to 8160"):
        push.export("label", length=8161)
    other = socket_of(stage, zmq.PULL)
    other.bind("tcp://127.0.0.1:*")
    push.connect(endpoint_of(other))
    eventually(lambda: push.rekey() == 2)
    with pytest.raises(LocalError, match="2 peers are connected"):
        push.export("label")
    assert push.export("label", endpoint=endpoint_of(pull)) == pull.export("label", peer=client_keys()[0])
    assert push.export("label", endpoint=endpoint_of(other)) == other.export("label")


def test_a_client_comes_back_with_its_ticket_or_without(stage: Stage) -> None:
    seen = Seen(stage)
    pull, push = connected(stage, reconnect_ivl=20)
    for resume in (True, False, True):
        push.qzmq_resume = resume
        assert push.qzmq_resume is resume
        endpoint = endpoint_of(pull)
        push.disconnect(endpoint)
        eventually(lambda: push.rekey() == 0)
        push.connect(endpoint)
        push.send(b"again")
        assert pull.recv() == b"again"
        assert seen.resumed[-2:] == [resume, resume]


def test_asyncio_sockets_have_the_same() -> None:
    async def meet() -> tuple[int, int, bool]:
        context: Any = qzmq_ref.asyncio.Context()
        server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
        server.qzmq_secretkey, client.qzmq_serverkey = server_keys()[1], server_keys()[0]
        server.bind("tcp://127.0.0.1:*")
        client.connect(server.last_endpoint.decode())
        await client.send(b"ping")
        await server.recv()
        equal = client.export("label") == server.export("label")
        found = client.rekey(), server.rekey(generation=True), equal
        await server.send(b"pong")
        assert await client.recv() == b"pong"
        context.destroy(linger=0)
        return found

    assert asyncio.run(meet()) == (1, 1, True)


def test_the_type_is_pyzmqs_own() -> None:
    assert issubclass(qzmq_ref.Socket, zmq.Socket)
    assert not hasattr(zmq.Socket, "rekey")
    assert not hasattr(zmq.Socket, "export")
