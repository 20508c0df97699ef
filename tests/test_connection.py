"""The sans-IO connection over the raw binding: every suite, every cut, every end."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import Configuration, Connection, Ended, Established, Received
from qzmq_ref.policy import Limits, Policy, mode_of, preset_names
from qzmq_ref.registries import AeadId, AlertDescription, CipherSuite, HashId, KemId, SigId
from tests.pairs import Pair, make_pair

SUITES = [
    *(
        CipherSuite(kem, SigId.ML_DSA_44, AeadId.AES_256_GCM, HashId.SHA_256)
        for kem in KemId
        if kem is not KemId.X25519
    ),
    *(CipherSuite(KemId.X25519_ML_KEM_768, sig, AeadId.CHACHA20_POLY1305, HashId.SHA_384) for sig in SigId if sig),
    CipherSuite(KemId.X25519, SigId.ED25519, AeadId.AES_256_GCM, HashId.SHA_512),
]


def policy_of(suite: CipherSuite) -> Policy:
    return Policy((suite,), mode=mode_of(suite) or "")


def received(events: list[Any]) -> bytes:
    return b"".join(event.octets for event in events if isinstance(event, Received))


def ended(events: list[Any]) -> Ended:
    (event,) = [event for event in events if isinstance(event, Ended)]
    return event


def alert_of(events: list[Any]) -> tuple[str, AlertDescription | int]:
    end = ended(events)
    assert end.alert is not None
    return end.reason, end.alert.description


def established(pair: Pair) -> Pair:
    pair.exchange()
    assert pair.client.established
    assert pair.server.established
    return pair


@pytest.mark.parametrize("suite", SUITES, ids=str)
@pytest.mark.parametrize("providers", [("openssl", "pure"), ("pure", "openssl")], ids="-".join)
def test_every_suite_with_both_providers(suite: CipherSuite, providers: tuple[str, str]) -> None:
    """HS-20 to HS-33; openssl and pure agree on every octet, or the handshake would fail."""
    pair = established(make_pair(policy_of(suite), client_provider=providers[0], server_provider=providers[1]))
    assert [event.peer.suite for event in pair.server_events if isinstance(event, Established)] == [suite]
    pair.client.send(b"up")
    pair.server.send(b"down")
    pair.exchange()
    assert (received(pair.server_events), received(pair.client_events)) == (b"up", b"down")


@pytest.mark.parametrize("preset", preset_names())
def test_every_preset(preset: str) -> None:
    """POL-12."""
    pair = established(make_pair(preset))
    assert pair.client.export("label", b"context", 40) == pair.server.export("label", b"context", 40)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 700), st.lists(st.binary(max_size=3000), max_size=4), st.sampled_from([0, 1, 16, 1000]))
def test_any_cut_gives_the_same_octets(cut: int, sends: list[bytes], padding: int) -> None:
    """REC-12, REC-13: cuts of the transport and of records are invisible; so is padding."""
    pair = make_pair(replace(Policy.preset("performance"), record_cut=500, padding=padding))
    pair.exchange(cut)
    for octets in sends:
        pair.client.send(octets)
        pair.server.send(octets[::-1])
    pair.exchange(cut)
    assert received(pair.server_events) == b"".join(sends)
    assert received(pair.client_events) == b"".join(octets[::-1] for octets in sends)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 3), st.data())
def test_a_changed_bit_anywhere_in_the_handshake_ends_it(message: int, data: st.DataObject) -> None:
    """KS-7, HS-6, HS-9, HS-16: neither side then delivers an octet, and one of them names the reason."""
    pair = make_pair("performance")
    for turn in range(4):
        sender, receiver = (pair.client, pair.server) if turn % 2 == 0 else (pair.server, pair.client)
        octets = bytearray(sender.data_to_send())
        if turn == 0:
            receiver.receive(octets)
            octets = bytearray(receiver.data_to_send())
            sender.receive(octets)
            octets = bytearray(sender.data_to_send())
        if turn == message:
            position = data.draw(st.integers(4, len(octets) - 1))
            octets[position] ^= 1 << data.draw(st.integers(0, 7))
        (pair.server_events if receiver is pair.server else pair.client_events).extend(receiver.receive(octets))
    pair.exchange()
    assert not (pair.client.established and pair.server.established)
    assert any(isinstance(event, Ended) for event in pair.client_events + pair.server_events)
    assert received(pair.client_events + pair.server_events) == b""


@pytest.mark.parametrize(
    ("arguments", "server_says", "client_says"),
    [
        ({"trusted": False}, ("peer_alert", 46), ("alert", AlertDescription.CERTIFICATE_UNKNOWN)),
        ({"authorised": False}, ("alert", AlertDescription.ACCESS_DENIED), ("peer_alert", 49)),
        ({"client_key": False}, ("alert", AlertDescription.CERTIFICATE_REQUIRED), ("peer_alert", 116)),
        ({"client_policy": Policy.preset("fips")}, ("alert", AlertDescription.HANDSHAKE_FAILURE), ("peer_alert", 40)),
    ],
)
def test_refusals(arguments: dict[str, Any], server_says: tuple[str, int], client_says: tuple[str, int]) -> None:
    """CERT-3, CERT-4, HS-12, HS-3."""
    pair = make_pair(**arguments).exchange()
    assert alert_of(pair.server_events) == server_says
    assert alert_of(pair.client_events) == client_says


def test_a_refusal_of_the_client_is_authenticated() -> None:
    """ALR-2, ALR-5."""
    assert ended(make_pair(authorised=False).exchange().client_events).authenticated
    assert not ended(make_pair(client_policy=Policy.preset("fips")).exchange().client_events).authenticated


def test_a_key_that_is_not_asked_for_is_not_shown() -> None:
    """HS-10, POL-5, HS-17."""
    pair = established(make_pair(authorised=None))
    assert [event.peer.pin for event in pair.server_events if isinstance(event, Established)] == [None]


def test_close_delivers_what_came_before() -> None:
    """CLS-1, CLS-2, HS-41, HS-43, HS-45."""
    pair = established(make_pair())
    pair.client.send(b"last words")
    pair.client.close()
    assert pair.client.state == "closing"
    with pytest.raises(LocalError, match="closing"):
        pair.client.send(b"more")
    pair.exchange()
    assert received(pair.server_events) == b"last words"
    assert ended(pair.server_events) == ended(pair.client_events) == Ended("closed", authenticated=True)


def test_both_close_at_once() -> None:
    """CLS-3, HS-44, HS-45."""
    pair = established(make_pair())
    pair.server.send(b"crossing")
    pair.server.close()
    pair.client.close()
    pair.exchange()
    assert ended(pair.server_events).reason == ended(pair.client_events).reason == "closed"
    assert received(pair.client_events) == b""


def test_the_end_of_the_stream_without_close_is_truncated() -> None:
    """CLS-4."""
    pair = established(make_pair())
    pair.client.send(b"whole")
    pair.client.send(b"cut off")
    pair.server_events += pair.server.receive(pair.client.data_to_send()[:-1])
    assert received(pair.server_events) == b"whole"
    assert pair.server.end_of_file() == [Ended("truncated")]
    assert pair.server.end_of_file() == []
    pair.client.close()
    assert pair.client.end_of_file() == [Ended("closed")]


@pytest.mark.parametrize("steps", range(4))
def test_giving_up_an_unfinished_handshake(steps: int) -> None:
    """CLS-5, HS-23, HS-27, HS-28, HS-32, HS-35."""
    for role in ("client", "server"):
        pair = make_pair()
        for turn in range(steps):
            sender, receiver = (pair.client, pair.server) if turn % 2 == 0 else (pair.server, pair.client)
            receiver.receive(sender.data_to_send())
        (pair.client if role == "client" else pair.server).close()
        pair.exchange()
        events = pair.server_events if role == "client" else pair.client_events
        assert not pair.client.established
        if events:
            assert alert_of(events) == ("peer_alert", AlertDescription.USER_CANCELED)


def test_steps_by_every_limit_while_octets_flow_both_ways() -> None:
    """ROT-1 to ROT-4 through two connections."""
    policy = replace(Policy.preset("performance"), limits=Limits(step_records=3, step_seconds=5))
    pair = established(make_pair(policy))
    for i in range(100):
        pair.clock.now += 1
        pair.client.send(b"%03d" % i)
        pair.server.send(b"%03d" % i)
        pair.exchange()
    expected = b"".join(b"%03d" % i for i in range(100))
    assert received(pair.server_events) == received(pair.client_events) == expected


def test_the_last_step_closes_the_session() -> None:
    """ROT-6: nothing is lost but what could not be sealed, and the caller sees that."""
    pair = established(make_pair(replace(Policy.preset("performance"), limits=Limits(step_records=1))))
    sent = 0
    while pair.client.established:
        pair.client.send(b"x")
        sent += pair.client.established
        pair.exchange()
    assert sent == 256
    assert received(pair.server_events) == b"x" * 256
    assert ended(pair.server_events).reason == "closed"


def test_misuse_is_a_local_error_that_says_what_to_do() -> None:
    """KS-6, CERT-6, POL-6."""
    pair = make_pair()
    with pytest.raises(LocalError, match="wait for Established"):
        pair.client.send(b"early")
    with pytest.raises(LocalError, match="KS-6"):
        pair.client.export("label", b"", 32)
    policy = Policy.preset("default")
    with pytest.raises(LocalError, match="qzmq keygen"):
        Configuration("server", policy)
    with pytest.raises(LocalError, match="pin"):
        Configuration("client", policy)
    key = pair.server._configuration.key  # noqa: SLF001
    with pytest.raises(LocalError, match="POL-6"):
        Configuration("server", Policy.preset("fips"), key=key)


def test_open_into_stops_where_room_or_octets_end() -> None:
    """The hot path gives back what it could not use."""
    pair = established(make_pair(replace(Policy.preset("performance"), record_cut=100)))
    pair.client.send(bytes(range(250)))
    wire = memoryview(pair.client.data_to_send())
    out = memoryview(bytearray(150))
    first = pair.server.open_into(wire, out)
    assert (first.produced, bytes(out[:100])) == (100, bytes(range(100)))
    second = pair.server.open_into(wire[first.consumed : -1], out)
    assert second.produced == 100
    third = pair.server.open_into(wire[first.consumed + second.consumed :], out)
    assert (third.produced, third.events) == (50, ())
    assert first.consumed + second.consumed + third.consumed == len(wire)


def test_unread_hands_over_what_is_not_whole() -> None:
    pair = established(make_pair())
    pair.client.send(b"octets")
    wire = pair.client.data_to_send()
    assert pair.server.receive(wire[:10]) == []
    assert pair.server.unread() == wire[:10]
    assert received(pair.server.receive(wire)) == b"octets"


BOTH = Policy(Policy.preset("default").suites + Policy.preset("balanced").suites, mixed=True)


def greeted(client: Policy, server: Policy) -> Pair:
    """A pair of which the server has only seen the client's greeting."""
    pair = make_pair(server, client_policy=client)
    pair.server.receive(pair.client.data_to_send())
    return pair


