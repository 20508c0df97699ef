"""Metadata and the socket types that may talk, libzmq itself being the oracle for the latter."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

import qzmq_ref
from qzmq_ref import z85
from qzmq_ref.alerts import Alert, LocalError
from qzmq_ref.metadata import MAX_METADATA, Property, build_metadata, parse_metadata
from qzmq_ref.patterns import accept_properties, added_properties, check_identity_is_pin, legal_peers
from qzmq_ref.raw import RawBinding
from qzmq_ref.registries import AeadId, AlertDescription, CipherSuite, HashId, KemId, SigId
from qzmq_ref.spec.tables import tables
from qzmq_ref.zmtp import ZmtpBinding, command, greeting, ready

NAME_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+"
SUITE = CipherSuite(KemId.X25519_ML_KEM_768, SigId.ML_DSA_44, AeadId.AES_256_GCM, HashId.SHA_256)
TYPES = [row["Socket-Type"] for row in tables()["socket-types"]]
PUBLIC, SECRET = qzmq_ref.keypair()
RESERVED = ["User-Id", "Peer-Address", "X-QZMQ-Peer", "X-QZMQ-Anything", "__", "__name"]

names = st.lists(st.sampled_from(NAME_CHARACTERS), min_size=1, max_size=30).map(bytes)
values = st.binary(max_size=40)
properties = st.lists(st.builds(Property, names, values), max_size=8, unique_by=lambda each: each.name.lower())


def any_case(name: str) -> st.SearchStrategy[bytes]:
    return st.tuples(*(st.sampled_from([letter.lower(), letter.upper()]) for letter in name)).map(
        lambda letters: "".join(letters).encode()
    )


def refusal(octets: bytes, socket_type: bytes = b"DEALER") -> Alert:
    with pytest.raises(Alert) as raised:
        accept_properties(octets, socket_type)
    return raised.value


def from_router(*more: Property) -> bytes:
    """Metadata that a DEALER accepts but for what is added."""
    return build_metadata((Property(b"Socket-Type", b"ROUTER"), *more))


# -------------------------------------------------------------------- metadata


@given(sent=properties)
def test_metadata_comes_out_as_it_went_in(sent: list[Property]) -> None:
    octets = build_metadata(sent)
    assert parse_metadata(octets) == tuple(sent)
    assert octets == b"".join(
        bytes([len(each.name)]) + each.name + len(each.value).to_bytes(4, "big") + each.value for each in sent
    )


@given(sent=properties.filter(bool), data=st.data())
def test_a_cut_or_a_trailing_octet_is_refused(sent: list[Property], data: st.DataObject) -> None:
    """PAT-3; a cut between two properties is other metadata, and legal."""
    octets = build_metadata(sent)
    ends = {len(build_metadata(sent[:count])) for count in range(len(sent))}
    cut = data.draw(st.integers(0, len(octets) - 1).filter(lambda cut: cut not in ends))
    for wrong in (octets[:cut], octets + b"\x01"):
        alert = refusal(wrong)
        assert (alert.description, alert.requirement) == (AlertDescription.DECODE_ERROR, "PAT-3")


def test_the_size_of_all_metadata_is_bounded() -> None:
    """PAT-3, at a receiver and at the sender."""
    fits = Property(b"n", bytes(MAX_METADATA - 6))
    assert parse_metadata(build_metadata([fits])) == (fits,)
    with pytest.raises(LocalError, match="PAT-3"):
        build_metadata([fits, Property(b"m", b"")])
    assert refusal(build_metadata([fits]) + b"\x01m\0\0\0\0").requirement == "PAT-3"


@given(octet=st.integers(0, 255).filter(lambda octet: octet not in NAME_CHARACTERS))
def test_other_characters_in_names_are_refused(octet: int) -> None:
    """PAT-4."""
    name = b"X-" + bytes([octet])
    assert refusal(bytes([len(name)]) + name + bytes(4)).requirement == "PAT-4"
    with pytest.raises(LocalError, match="PAT-4"):
        build_metadata([Property(name, b"")])


def test_an_empty_name_is_refused() -> None:
    assert refusal(bytes(5)).requirement == "PAT-3"


@given(name=names, swapped=st.booleans())
def test_a_name_twice_is_refused_whatever_its_case(name: bytes, swapped: bool) -> None:
    """PAT-4."""
    other = name.swapcase() if swapped else name
    octets = b"".join(bytes([len(each)]) + each + bytes(4) for each in (name, other))
    alert = refusal(octets)
    assert (alert.description, alert.requirement) == (AlertDescription.DECODE_ERROR, "PAT-4")


@given(octets=st.binary(max_size=200))
def test_any_octets_end_in_properties_or_an_alert(octets: bytes) -> None:
    """Nothing else is raised, whatever a peer sends."""
    try:
        parsed = parse_metadata(octets)
    except Alert:
        return
    assert build_metadata(parsed) == octets


# -------------------------------------------------------------------- what a receiver makes of it


@given(name=st.sampled_from(RESERVED).flatmap(any_case), value=values)
def test_reserved_names_never_reach_the_application(name: bytes, value: bytes) -> None:
    """PAT-5."""
    kept = Property(b"X-Qzmq", b"kept")
    assert accept_properties(from_router(Property(name, value), kept), b"DEALER")[1:] == (kept,)


@given(socket_type=any_case("Socket-Type"), identity=any_case("Identity"), resource=any_case("Resource"))
def test_known_names_become_canonical(socket_type: bytes, identity: bytes, resource: bytes) -> None:
    """PAT-6: libzmq would not find them otherwise."""
    sent = [Property(socket_type, b"ROUTER"), Property(identity, b"me"), Property(resource, b"it")]
    accepted = accept_properties(build_metadata(sent), b"DEALER")
    assert [each.name for each in accepted] == [b"Socket-Type", b"Identity", b"Resource"]


@pytest.mark.parametrize("identity", [b"\0", b"\0abcd", bytes(256), b"x" * 256])
def test_an_identity_that_routers_make_up_is_refused(identity: bytes) -> None:
    """PAT-7."""
    alert = refusal(from_router(Property(b"identity", identity)))
    assert (alert.description, alert.requirement) == (AlertDescription.ILLEGAL_PARAMETER, "PAT-7")


@pytest.mark.parametrize("identity", [b"", b"a\0b", b"x" * 255])
def test_other_identities_are_accepted(identity: bytes) -> None:
    sent = Property(b"Identity", identity)
    assert accept_properties(from_router(sent), b"DEALER")[1] == sent


@pytest.mark.parametrize("pin", [None, bytes(32)])
@pytest.mark.parametrize("identity", [b"", b"me", z85.encode(bytes(32)), z85.encode(b"\1" * 32)])
def test_an_identity_other_than_the_pin_is_refused_on_demand(pin: bytes | None, identity: bytes) -> None:
    """PAT-9."""
    sent = (Property(b"Identity", identity),)
    if not identity or (pin and identity == z85.encode(pin)):
        check_identity_is_pin(sent, pin)
        return
    with pytest.raises(Alert) as raised:
        check_identity_is_pin(sent, pin)
    assert (raised.value.description, raised.value.requirement) == (AlertDescription.ACCESS_DENIED, "PAT-9")


def test_raw_has_no_metadata() -> None:
    """PAT-8."""
    assert accept_properties(b"", b"") == ()
    alert = refusal(from_router(), b"")
    assert (alert.description, alert.requirement) == (AlertDescription.ILLEGAL_PARAMETER, "PAT-8")


@given(pin=st.binary(min_size=32, max_size=32))
def test_added_properties_are_the_specifications(pin: bytes) -> None:
    """PAT-10, in the order of table `added-properties`; none of them could have come from the peer (PAT-5)."""
    added = added_properties(pin, SUITE, "192.0.2.1")
    assert [each.name.decode() for each in added] == [row["Property"] for row in tables()["added-properties"]]
    found = {each.name: each.value for each in added}
    assert found[b"User-Id"] == found[b"X-QZMQ-Peer"] == z85.encode(pin)
    assert len(found[b"X-QZMQ-Peer"]) == 40
    assert found[b"X-QZMQ-Suite"] == b"X25519_ML_KEM_768/ML_DSA_44/AES_256_GCM/SHA_256"
    assert accept_properties(from_router(*added), b"DEALER") == (Property(b"Socket-Type", b"ROUTER"),)


def test_an_anonymous_client_has_no_user_id() -> None:
    found = {each.name for each in added_properties(None, SUITE, "")}
    assert found == {b"X-QZMQ-Mechanism", b"X-QZMQ-Suite"}


# -------------------------------------------------------------------- socket types


def test_the_relation_is_symmetric() -> None:
    pairs = {(own, peer) for own, peers in legal_peers().items() for peer in peers}
    assert pairs == {(peer, own) for own, peer in pairs}


@pytest.mark.parametrize("octets", [b"", from_router()])
@pytest.mark.parametrize("own", ["SUB", "STREAM", "NONE"])
def test_a_pair_outside_the_table_is_refused(own: str, octets: bytes) -> None:
    """PAT-1, a missing Socket-Type included."""
    alert = refusal(octets, own.encode())
    assert (alert.description, alert.requirement) == (AlertDescription.HANDSHAKE_FAILURE, "PAT-1")


@pytest.fixture(scope="module")
def context() -> Iterator[zmq.Context[zmq.Socket[bytes]]]:
    with zmq.Context() as context:
        yield context


@pytest.mark.parametrize("own", TYPES)
def test_the_table_is_libzmqs(context: zmq.Context[zmq.Socket[bytes]], own: str) -> None:
    """A real socket of each type meets a peer that says it is of each type: it talks, or it hangs up."""
    with context.socket(getattr(zmq, own)) as bound:
        bound.linger = 0
        port = bound.bind_to_random_port("tcp://127.0.0.1")
        talks = {peer for peer in [*TYPES, "STREAM", "NONE"] if _talks(port, peer.encode())}
    assert {peer.encode() for peer in talks} == legal_peers()[own.encode()] & {peer.encode() for peer in TYPES}


@pytest.fixture
def secured() -> Iterator[qzmq_ref.Context]:
    with qzmq_ref.Context() as context:
        yield context


@pytest.mark.parametrize("own", [*TYPES, "STREAM"])
def test_stream_speaks_raw_and_all_others_zmtp(secured: qzmq_ref.Context, own: str) -> None:
    """PAT-2, by the first octets on the wire; a peer of the other binding is hung up on, long before its time is up."""
    bindings: list[RawBinding | ZmtpBinding] = [RawBinding("server"), ZmtpBinding("server")]
    right, other = bindings if own == "STREAM" else reversed(bindings)
    with secured.socket(getattr(zmq, own)) as bound:
        bound.linger = 0
        bound.qzmq_secretkey = SECRET
        port = bound.bind_to_random_port("tcp://127.0.0.1")
        with socket.create_connection(("127.0.0.1", port), timeout=3) as peer:
            assert _receives(peer, right.greeting())
            peer.sendall(other.greeting())
            assert not _receives(peer, b"QZMQ")


@pytest.mark.parametrize("transport", ["udp", "pgm", "epgm", "norm", "tipc", "vmci", "ws", "wss"])
def test_a_transport_that_cannot_be_secured_is_refused(secured: qzmq_ref.Context, transport: str) -> None:
    """PAT-11, with everything else as it should be."""
    with secured.socket(zmq.PAIR) as refused:
        refused.qzmq_secretkey, refused.qzmq_serverkey = SECRET, PUBLIC
        for attach in (refused.bind, refused.connect):
            with pytest.raises(LocalError, match=f"does not secure {transport}:"):
                attach(f"{transport}://127.0.0.1:5555")


def _talks(port: int, socket_type: bytes) -> bool:
    """Whether the socket answers a PING behind our READY, as it does once it has accepted the peer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as peer:
        peer.sendall(greeting(b"NULL", as_server=False) + ready([Property(b"Socket-Type", socket_type)]))
        if not _receives(peer, b"\x05READY"):
            return False
        peer.sendall(command(b"PING", bytes(2)))
        return _receives(peer, command(b"PONG", b""))


def _receives(peer: socket.socket, wanted: bytes) -> bool:
    """Whether these octets come before the end."""
    received = b""
    while wanted not in received:
        try:
            octets = peer.recv(4096)
        except ConnectionError:
            return False
        if not octets:
            return False
        received += octets
    return True
