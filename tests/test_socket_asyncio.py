"""The asyncio form, and sockets and Contexts that shadow others."""

from __future__ import annotations

import asyncio
from typing import Any

import zmq

import qzmq_ref
import qzmq_ref.asyncio
from tests.sockets import QZMQ, client_keys, endpoint_of, running, server_keys


async def converse(context: Any) -> list[bytes]:
    """A hundred questions, and the answers."""
    server, client = context.socket(zmq.REP), context.socket(zmq.REQ)
    server.qzmq_secretkey = server_keys()[1]
    server.bind("tcp://127.0.0.1:*")
    client.qzmq_serverkey, client.qzmq_secretkey = server_keys()[0], client_keys()[1]
    client.connect(endpoint_of(server))

    async def answer() -> None:
        for _ in range(100):
            await server.send((await server.recv()).upper())

    answering = asyncio.create_task(answer())
    answers = []
    for number in range(100):
        await client.send(f"question {number}".encode())
        assert await client.poll(5000)
        answers.append(await client.recv())
    await answering
    server.close()
    client.close()
    return answers


def test_questions_and_answers() -> None:
    with qzmq_ref.asyncio.Context() as context:
        answers = asyncio.run(converse(context))
    assert answers == [f"QUESTION {number}".encode() for number in range(100)]


def test_a_context_that_shadows_another_shares_its_bridge() -> None:
    with running(QZMQ) as stage:
        shadow = qzmq_ref.asyncio.Context(stage.context)
        assert shadow.slot.bridge() is stage.context.slot.bridge()
        assert len(asyncio.run(converse(shadow))) == 100


def test_the_instances_are_their_own() -> None:
    contexts = [module.Context.instance() for module in (zmq, qzmq_ref, qzmq_ref.asyncio)]
    assert len({id(context) for context in contexts}) == 3
    assert qzmq_ref.Context.instance() is contexts[1]
    for context in contexts[1:]:
        context.term()
