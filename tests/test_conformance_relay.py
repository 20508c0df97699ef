"""The recording relay carries everything and forgets nothing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given, settings
from hypothesis import strategies as st

from qzmq_conformance.relay import Relay


@contextmanager
def relayed() -> Iterator[tuple[Relay, socket.socket, socket.socket]]:
    """A relay with one connection through it: both ends."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Relay(server.getsockname()[:2]) as relay,
        socket.create_connection(("127.0.0.1", relay.port), timeout=5) as near,
        server.accept()[0] as far,
    ):
        far.settimeout(5)
        yield relay, near, far


def read_to_end(end: socket.socket) -> bytes:
    octets = b""
    while piece := end.recv(1 << 16):
        octets += piece
    return octets


@settings(max_examples=20)
@given(there=st.binary(max_size=5000), back=st.binary(max_size=5000))
def test_both_directions_arrive_and_are_recorded(there: bytes, back: bytes) -> None:
    with relayed() as (relay, near, far):
        near.sendall(there)
        near.shutdown(socket.SHUT_WR)
        assert read_to_end(far) == there
        far.sendall(back)
        far.shutdown(socket.SHUT_WR)
        assert read_to_end(near) == back
        assert relay.recordings() == (there, back)


def test_octets_are_found_across_pieces() -> None:
    with relayed() as (relay, near, far):
        for piece in (b"..nee", b"dle.."):
            near.sendall(piece)
            assert far.recv(5) == piece
        assert relay.carried(b"needle")
        assert not relay.carried(b"haystack")


def test_an_upstream_that_refuses_closes_the_connection() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()[:2]
    with Relay(address) as relay, socket.create_connection(("127.0.0.1", relay.port)) as near:
        near.settimeout(5)
        assert near.recv(1) == b""


def test_leaving_ends_every_thread() -> None:
    before = threading.active_count()
    with relayed() as (_, near, far):
        near.sendall(b"still open")
        assert far.recv(10) == b"still open"
    assert threading.active_count() == before
