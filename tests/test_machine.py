"""The interpreter of table `handshake`: nothing but its rows happens, and a table that does not fit is refused."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from qzmq_ref.connection import Connection, Ended
from qzmq_ref.handshake import machine
from qzmq_ref.handshake.machine import STATES, TABLE, TableError, rows_for, step
from qzmq_ref.handshake.messages import SEALED, STRUCTURES
from qzmq_ref.handshake.outputs import Send
from qzmq_ref.handshake.session import Session
from qzmq_ref.policy import Policy
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import tables
from tests.pairs import make_pair

EPOCHS = ("plain", "0", "1")


def session_in(role: str, state: str) -> Session:
    """A session that got to `state` through a real handshake."""
    at: dict[str, Session] = {}
    for retry, zap in (("never", False), ("always", False), ("never", True)):
        policy = replace(Policy.preset("default"), retry=retry, difficulty=1)  # type: ignore[arg-type]
        pair = make_pair(policy, zap=zap)
        connection: Connection = getattr(pair, role)
        at["start"] = connection._session  # noqa: SLF001
        for _ in range(4):
            pair.server.receive(pair.client.data_to_send())
            at.setdefault(connection.state, connection._session)  # noqa: SLF001
            pair.client.receive(pair.server.data_to_send())
            at.setdefault(connection.state, connection._session)  # noqa: SLF001
    at["closing"] = step(at["established"], "(close)")
    return at[state]


PAIRS = [(role, state) for role in ("client", "server") for state in STATES if (role, state) != ("server", "closed")
         and any(key[:2] == (role, state) for key in TABLE)]  # fmt: skip


@pytest.mark.parametrize(("role", "state"), PAIRS)
def test_whatever_is_not_in_the_table_is_unexpected(role: str, state: str) -> None:
    """HS-18, ALR-1, ALR-2, CLS-1: every (state, message, epoch) without a row."""
    session = session_in(role, state)
    for message_type in STRUCTURES:
        for epoch in EPOCHS if message_type in SEALED else EPOCHS[:1]:
            name = message_type.name.lower()
            if rows_for(session, name, epoch):
                continue
            after = step(session, name, b"", epoch)
            sent = [output.type for output in after.outputs if isinstance(output, Send)]
            (ended,) = [output for output in after.outputs if isinstance(output, Ended)]
            assert ended.alert is not None
            assert (ended.alert.description, ended.alert.requirement) == (AlertDescription.UNEXPECTED_MESSAGE, "HS-18")
            assert after.state == "closed"
            sealed = MessageType.SEALED_ALERT if session.sealing else MessageType.ALERT
            assert sent == ([] if state == "closing" else [sealed])


def test_a_closed_session_hears_nothing() -> None:
    """ALR-3."""
    closed = step(session_in("client", "start"), "(close)")
    assert closed.state == "closed"
    assert step(closed, "server_hello", b"", "plain").outputs == ()


def test_a_local_event_without_a_row_changes_nothing() -> None:
    session = session_in("client", "established")
    assert step(session, "(begin)").state == "established"
    assert step(session, "(begin)").outputs == ()


def test_data_in_an_established_session_is_delivered_and_changes_nothing_else() -> None:
    """HS-40: what `Connection` takes as its shortcut is what the row says."""
    session = session_in("server", "established")
    after = step(session, "data", b"octets", "1")
    assert [(type(output).__name__, output.octets) for output in after.outputs] == [("Received", b"octets")]  # type: ignore[union-attr]
    assert after.state == "established"


@pytest.mark.parametrize(
    ("table", "which", "change", "message"),
    [
        ("handshake", "HS-24", {"Action": "accept_metadata"}, "no row of table handshake uses"),
        ("handshake", "HS-21", {"State": "nowhere"}, "a client never reaches nowhere"),
        ("handshake", "HS-22", {"Receives": "server_hello"}, "a second row without a guard"),
        ("actions", 0, {"Action": "unknown"}, "table actions and the code differ"),
        ("guards", 0, {"Guard": "unknown"}, "table guards and the code differ"),
        ("sends", 0, {"Sends": "unknown"}, "table sends and the code differ"),
    ],
)
def test_a_table_that_does_not_fit_is_an_error_at_import(
    monkeypatch: pytest.MonkeyPatch, table: str, which: int | str, change: Mapping[str, str], message: str
) -> None:
    rows: list[Mapping[str, Any]] = list(tables()[table])
    row = which if isinstance(which, int) else next(i for i, row in enumerate(rows) if row["ID"] == which)
    rows[row] = {**rows[row], **change}
    altered = {**tables(), table: tuple(rows)}
    monkeypatch.setattr(machine, "tables", lambda: altered)
    with pytest.raises(TableError, match=message):
        machine._load()  # noqa: SLF001
