"""The established sessions of one application socket, at all its endpoints, for what the application asks of them."""

from __future__ import annotations

from qzmq_ref.alerts import LocalError
from qzmq_ref.bridge.session import Session


class Sessions:
    """For the loop's thread only, `resume` apart.

    A session is chosen by the pin of its peer (32 octets), by the endpoint that it belongs to, or by both; None stands
    for any.
    """

    def __init__(self) -> None:
        self.resume = True
        """Whether the next connection may offer a ticket."""
        self._endpoints: dict[Session, str] = {}

    def enter(self, session: Session, endpoint: str) -> None:
        """A session begins."""
        self._endpoints[session] = endpoint

    def leave(self, session: Session) -> None:
        """It has ended; nothing happens if it had left before."""
        self._endpoints.pop(session, None)

    def rekey(self, pin: bytes | None, endpoint: str | None, *, generation: bool) -> int:
        """Step the sending keys of the chosen sessions, or ask for a new generation; how many of them did."""
        return sum(session.rekey(generation=generation) for session in self._chosen(pin, endpoint))

    def export(self, pin: bytes | None, endpoint: str | None, label: str, context: bytes, length: int) -> bytes:
        """Keying material of the one session that is chosen (KS-6); LocalError if there is none, or more than one."""
        found = self._chosen(pin, endpoint)
        if not found:
            raise LocalError("KS-6: no session is established with such a peer: wait for a message of it")
        if len(found) > 1:
            raise LocalError(f"{len(found)} peers are connected: say which one, by `peer` or by `endpoint`")
        return found[0].export(label, context, length)

    def _chosen(self, pin: bytes | None, endpoint: str | None) -> list[Session]:
        return [
            session
            for session, place in self._endpoints.items()
            if pin in (None, session.pin) and endpoint in (None, place)
        ]
