"""Early data (spec/resumption.md)."""

from dataclasses import replace
from typing import Any

import pytest

from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import (
    EarlyAnswered,
    EarlyReceived,
    Ended,
    Established,
)
from qzmq_ref.registries import AlertDescription
from tests.resuming import POLICY, World, early_octets, early_status, ended, resumed, session_of


def test_early_data_arrives_before_the_handshake_ends() -> None:
    """RES-14, RES-15, RES-16, HS-70."""
    world = World.make()
    (ticket, _) = world.tickets()
    pair = world.pair(ticket, b"early")
    pair.client.receive(pair.server.data_to_send())
    pair.server_events += pair.server.receive(pair.client.data_to_send())
    assert early_octets(pair) == b"early"
    assert pair.server.state == "wait_client_key"
    assert resumed(pair.exchange())
    assert early_status(pair) == "accepted"
    first = next(event for event in pair.server_events if isinstance(event, EarlyReceived))
    assert first.peer == next(event.peer for event in pair.server_events if isinstance(event, Established))


def test_early_data_is_released_once() -> None:
    """RES-4, RES-16: a replay of the whole first flight releases nothing, at any server of the same store."""
    world = World.make()
    (ticket, _) = world.tickets()
    pair = world.pair(ticket, b"once")
    pair.client.receive(pair.server.data_to_send())
    flight = pair.client.data_to_send()
    released = []
    for _ in range(3):
        server = world.pair().server
        released += [e for e in server.receive(flight) if isinstance(e, EarlyReceived)]
        assert server.state == "wait_client_key"
    assert [event.octets for event in released] == [b"once"]


@pytest.mark.parametrize(
    ("change", "status", "comes_back"),
    [
        (lambda s: replace(s, policy=replace(s.policy, early_data=False)), "rejected", True),
        (lambda s: replace(s, client_pins=None), "undetermined", False),
        (lambda s: replace(s, policy=replace(s.policy, retry="always", difficulty=1)), "undetermined", True),
    ],
)
def test_early_data_that_is_not_accepted(change: Any, status: str, comes_back: bool) -> None:
    """RES-15, RES-17, RES-18, RES-19, HS-71, HS-72: it is discarded, counted, and the session goes on."""
    world = World.make()
    (ticket, _) = world.tickets()
    world.server = change(world.server)
    pair = world.pair(ticket, b"early").exchange()
    assert resumed(pair) is comes_back
    assert early_status(pair) == status
    assert early_octets(pair) == b""


def test_early_data_without_an_answer_is_undetermined() -> None:
    """RES-18."""
    world = World.make()
    (ticket, _) = world.tickets()
    pair = world.pair(ticket, b"early")
    pair.client.receive(pair.server.data_to_send())
    assert pair.client.data_to_send()
    assert pair.client.end_of_file() == [EarlyAnswered("undetermined"), Ended("truncated")]


def test_more_early_data_than_allowed() -> None:
    """RES-14."""
    world = World.make()
    (ticket, _) = world.tickets()
    for octets, message in [(bytes(16385), "RES-14: 16385")]:
        with pytest.raises(LocalError, match=message):
            world.pair(ticket, octets)
    world.client = replace(world.client, policy=replace(POLICY, early_data=False))
    with pytest.raises(LocalError, match="early_data=True"):
        world.pair(ticket, b"x")
    assert resumed(World.make().pair().exchange()) is False


@pytest.mark.parametrize("accepted", [True, False])
def test_a_server_counts_early_records(accepted: bool) -> None:
    """RES-14, RES-17."""
    world = World.make()
    (ticket, _) = world.tickets()
    world.server = replace(world.server, policy=replace(POLICY, early_data=accepted))
    pair = world.pair(ticket, b"x")
    pair.client.receive(pair.server.data_to_send())
    flight = pair.client.data_to_send()
    pair.server.receive(flight)
    before = session_of(pair.server)
    pair.server._session = replace(before, early_records=64)  # noqa: SLF001
    record = flight[-(4 + 33) :]
    if accepted:
        pair.server._early._reader.seq = 0  # type: ignore[union-attr]  # noqa: SLF001
    assert ended(pair.server.receive(record)) == (AlertDescription.UNEXPECTED_MESSAGE, "RES-14")


def test_both_sides_count_the_same_early_records() -> None:
    """HS-15."""
    world = World.make()
    pair = world.pair(world.tickets()[0], b"x")
    pair.client.receive(pair.server.data_to_send())
    session = session_of(pair.client)
    pair.client._session = replace(session, early_records=2)  # noqa: SLF001
    pair.exchange()
    assert ended(pair.server_events) == (AlertDescription.ILLEGAL_PARAMETER, "HS-15")
