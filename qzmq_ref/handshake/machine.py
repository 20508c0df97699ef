"""The interpreter of table `handshake` (spec/handshake.md): `step(session, event, ...)` is the whole state machine.

No transition exists outside the table. Its guards, actions and sends are the functions of the same names in
`client`, `server` and `closing`; what does not match is an error at import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias

from qzmq_ref.alerts import Alert
from qzmq_ref.handshake import client, closing, peers, puzzle, rekey, resume, server, zap
from qzmq_ref.handshake.messages import parse_body
from qzmq_ref.handshake.outputs import Ended, Established
from qzmq_ref.handshake.session import Session, known
from qzmq_ref.registries import AlertDescription, MessageType
from qzmq_ref.spec.tables import tables

Guard: TypeAlias = Callable[[Session, Any], bool]
Action: TypeAlias = Callable[[Session, Any], Session]
Sender: TypeAlias = Callable[[Session], Session]

_GUARDS: tuple[Guard, ...] = (
    closing.is_close_notify,
    rekey.offer_is_open,
    rekey.may_rekey,
    puzzle.puzzle_is_due,
    resume.early_is_accepted,
    resume.early_was_announced,
    zap.asks_zap,
)
_ACTIONS: tuple[Action, ...] = (
    client.accept_server_hello,
    client.trust_server,
    client.verify_server,
    client.encapsulate,
    client.verify_finished,
    puzzle.accept_hello_retry,
    puzzle.solve_puzzle,
    puzzle.refuse_cookie,
    resume.resume,
    resume.accept_ticket,
    resume.discard_tickets,
    resume.deliver_early,
    resume.discard_early,
    puzzle.make_puzzle,
    puzzle.check_solution,
    server.check_client_hello,
    server.select_suite,
    server.generate_kem_key,
    server.decapsulate,
    server.open_client_auth,
    server.verify_client,
    server.trust_client,
    rekey.generate_offer,
    rekey.accept_request,
    rekey.accept_ack,
    rekey.accept_offer,
    peers.accept_metadata,
    zap.ask_zap,
    zap.admit,
    zap.refuse,
    closing.deliver,
    closing.end_by_alert,
    closing.end_by_close,
    closing.notify_close,
    closing.cancel,
)
_SENDERS: tuple[Sender, ...] = (
    client.client_hello,
    puzzle.second_client_hello,
    resume.new_tickets,
    puzzle.hello_retry,
    client.client_key,
    server.server_hello,
    server.finished,
    rekey.key_offer,
    rekey.key_request,
    rekey.key_update_ack,
    rekey.empty_data,
    closing.alert,
    closing.sealed_alert,
)


class TableError(Exception):
    """The tables of spec/handshake.md do not fit together, or not with this code."""


@dataclass(frozen=True)
class Row:
    """One transition, its names replaced by functions."""

    id: str
    roles: frozenset[str]
    state: str
    receives: str
    epoch: str
    guard: Guard | None
    actions: tuple[Action, ...]
    sends: tuple[Sender, ...]
    next: str


def step(session: Session, event: str, body: bytes = b"", epoch: str = "") -> Session:
    """The session after one message or local event; what is to be done stands in its `outputs`.

    `event` is a message type's name with `body` its octets behind the type octet, or its plaintext, and `epoch`
    `plain` or the record's generation; or it is a local event such as `(close)`. A fault of the peer ends the
    session with an alert (HS-18, ALR-3). A local event without a row changes nothing.
    """
    session = session.but(outputs=())
    if session.state == "closed":
        return session
    if event.startswith("("):
        row = _row(session, event, epoch, None)
        return _run(session, row, None) if row else session
    try:
        message = _parse(session, event, body, epoch)
        row = _row(session, event, epoch, message)
        if row is None:
            raise _unexpected(session, event, epoch)
    except Alert as alert:
        return fail(session, alert)
    return _run(session.but(received=bytes([MessageType[event.upper()]]) + body, epoch=epoch), row, message)


def fail(session: Session, alert: Alert) -> Session:
    """End the session for a fault of the peer: one alert, sealed if there is a sending key (ALR-1 to ALR-3), none
    after a close_notify (CLS-1)."""
    send = closing.sealed_alert if session.sealing else closing.alert
    if session.state not in ("closing", "closed"):
        session = send(session.but(pending_alert=alert.description))
    return session.but(state="closed").emit(Ended("alert", alert.with_traceback(None)))


def rows_for(session: Session, event: str, epoch: str) -> tuple[Row, ...]:
    """The rows of the session's role and state for this event, guarded ones first."""
    rows = TABLE.get((session.configuration.role, session.state, event), ())
    return tuple(row for row in rows if _epoch_fits(row.epoch, epoch))


