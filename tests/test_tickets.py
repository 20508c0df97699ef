"""Ticket stores: one taker per ticket, whatever the processes do (RES-4)."""

import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_ref.alerts import LocalError
from qzmq_ref.handshake.tickets import ServerTicket, TicketStore
from qzmq_ref.policy import Policy
from qzmq_ref.tickets import MemoryTickets, SqliteTickets
from tests.pairs import Clock

TICKET = ServerTicket(
    b"k" * 32, Policy.preset("default").suites[0], b"certificate", b"metadata", b"d" * 32, 1.5, 100.0, 9
)
Store = Callable[[Clock], TicketStore]


@pytest.fixture(params=["memory", "sqlite"])
def store_at(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return MemoryTickets if request.param == "memory" else lambda clock: SqliteTickets(tmp_path / "tickets", clock)


def test_what_goes_in_comes_out_once(store_at: Store) -> None:
    store = store_at(Clock(50.0))
    store.put(b"identity", TICKET)
    assert store.now() == 50.0
    assert store.peek(b"identity") == store.peek(b"identity") == TICKET
    assert store.peek(b"other") is None
    assert [store.take(b"identity") for _ in range(2)] == [True, False]
    assert store.peek(b"identity") is None


def test_tickets_expire(store_at: Store) -> None:
    """RES-2."""
    clock = Clock(99.9)
    store = store_at(clock)
    store.put(b"identity", TICKET)
    assert store.peek(b"identity") is not None
    clock.now = 100.0
    assert store.peek(b"identity") is None


def test_discarding(store_at: Store) -> None:
    """RES-3."""
    store = store_at(Clock())
    for identity in (b"1", b"2", b"3"):
        store.put(identity, TICKET)
    store.discard((b"1", b"3", b"unknown"))
    assert [store.take(identity) for identity in (b"1", b"2", b"3")] == [False, True, False]


@given(st.integers(1, 5), st.lists(st.integers(0, 9)))
def test_the_oldest_make_room(capacity: int, numbers: list[int]) -> None:
    """In memory: the newest `capacity` are there, and no others."""
    store = MemoryTickets(Clock(), capacity)
    for number in numbers:
        store.take(b"%d" % number)
        store.put(b"%d" % number, TICKET)
    newest = list(dict.fromkeys(reversed(numbers)))[:capacity]
    assert {number for number in range(10) if store.peek(b"%d" % number)} == set(newest)


def test_a_store_without_room_is_refused() -> None:
    with pytest.raises(LocalError, match="tickets=0"):
        MemoryTickets(capacity=0)


def test_one_of_many_threads_takes_it(store_at: Store) -> None:
    """RES-4."""
    store = store_at(Clock())
    taken: list[int] = []
    for number in range(20):
        identity = b"%d" % number
        store.put(identity, TICKET)
        start = threading.Barrier(4)

        def take(identity: bytes = identity, start: threading.Barrier = start) -> None:
            start.wait()
            taken.extend([1] * store.take(identity))

        threads = [threading.Thread(target=take) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(taken) == 20


TAKER = """
import sys
from qzmq_ref.tickets import SqliteTickets
store = SqliteTickets(sys.argv[1])
for number in range(int(sys.argv[2])):
    if store.take(b"%d" % number):
        print(number, flush=True)
"""


def test_a_ticket_is_never_taken_twice_even_across_kill_9(tmp_path: Path) -> None:
    """RES-4: processes are killed in the middle of taking; what one has announced nobody takes again."""
    path, count = tmp_path / "tickets", 3000
    store = SqliteTickets(path)
    store._database.execute("BEGIN")  # noqa: SLF001 (one transaction, for speed)
    for number in range(count):
        store.put(b"%d" % number, replace(TICKET, expires_at=store.now() + 60))
    store._database.execute("COMMIT")  # noqa: SLF001
    announced: list[int] = []
    for killed in (True, True, True, False):
        takers = [
            subprocess.Popen([sys.executable, "-c", TAKER, str(path), str(count)], stdout=subprocess.PIPE, text=True)
            for _ in range(2)
        ]
        for taker in takers:
            assert taker.stdout is not None
            if killed:
                announced += [int(taker.stdout.readline() or -1) for _ in range(20)]
                taker.send_signal(signal.SIGKILL)
            announced += [int(line) for line in taker.stdout.read().split()]
            taker.wait(30)
            taker.stdout.close()
    announced = [number for number in announced if number >= 0]
    assert len(announced) == len(set(announced))
    assert not any(store.take(b"%d" % number) for number in range(count))
    store.close()


def test_the_file_is_private_and_opens_nothing_by_itself(tmp_path: Path) -> None:
    """SEC-7, SEC-8."""
    path = tmp_path / "tickets"
    store = SqliteTickets(path)
    store.put(b"identity", replace(TICKET, expires_at=store.now() + 60))
    store.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for secret in (TICKET.psk, TICKET.psk.hex().encode(), b"identity", b"certificate"):
        assert secret not in b"".join(each.read_bytes() for each in tmp_path.iterdir())
    again = SqliteTickets(path)
    assert again.peek(b"identity") is not None
    again.close()


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="name a file"):
        SqliteTickets(tmp_path / "missing" / "tickets")
    (tmp_path / "text").write_text("not a database, but long enough to be taken for one" * 100)
    with pytest.raises(LocalError, match="not a database"):
        SqliteTickets(tmp_path / "text")
