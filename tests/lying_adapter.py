"""The reference's adapter with one lie: `python -m tests.lying_adapter NAME`."""

# ruff: noqa: ARG002  (who lies does not listen)

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qzmq_conformance.reference import Reference, Socket
from qzmq_conformance.scaffold import Adapter, Answer, Library, Refused, Request, Unsupported, emit


class Plaintext(Reference):
    """Claims security, and leaves it out."""

    def open(self, request: Request) -> tuple[Socket, str]:
        return super().open({**request, "security": None})


class Careless(Reference):
    """Claims puzzles, and never asks for one."""

    def open(self, request: Request) -> tuple[Socket, str]:
        policy = {**request["security"]["policy"], "retry": "never"}
        return super().open({**request, "security": {**request["security"], "policy": policy}})


class Repentant(Reference):
    """Claims every pattern, and says `unsupported` when it comes to it."""

    def open(self, request: Request) -> tuple[Socket, str]:
        raise Unsupported(f"pattern {request['pattern']}")


class Modest(Reference):
    """Tells the truth: it has no puzzles, and is no client."""

    capabilities: Mapping[str, Sequence[str]] = {
        **Reference.capabilities,
        "features": [name for name in Reference.capabilities["features"] if name != "retry"],
        "roles": ["server"],
    }


class Empty(Reference):
    """Claims nothing."""

    capabilities: Mapping[str, Any] = {place: [] for place in Reference.capabilities}


class Boastful(Reference):
    """Claims what there is not."""

    capabilities: Mapping[str, Sequence[str]] = {**Reference.capabilities, "suites": ["rot13/none/none/none"]}


class Liar(Adapter[Socket]):
    """Lies about one verb, once it has introduced itself."""

    def __init__(self, library: Library[Socket], verb: str, instead: Callable[[Request], Answer]) -> None:
        super().__init__(library, emit)
        honest = self._verbs[verb]
        self._verbs[verb] = lambda request: instead(request) if request["case"] or verb == "recv" else honest(request)


class Eager(Adapter[Socket]):
    """Answers every verb, whatever it is."""

    def _answer(self, request: Request) -> None:
        if request["verb"] in self._verbs:
            super()._answer(request)
        else:
            self._emit({"id": request["id"]})


class Versatile(Adapter[Socket]):
    """Has vectors of every kind, whatever it is."""

    def vector(self, request: Request) -> Answer:
        return super().vector(request) if request["kind"] in self._library.capabilities["vectors"] else {"output": {}}


class Compliant(Adapter[Socket]):
    """Has every feature, whatever it is."""

    def open(self, request: Request) -> Answer:
        return super().open({**request, "features": []})


class Meddling(Reference):
    """Does another thing than it is asked for."""

    def rekey(self, socket: Socket, *, generation: bool) -> None:
        """Nothing."""

    def resume(self, socket: Socket, *, ticket: bool) -> None:
        """Nothing."""

    def export(self, socket: Socket, label: str, context: bytes, length: int) -> bytes:
        return bytes(length)

    def vector(self, kind: str, operation: str, given: Request) -> Answer:
        answer = super().vector(kind, operation, given)
        return {**answer, "secret": "00" * 32} if "secret" in answer else answer

    def events(self, socket: Socket) -> tuple[Sequence[Answer], Mapping[str, int]]:
        events, counters = super().events(socket)
        return [{**event, **({"requirement": "REC-1"} if "requirement" in event else {})} for event in events], counters


class Forgetful(Reference):
    """Claims all of the protocol, and says `unsupported` when it comes to it."""

    def export(self, socket: Socket, label: str, context: bytes, length: int) -> bytes:
        raise Unsupported("action export")

    def vector(self, kind: str, operation: str, given: Request) -> Answer:
        raise Unsupported(f"vectors of kind {kind}")

    def events(self, socket: Socket) -> tuple[Sequence[Answer], Mapping[str, int]]:
        raise Unsupported("verb events")


class Misjudging(Reference):
    """Refuses what must be refused, but not so."""

    def __init__(self, alert: str = "", at: int | None = None) -> None:
        super().__init__()
        self._alert, self._at = alert, at

    def vector(self, kind: str, operation: str, given: Request) -> Answer:
        try:
            return super().vector(kind, operation, given)
        except Refused as refused:
            told: Answer = refused.answer
            raise Refused(self._alert or told["alert"], told.get("at") if self._at is None else self._at) from None


def _hangs(_: Request) -> Answer:
    time.sleep(60)
    return {}


def _dies(_: Request) -> Answer:
    raise SystemExit("this is the end")


def _rambles(_: Request) -> Answer:
    print("some debugging output")
    return {}


ADAPTERS: Mapping[str, Callable[[], Adapter[Socket]]] = {
    "plaintext": lambda: Adapter(Plaintext(), emit),
    "careless": lambda: Adapter(Careless(), emit),
    "repentant": lambda: Adapter(Repentant(), emit),
    "modest": lambda: Adapter(Modest(), emit),
    "empty": lambda: Adapter(Empty(), emit),
    "boastful": lambda: Adapter(Boastful(), emit),
    "eager": lambda: Eager(Reference(), emit),
    "compliant": lambda: Compliant(Reference(), emit),
    "hangs": lambda: Liar(Reference(), "open", _hangs),
    "hangs-later": lambda: Liar(Reference(), "recv", _hangs),
    "dies": lambda: Liar(Reference(), "open", _dies),
    "rambles": lambda: Liar(Reference(), "open", _rambles),
    "ignores": lambda: Liar(Reference(), "open", lambda _: {}),
    "deaf-recv": lambda: Liar(Reference(), "recv", lambda _: {"messages": []}),
    "versatile": lambda: Versatile(Reference(), emit),
    "deaf-events": lambda: Liar(Reference(), "events", lambda _: {"events": [], "counters": []}),
    "meddling": lambda: Adapter(Meddling(), emit),
    "forgets-itself": lambda: Adapter(Forgetful(), emit),
    "echo": lambda: Liar(Reference(), "vector", lambda request: request["input"]),
    "yes-man": lambda: Liar(Reference(), "vector", lambda _: {"output": {}}),
    "another-alert": lambda: Adapter(Misjudging("internal_error"), emit),
    "another-place": lambda: Adapter(Misjudging(at=0), emit),
    "garbled": lambda: Liar(Reference(), "recv", lambda _: {"messages": [{"socket": 1, "parts": ["xyz"]}]}),
}


if __name__ == "__main__":
    ADAPTERS[sys.argv[1]]().run(sys.stdin)