def _epoch_fits(column: str, epoch: str) -> bool:
    return epoch not in ("", "plain", "early", "0") if column == "1+" else column == epoch


def _parse(session: Session, event: str, body: bytes, epoch: str) -> Any:
    if not rows_for(session, event, epoch):
        raise _unexpected(session, event, epoch)
    return parse_body(MessageType[event.upper()], body, session.hash.length if session.suite else 0)


def _row(session: Session, event: str, epoch: str, message: Any) -> Row | None:
    """The first row whose guard holds."""
    rows = rows_for(session, event, epoch)
    return next((row for row in rows if row.guard is None or row.guard(session, message)), None)


def _unexpected(session: Session, event: str, epoch: str) -> Alert:
    detail = f"{event} ({epoch or 'plain'}) has no place in state {session.state} of a {session.configuration.role}"
    return Alert(AlertDescription.UNEXPECTED_MESSAGE, "HS-18", detail)


def _run(session: Session, row: Row, message: Any) -> Session:
    """The row's actions in order; one that fails stops it, and what the earlier ones learned serves the alert."""
    for action in row.actions:
        try:
            session = action(session, message)
        except Alert as alert:
            return fail(session, alert)
    for send in row.sends:
        session = send(session)
    if row.next == "established" != session.state:
        session = session.emit(Established(known(session.peer)))
    return session.but(state=row.next, received=b"")


def _load() -> Mapping[tuple[str, str, str], tuple[Row, ...]]:
    """Table `handshake`, checked (architecture rule: it must fit the code, and the code it)."""
    guards = _named(_GUARDS, "guards", "Guard")
    actions = _named(_ACTIONS, "actions", "Action")
    senders = _named(_SENDERS, "sends", "Sends")
    rows = [
        Row(
            id=row["ID"],
            roles=frozenset(("client", "server") if row["Role"] == "both" else (row["Role"],)),
            state=row["State"],
            receives=row["Receives"],
            epoch=row["Epoch"],
            guard=guards[row["Guard"]] if row["Guard"] else None,
            actions=tuple(actions[name] for name in _names(row["Action"])),
            sends=tuple(senders[name] for name in _names(row["Sends"])),
            next=row["Next"],
        )
        for row in tables()["handshake"]
    ]
    used = {function.__name__ for row in rows for function in (row.guard, *row.actions, *row.sends) if function}
    if unused := {*guards, *actions, *senders} - used:
        raise TableError(f"no row of table handshake uses {', '.join(sorted(unused))}")
    _check_reachable(rows)
    return _index(rows)


def _named(functions: tuple[Any, ...], table: str, column: str) -> dict[str, Any]:
    """Functions by name, which must be exactly those of the table."""
    found = {function.__name__: function for function in functions}
    if difference := found.keys() ^ {row[column] for row in tables()[table]}:
        raise TableError(f"table {table} and the code differ in {', '.join(sorted(difference))}")
    return found


def _names(cell: str) -> list[str]:
    return [name.strip() for name in cell.split(",") if name]


def _check_reachable(rows: list[Row]) -> None:
    for role in ("client", "server"):
        own = [row for row in rows if role in row.roles]
        reached = {"start"}
        while more := {row.next for row in own if row.state in reached} - reached:
            reached |= more
        if lost := {row.state for row in own} - reached:
            raise TableError(f"a {role} never reaches {', '.join(sorted(lost))}")


def _index(rows: list[Row]) -> Mapping[tuple[str, str, str], tuple[Row, ...]]:
    """(role, state, event) -> rows, guarded ones first; at most one may lack a guard for the same epoch."""
    index: dict[tuple[str, str, str], tuple[Row, ...]] = {}
    for row in sorted(rows, key=lambda row: row.guard is None):
        for role in row.roles:
            key = (role, row.state, row.receives)
            if row.guard is None and any(
                other.guard is None and other.epoch == row.epoch for other in index.get(key, ())
            ):
                raise TableError(f"{row.id}: a second row without a guard for {key}")
            index[key] = (*index.get(key, ()), row)
    return index


TABLE = _load()
"""Rows of table `handshake` by (role, state, event)."""

STATES: tuple[str, ...] = tuple(
    dict.fromkeys(chain.from_iterable((row.state, row.next) for rows in TABLE.values() for row in rows))
)
"""Names of all states."""
