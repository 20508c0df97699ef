"""A policy is taken when a socket binds or connects."""

from __future__ import annotations

import weakref

import pytest
import zmq

import qzmq_ref
from qzmq_ref.registries import SigId
from qzmq_ref.socket.security import SigningKeys
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


def test_sockets_share_a_secret_key_and_the_last_takes_it_along() -> None:
    """SEC-6."""
    keys, seed = SigningKeys(), bytes(32)
    first = keys.key(SigId.ML_DSA_44, seed)
    assert keys.key(SigId.ML_DSA_44, seed) is first
    assert keys.key(SigId.ML_DSA_65, seed) != first != keys.key(SigId.ML_DSA_44, bytes(31) + b"\1")
    left = weakref.ref(first)
    del first
    assert left() is None