@pytest.mark.parametrize(("client", "fits"), [("default", True), ("balanced", False)])
def test_a_kem_key_is_made_before_it_is_asked_for(client: str, fits: bool) -> None:
    """HS-7: once, for the KEM that the server prefers; a client that wants another gets a key of that."""
    pair = greeted(Policy.preset(client), BOTH)
    keys = []
    for _ in range(2):
        pair.server.prepare()
        keys.append(pair.server._session.kem_key)  # noqa: SLF001
    assert keys[0] is keys[1] is not None
    pair.client.receive(pair.server.data_to_send())
    pair.server.receive(pair.client.data_to_send())
    assert (pair.server._session.kem_key is keys[0]) == fits  # noqa: SLF001
    assert established(pair).server.established


def test_no_key_is_made_for_who_has_not_solved_the_puzzle() -> None:
    """PUZ-1."""
    pair = greeted(Policy.preset("default"), replace(Policy.preset("default"), retry="always"))
    pair.server.prepare()
    assert pair.server._session.kem_key is None  # noqa: SLF001
    assert established(pair).server.established


def test_keys_are_gone_when_they_are_done() -> None:
    """KS-5, ROT-4: what an established session, then a closed one, still holds."""
    pair = established(make_pair())
    for connection in (pair.client, pair.server):
        session = connection._session  # noqa: SLF001
        assert (session.secrets, session.kem_key, session.offer, session.client_hello) == (None, None, b"", b"")
    pair.client.close()
    pair.exchange()
    for connection in (pair.client, pair.server):
        assert (connection._writer, connection._reader) == (None, None)  # noqa: SLF001
        assert connection._session.exp == b""  # noqa: SLF001


