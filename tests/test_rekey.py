"""A new generation by a fresh key exchange, while octets flow both ways (spec/rotation.md, Generation)."""

import gc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.connection import Connection, Ended, Received, Rekeying
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.kem import kem
from qzmq_ref.handshake.machine import step
from qzmq_ref.handshake.messages import KeyUpdate, KeyUpdateAck, KeyUpdateKind, build
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Limits, Policy
from qzmq_ref.registries import KemId
from tests.pairs import Pair, make_pair, seeded

ACTS = ("up", "down", "client step", "server step", "client rekey", "server rekey", "carry up", "carry down")


def established(policy: Policy | str = "performance") -> Pair:
    pair = make_pair(policy).exchange()
    assert pair.client.established
    return pair


def received(pair: Pair) -> tuple[bytes, bytes]:
    up, down = (
        b"".join(event.octets for event in events if isinstance(event, Received))
        for events in (pair.server_events, pair.client_events)
    )
    return up, down


def generations(connection: Connection) -> tuple[int, int]:
    """Generation of the sending and of the receiving key."""
    writer, reader = connection._writer, connection._reader  # noqa: SLF001
    assert writer is not None
    assert reader is not None
    return writer.epoch >> 8, reader.epoch >> 8


def session_of(connection: Connection) -> Session:
    return connection._session  # noqa: SLF001


@pytest.mark.parametrize("preset", ["default", "balanced", "performance", "maximum"])
@pytest.mark.parametrize("role", ["client", "server"])
def test_either_side_starts_a_generation(preset: str, role: str) -> None:
    """HS-50 to HS-55, ROT-7 to ROT-14, KS-8."""
    pair = established(preset)
    for generation in (2, 3):
        (pair.client if role == "client" else pair.server).rekey()
        pair.exchange()
        assert generations(pair.client) == generations(pair.server) == (generation, generation)
        for events in (pair.client_events, pair.server_events):
            assert events[-1] == Rekeying(generation, complete=True)
    pair.client.send(b"up")
    pair.server.send(b"down")
    assert received(pair.exchange()) == (b"up", b"down")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(ACTS), max_size=30))
def test_no_order_of_traffic_steps_and_rekeys_loses_an_octet(acts: list[str]) -> None:
    """ROT-2, ROT-3, ROT-9 to ROT-14: steps, offers, requests and data cross in every way."""
    pair, sent = established(), {"up": b"", "down": b""}
    for number, act in enumerate(acts):
        connection = pair.client if act in ("up", "client rekey", "client step") else pair.server
        if act in sent:
            connection.send(octets := b"%d," % number)
            sent[act] += octets
        elif act.endswith("rekey"):
            connection.rekey()
        elif act.endswith("step"):
            assert connection.step()
        elif act == "carry up":
            pair.server_events += pair.server.receive(pair.client.data_to_send())
        else:
            pair.client_events += pair.client.receive(pair.server.data_to_send())
    pair.exchange()
    assert received(pair) == (sent["up"], sent["down"])
    assert generations(pair.client) == generations(pair.server)


def test_a_step_on_demand() -> None:
    """ROT-2, ROT-3, ROT-6: told at once by an empty record, of one direction, and never beyond the last step."""
    pair = established()
    assert (pair.client.step(), pair.client.step()) == (True, True)
    assert pair.exchange().server.epochs[1] == pair.client.epochs[0] == 0x0102
    assert pair.client.epochs[1] == pair.server.epochs[0] == 0x0100
    assert received(pair) == (b"", b"")
    for _ in range(253):
        assert pair.client.step()
    assert not pair.client.step()
    assert pair.exchange().server.epochs[1] == 0x01FF
    pair.client.close()
    assert not pair.client.step()


def test_no_step_before_the_session() -> None:
    pair = make_pair("performance")
    assert not pair.client.step()
    assert len(pair.client.data_to_send()) == 8


def test_the_old_generation_holds_until_the_peer_uses_the_new_one() -> None:
    """ROT-14: records that were under way when the server acknowledged still count."""
    pair = established()
    pair.client.rekey()
    offer = pair.client.data_to_send()
    pair.client.send(b"under way")
    pair.server_events += pair.server.receive(offer)
    assert generations(pair.server) == (2, 1)
    pair.exchange()
    assert received(pair)[0] == b"under way"
    assert generations(pair.server) == (2, 2)


def test_a_second_offer_or_request_is_never_open() -> None:
    """ROT-9, ROT-10, ROT-11."""
    pair = established()
    for connection in (pair.client, pair.server):
        connection.rekey()
        assert connection.data_to_send()
        connection.rekey()
        assert not connection.data_to_send()


def test_it_is_due_by_time_and_by_steps() -> None:
    """ROT-15."""
    pair = established()
    assert not pair.client.rekey_due()
    pair.clock.now += 3600
    assert pair.client.rekey_due()
    assert pair.server.rekey_due()
    pair.client.rekey()
    pair.exchange()
    assert not pair.client.rekey_due()

    pair = established(replace(Policy.preset("performance"), limits=Limits(step_records=1)))
    while not pair.server.rekey_due():
        pair.client.send(b"x")
        pair.exchange()
    assert generations(pair.client)[0] == 1
    assert pair.client.rekey_due()
    pair.server.rekey()
    pair.exchange()
    assert generations(pair.client) == (2, 2)


def test_it_is_not_due_again_while_the_peer_is_about_to_begin() -> None:
    """ROT-14, ROT-15: after the ack the server still reads step 192 or so of the generation before."""
    pair = established(replace(Policy.preset("performance"), limits=Limits(step_records=1)))
    while not pair.server.rekey_due():
        pair.client.send(b"x")
        pair.exchange()
    pair.client.rekey()
    pair.server.receive(pair.client.data_to_send())
    assert generations(pair.server) == (2, 1)
    assert not pair.server.rekey_due()
    pair.exchange()
    assert not pair.server.rekey_due()


