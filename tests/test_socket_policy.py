"""A policy is taken when a socket binds or connects."""

from __future__ import annotations

import pytest
import zmq

import qzmq_ref
from tests.sockets import TIMEOUT

CONSERVATIVE = "ML_KEM_1024/ML_DSA_65/AES_256_GCM/SHA_384"


@pytest.mark.parametrize("late", [False, True], ids=["in time", "too late"])
def test_a_later_policy_is_for_later_binds(late: bool) -> None:
    """POL-14."""
    with qzmq_ref.Context() as context, context.socket(zmq.PULL) as server, context.socket(zmq.PUSH) as client:
        preset = "default" if late else "conservative"
        public, server.qzmq_secretkey = qzmq_ref.keypair(preset)
        server.rcvtimeo = TIMEOUT
        client.linger = 0
        for socket in (server, client):
            socket.qzmq_policy = preset
        server.bind("tcp://127.0.0.1:*")
        client.qzmq_serverkey = public
        client.connect(server.get_string(zmq.LAST_ENDPOINT))
        for socket in (server, client):
            socket.qzmq_policy = "conservative"
        client.send(b"")
        suite = server.recv(copy=False).get("X-QZMQ-Suite")
    assert (suite == CONSERVATIVE) is not late