def test_a_connection_shows_no_secret() -> None:
    """SEC-7: repr is for logs."""
    assert repr(make_pair().client) == "<Connection client greeting>"


def test_the_type_of_a_message_is_checked_first() -> None:
    """REG-1, REC-1."""
    for body in (b"\x07", b"\xff"):
        connection: Connection = make_pair().server
        connection.receive(b"QZMQ/1C\n")
        events = connection.receive(len(body).to_bytes(4, "big") + body)
        assert alert_of(events) == ("alert", AlertDescription.UNEXPECTED_MESSAGE)
        assert ended(events).alert.requirement == "REG-1"  # type: ignore[union-attr]
    connection = make_pair().server
    connection.receive(b"QZMQ/1C\n")
    end = ended(connection.receive((33).to_bytes(4, "big") + b"\x10" + bytes(32)))
    assert end.alert is not None
    assert end.alert.requirement == "REC-1"


def test_a_fault_found_outside_the_table_repeats_nothing() -> None:
    """REC-1, ALR-3: the server's one alert follows its ServerHello, which is not sent again."""
    pair = make_pair()
    pair.server.receive(pair.client.data_to_send())
    pair.client.receive(pair.server.data_to_send())
    pair.server.receive(pair.client.data_to_send())
    assert pair.server.state == "wait_client_key"
    assert pair.server.data_to_send()
    pair.server.receive((33).to_bytes(4, "big") + b"\x04" + bytes(32))
    assert pair.server.data_to_send() == b"\0\0\0\x02\x30\x0a"


def test_an_alert_keeps_no_frames() -> None:
    """SEC-6: the frames of a failed step hold secrets, and views of the input buffer that must be free again."""
    end = ended(make_pair().server.receive(b"GET / HTTP/1.1\r\n\r\n"))
    assert end.alert is not None
    assert end.alert.__traceback__ is None
