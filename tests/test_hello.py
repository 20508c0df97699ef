"""What the two hellos say of a policy, and what is drawn anew for each handshake."""

from __future__ import annotations

import os
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.crypto import Invalid, provider
from qzmq_ref.crypto.signature import SigningKey, public_key
from qzmq_ref.handshake.client import client_signed, server_signed
from qzmq_ref.handshake.configuration import Configuration
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import ClientHello, ServerHello
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Policy, mode_of, modes, preset_names
from qzmq_ref.registries import AeadId, CipherSuite, ClientAuthRequest, HashId, KemId, SigId
from qzmq_ref.spec.schema import load

GREASE = {0x0A + 0x10 * n for n in range(16)}
HASHES = (HashId.SHA_256, HashId.SHA_384, HashId.SHA_512)
SUITES = [CipherSuite(*parts) for parts in product(KemId, SigId, AeadId, HASHES)]


def policies() -> st.SearchStrategy[Policy]:
    """Any list of suites of one mode."""

    def of(mode: str) -> st.SearchStrategy[Policy]:
        suites = st.sampled_from([suite for suite in SUITES if mode_of(suite) == mode])
        return st.lists(suites, min_size=1, max_size=5, unique=True).map(lambda chosen: Policy(tuple(chosen), mode))

    return st.sampled_from(sorted(modes())).flatmap(of)


def client_hello(policy: Policy) -> tuple[Session, ClientHello]:
    pin = frozenset({bytes(32)})
    session = step(Session(Configuration("client", policy, server_pins=pin), b"", os.urandom), "(begin)")
    return session, load().parse(ClientHello, session.client_hello[1:])


def server_hello(policy: Policy) -> tuple[Session, ServerHello]:
    """A server's answer to a client of the same policy; it asks for the client's key."""
    key = SigningKey.from_seed(policy.signature, os.urandom(32), provider())
    configuration = Configuration("server", policy, key, client_pins=frozenset())
    client, _ = client_hello(policy)
    session = step(Session(configuration, b"", os.urandom), "client_hello", client.client_hello[1:], "plain")
    return session, load().parse(ServerHello, session.server_hello[1:])


@given(policies())
def test_a_client_offers_its_policy_in_order_and_one_grease(policy: Policy) -> None:
    """POL-2, REG-11."""
    _, hello = client_hello(policy)
    assert hello.suites[:-1] == policy.suites
    grease: Any = hello.suites[-1]
    assert grease.kem == grease.sig == grease.aead == grease.hash
    assert grease.kem in GREASE


@pytest.mark.parametrize("preset", preset_names())
def test_a_server_asks_for_every_signature_of_its_modes(preset: str) -> None:
    """POL-4, REG-12."""
    policy = Policy.preset(preset)
    _, hello = server_hello(policy)
    request = load().parse(ClientAuthRequest, hello.extensions[0].extension_data)
    listed = {algorithm for algorithm in request.algorithms if isinstance(algorithm, SigId)}
    assert listed == modes()[policy.mode].signatures
    assert set(request.algorithms) - listed <= GREASE


def test_randoms_and_kem_keys_are_new_each_time() -> None:
    """HS-7, HS-8."""
    policy = Policy.preset("default")
    hellos = [server_hello(policy)[1] for _ in range(3)]
    assert len({client_hello(policy)[1].random for _ in range(3)}) == 3
    assert len({hello.random for hello in hellos}) == 3
    assert len({hello.kem_public_key for hello in hellos}) == 3


def test_a_signature_of_one_role_is_none_of_the_other() -> None:
    """CERT-5."""
    session, hello = server_hello(Policy.preset("default"))
    key = session.configuration.key
    assert key is not None
    verifier = public_key(key.spki, provider())
    as_server, as_client = server_signed(session, hello), client_signed(session, hello.certificate)
    verifier.verify(hello.signature, as_server)
    with pytest.raises(Invalid):
        verifier.verify(hello.signature, as_client)
    with pytest.raises(Invalid):
        verifier.verify(key.sign(as_client, os.urandom), as_server)
