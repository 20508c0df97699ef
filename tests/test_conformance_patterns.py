"""The dialogues of the pattern cases, over plain ZMTP: what libzmq answers is what they expect of QZMQ."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from qzmq_conformance.dialogue import messages
from qzmq_conformance.patterns import Side, legal_pairs, run
from qzmq_conformance.stage import Bench, Stage
from qzmq_conformance.target import token

PAIRS = sorted(set(legal_pairs()))


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with Bench() as started:
        yield started


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("target_binds", [True, False])
def test_a_dialogue_delivers_every_message_and_the_relay_reads_along(
    bench: Bench, pair: tuple[str, str], target_binds: bool
) -> None:
    octets = token()
    sides = Side("target", pair[0], bench.target, None), Side("other", pair[1], bench.other, None)
    transcript, clear = run(octets, *(sides if target_binds else sides[::-1]), Stage(bench))
    assert clear
    received = [b"".join(parts) for _, parts in transcript]
    for message in messages(octets):
        assert any(whole.endswith(b"".join(message)) for whole in received)


def test_every_socket_type_has_a_dialogue() -> None:
    types = {"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "STREAM"}
    assert {name for pair in PAIRS for name in pair} == types