def test_many_generations_outlive_the_steps_of_one() -> None:
    """ROT-6 is met only by a session that never heals; ROT-16 ends even that."""
    pair = established(replace(Policy.preset("performance"), limits=Limits(step_records=1)))
    for number in range(700):
        pair.client.send(b"%d," % number)
        if pair.client.rekey_due():
            pair.client.rekey()
        pair.exchange()
    assert received(pair)[0] == b"".join(b"%d," % number for number in range(700))


def test_generation_255_is_the_last() -> None:
    """ROT-16, ROT-8."""
    pair = established()
    for _ in range(254):
        pair.client.rekey()
        pair.exchange()
    assert generations(pair.client) == (255, 255)
    for connection in (pair.client, pair.server):
        connection.rekey()
        assert not connection.data_to_send()
    pair.client.send(b"still open")
    assert received(pair.exchange())[0] == b"still open"


def x25519_public() -> bytes:
    return kem(KemId.X25519, provider()).generate(seeded("key")).public_key


OFFER, REQUEST = KeyUpdateKind.OFFER, KeyUpdateKind.REQUEST


@pytest.mark.parametrize(
    ("role", "event", "message", "requirement"),
    [
        ("server", "key_update", KeyUpdate(REQUEST, 2, b""), "ROT-7"),
        ("client", "key_update", KeyUpdate(OFFER, 2, x25519_public()), "ROT-7"),
        ("server", "key_update", KeyUpdate(OFFER, 1, x25519_public()), "ROT-8"),
        ("server", "key_update", KeyUpdate(OFFER, 3, x25519_public()), "ROT-8"),
        ("client", "key_update", KeyUpdate(REQUEST, 3, b""), "ROT-8"),
        ("server", "key_update", KeyUpdate(OFFER, 2, x25519_public()[:-1]), "ROT-12"),
        ("server", "key_update", KeyUpdate(OFFER, 2, bytes(32)), "ROT-12"),
        ("client", "key_update_ack", KeyUpdateAck(2, x25519_public()), "HS-18"),
    ],
)
def test_refusals(role: str, event: str, message: object, requirement: str) -> None:
    """ROT-7, ROT-8, ROT-12, HS-18: and a session that fails keeps no new key."""
    pair = established()
    after = step(session_of(getattr(pair, role)), event, build(message), "1")
    ended = next(output for output in after.outputs if isinstance(output, Ended))
    assert ended.alert is not None
    assert ended.alert.requirement == requirement


@pytest.mark.parametrize(
    ("ack", "requirement"),
    [
        (KeyUpdateAck(3, x25519_public()), "ROT-8"),
        (KeyUpdateAck(2, bytes(32)), "ROT-13"),
        (KeyUpdateAck(2, b""), "ROT-13"),
    ],
)
def test_a_wrong_ack_is_refused(ack: KeyUpdateAck, requirement: str) -> None:
    """ROT-8, ROT-13."""
    pair = established()
    pair.client.rekey()
    after = step(session_of(pair.client), "key_update_ack", build(ack), "1")
    ended = next(output for output in after.outputs if isinstance(output, Ended))
    assert ended.alert is not None
    assert ended.alert.requirement == requirement


def octets_reachable_from(root: object) -> set[bytes]:
    """Every bytes object that can be reached from `root`, modules and classes apart."""
    seen: dict[int, object] = {}
    pending = [root]
    while pending:
        current = pending.pop()
        if id(current) in seen or isinstance(current, type) or type(current).__name__ in ("module", "function"):
            continue
        seen[id(current)] = current
        pending += gc.get_referents(current)
    return {bytes(each) for each in seen.values() if isinstance(each, (bytes, bytearray))}


def test_old_keys_are_gone() -> None:
    """ROT-4, KS-5, KS-8: whoever looks into memory after a step, or a generation, finds nothing of before."""
    pair = established()
    ends = (pair.client, pair.server)

    def secrets() -> set[bytes]:
        """Traffic secrets and rekey secrets now in use."""
        found = set()
        for end in ends:
            found |= {end._writer._key.secret, end._reader._key.secret}  # type: ignore[union-attr]  # noqa: SLF001
            found.add(session_of(end).generation_secrets.rekey)  # type: ignore[union-attr]
        return found

    first = secrets()
    assert all(first & octets_reachable_from(end) for end in ends)
    for end in ends:
        end._writer.step()  # type: ignore[union-attr]  # noqa: SLF001
        end.send(b"")
        end.send(b"x")
    pair.exchange()
    stepped = secrets()
    rekey_secrets = {session_of(end).generation_secrets.rekey for end in ends}  # type: ignore[union-attr]
    for end in ends:
        assert not (first - rekey_secrets) & octets_reachable_from(end)
    pair.client.rekey()
    pair.exchange()
    for end in ends:
        assert not (first | stepped) & octets_reachable_from(end)
        assert secrets() & octets_reachable_from(end)


def test_an_offer_from_a_generation_that_the_client_should_have_left() -> None:
    """ROT-9: else the server would forget the keys of the generation in between."""
    pair = established()
    pair.client.rekey()
    pair.server.receive(pair.client.data_to_send())
    assert session_of(pair.server).generation == 2
    after = step(session_of(pair.server), "key_update", build(KeyUpdate(OFFER, 3, x25519_public())), "1")
    ended = next(output for output in after.outputs if isinstance(output, Ended))
    assert ended.alert is not None
    assert ended.alert.requirement == "ROT-9"
