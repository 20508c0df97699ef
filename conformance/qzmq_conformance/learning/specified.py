"""The machine that the table `handshake` specifies, over inputs that are messages or the end of the application.

Guards and refusals are abstracted: what a row does depends on the state, on whether a client's offer is open, and on
the variant of the input. Left out are early data, ZAP and `(rekey)`, which nobody outside the target can cause at will.
The states `closing` and `closed` are one: a target whose linger time is 0 need not read any more (CLS-3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from qzmq_conformance.handshake import SEALING, rows_for
from qzmq_conformance.learning.mealy import OVER, Mealy, Step, Word
from qzmq_ref.handshake.configuration import Role
from qzmq_ref.spec.tables import Row, requirements, tables

OVERSIZED = "oversized"
CLOSE = "(close)"
END = "end"
SILENCE = "-"

_PROTECTION = {row["Type"]: row["Protection"] for row in tables()["messages"]}
_VARIANTS = {
    "client_hello": ("", "solved"),
    "sealed_alert": ("", "close_notify"),
    "key_update": ("offer", "request"),
}
ALPHABET: Word = (
    OVERSIZED,
    *(f"{kind}-{variant}".rstrip("-") for kind in _PROTECTION for variant in _VARIANTS.get(kind, ("",))),
    CLOSE,
)
"""The header of a message that is too long, every message type in the variants that a guard or a check tells apart,
and the end of the target's application."""

_GENERATION = {"wait_finished": "0", "established": "1+"}
"""What column Epoch says of records that the target can open in a state."""

_REFUSED: Mapping[tuple[str, str], str] = {
    ("check_solution", ""): "PUZ-4",
    ("refuse_cookie", "solved"): "PUZ-5",
    ("make_puzzle", "solved"): "PUZ-5",
    ("accept_request", "offer"): "ROT-7",
    ("accept_offer", "request"): "ROT-7",
}
"""(action, variant of the input) -> the requirement whose alert the action ends the session with."""

_SAID = {
    "client_hello": "client_hello",
    "second_client_hello": "client_hello",
    "key_offer": "key_update-offer",
    "new_tickets": "",  # the policy of a learned target asks for none
}
"""Where what the peer sees of a send has another name than the send."""

_PREPARED = {"notify_close": "close_notify", "cancel": "user_canceled"}
"""action -> the description that `alert` and `sealed_alert` send."""


@dataclass(frozen=True)
class State:
    """A state of the table, and what the guards about it depend on."""

    name: str
    offer: bool = False

    def __str__(self) -> str:
        return f"{self.name}+offer" if self.offer else self.name


CLOSED = State("closed")


@dataclass(frozen=True)
class Move:
    """What the table says of one input in one state: the outputs, the next state, and the rules that say so."""

    outputs: Word
    next: State
    rules: Word

    @property
    def output(self) -> str:
        """The outputs as one symbol."""
        return ", ".join((*self.outputs, *([END] if self.next == CLOSED else []))) or SILENCE


@dataclass(frozen=True)
class Specification:
    """The table, read for one role of the target. `puzzle`: it is a server that always asks for one."""

    role: Role
    puzzle: bool = False

    @property
    def initial(self) -> State:
        """Where a target is when the peer can speak first: a client has begun by then."""
        return State("start") if self.role == "server" else State("wait_server_hello")

    def machine(self, alphabet: Word = ALPHABET) -> Mealy:
        """All of it that can be reached by these inputs."""
        transitions: dict[str, dict[str, Step]] = {}
        waiting = [self.initial]
        while waiting:
            state = waiting.pop(0)
            if str(state) not in transitions:
                moves = {symbol: self.move(state, symbol) for symbol in alphabet}
                transitions[str(state)] = {
                    symbol: Step(OVER if state == CLOSED else move.output, str(move.next))
                    for symbol, move in moves.items()
                }
                waiting += [move.next for move in moves.values()]
        return Mealy(str(self.initial), transitions)

    def moves(self, word: Word) -> Iterator[Move]:
        """The moves on a word."""
        state = self.initial
        for symbol in word:
            move = self.move(state, symbol)
            yield move
            state = move.next

    def move(self, state: State, symbol: str) -> Move:
        """One row of the table, or the alert where there is none (HS-18)."""
        if state == CLOSED:
            return Move((), CLOSED, ())
        if symbol == OVERSIZED:
            return _alert(state, "record_overflow", "REC-3" if state.name == "established" else "HS-1")
        kind, _, variant = symbol.partition("-")
        row = next((row for row in self._rows(state, kind) if self._holds(row["Guard"], state, variant)), None)
        if row is None:
            sealed = _PROTECTION[kind] == "sealed"
            return _alert(state, "unexpected_message", "REC-1" if sealed and state.name not in SEALING else "HS-18")
        actions = _names(row["Action"])
        for action in actions:
            if rule := _REFUSED.get((action, variant)):
                return _alert(state, requirements()[rule].alerts[0], rule)
        return Move(tuple(_outputs(row, actions)), _next(state, row, actions), (row["ID"],))

    def _rows(self, state: State, kind: str) -> Iterator[Row]:
        sealed = _PROTECTION.get(kind) == "sealed"
        epoch = "" if kind == CLOSE else _GENERATION.get(state.name, "none") if sealed else "plain"
        return (row for row in rows_for(self.role, state.name, kind) if row["Epoch"] == epoch)

    def _holds(self, guard: str, state: State, variant: str) -> bool:
        return {
            "": True,
            "asks_zap": False,
            "is_close_notify": variant == "close_notify",
            "offer_is_open": state.offer,
            "puzzle_is_due": self.puzzle,
        }[guard]


def _alert(state: State, description: str, rule: str) -> Move:
    """The end of the session for a fault of the peer."""
    if state.name in SEALING:
        return Move((f"sealed_alert {description}",), CLOSED, (rule, "ALR-2"))
    return Move((f"alert {description}",), CLOSED, (rule, "ALR-1"))


def _outputs(row: Row, actions: Word) -> Iterator[str]:
    """What the peer sees of a row; the target's application returns what it is given."""
    if "deliver" in actions:
        yield "data"
    prepared = next((_PREPARED[action] for action in actions if action in _PREPARED), "")
    for send in _names(row["Sends"]):
        said = _SAID.get(send, send)
        if said:
            yield f"{said} {prepared}" if said.endswith("alert") else said


def _next(state: State, row: Row, actions: Word) -> State:
    if row["Next"] in ("closing", "closed"):
        return CLOSED
    offer = (state.offer or "generate_offer" in actions) and "accept_ack" not in actions
    return replace(state, name=row["Next"], offer=offer)


def _names(cell: str) -> Word:
    return tuple(name.strip() for name in cell.split(",") if name)
