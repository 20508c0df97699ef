"""The log lines of ended connections: which rule, which peer; the same facts as fields, for logs that are searched."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from qzmq_ref.alerts import Alert
from qzmq_ref.connection import Connection, Ended
from qzmq_ref.registries import AlertDescription

STATUS: Mapping[int, int] = {
    AlertDescription.ACCESS_DENIED: 400,
    AlertDescription.CERTIFICATE_REQUIRED: 400,
    AlertDescription.CERTIFICATE_UNKNOWN: 400,
    AlertDescription.INTERNAL_ERROR: 500,
}
"""ZAP's status (RFC 27) for alerts that say who the peer is, rather than what it did."""

FLEETING = frozenset(
    {
        AlertDescription.DECRYPT_ERROR,
        AlertDescription.ILLEGAL_PARAMETER,
        AlertDescription.UNEXPECTED_MESSAGE,
        AlertDescription.USER_CANCELED,
    }
)
"""Alerts that somebody on the way can provoke, even sealed ones: no reason to stop reconnecting (ALR-6)."""


@dataclass(frozen=True)
class Unanswered(Ended):
    """ZAP said nothing that counts (ZAP-1, ZAP-11): the end of the session, and what monitors are told of it."""

    event: str = "HANDSHAKE_FAILED_NO_DETAIL"
    value: int = 0


log = logging.getLogger("qzmq")


def report(ended: Ended, peer: str, connection: Connection) -> None:
    """One line per connection that did not end as it should (SEC-9), with `fields` as its `extra`."""
    alert, extra = ended.alert, fields(peer, connection, ended)
    if ended.reason == "alert" and alert is not None:
        line = "%s: %s: %s, ended with alert %s"
        log.warning(line, alert.requirement, peer, alert.detail, alert_name(alert), extra=extra)
    elif ended.reason == "peer_alert" and alert is not None:
        kind = "authenticated" if ended.authenticated else "unauthenticated"
        line = "%s: %s: ended by the peer, %s alert %s"
        log.warning(line, alert.requirement, peer, kind, alert_name(alert), extra=extra)
    elif ended.reason == "truncated":
        log.info("CLS-4: %s: the connection ended without close_notify", peer, extra=extra)
    else:
        log.debug("%s: %s", peer, ended.reason, extra=extra)


def fields(peer: str, connection: Connection, ended: Ended | None = None) -> Mapping[str, object]:
    """What a log line says of a connection, by name; public facts only (SEC-7)."""
    configuration = connection.configuration
    found: dict[str, object] = {
        "peer": peer,
        "role": configuration.role,
        "socket_type": configuration.socket_type.decode() or "STREAM",
        "mode": configuration.policy.mode,
    }
    if connection.peer is not None:
        found["suite"] = str(connection.peer.suite)
    if ended is None:
        return found
    found["reason"] = ended.reason
    if ended.alert is not None:
        found["requirement"] = ended.alert.requirement
        found["alert"] = alert_name(ended.alert)
        found["direction"] = "sent" if ended.reason == "alert" else "received"
        found["authenticated"] = ended.authenticated
    return found


def failure(ended: Ended | None) -> tuple[str, int]:
    """The monitor event of a handshake that failed, with its value, as libzmq has it for CURVE."""
    if isinstance(ended, Unanswered):
        return ended.event, ended.value
    if ended is None or ended.alert is None:
        return "HANDSHAKE_FAILED_NO_DETAIL", 0
    if ended.alert.description == AlertDescription.USER_CANCELED:  # which only ZAP's 300 makes this side send
        return ("HANDSHAKE_FAILED_AUTH", 300) if ended.reason == "alert" else ("HANDSHAKE_FAILED_NO_DETAIL", 0)
    status = STATUS.get(ended.alert.description)
    return ("HANDSHAKE_FAILED_AUTH", status) if status else ("HANDSHAKE_FAILED_PROTOCOL", 0)


def refusal(ended: Ended | None) -> int:
    """ZAP's status of a refusal that connecting again cannot change, 0 if it may (ALR-5, ALR-6)."""
    if ended is None or ended.alert is None or not ended.authenticated or ended.alert.description in FLEETING:
        return 0
    return STATUS.get(ended.alert.description, 400)


def alert_name(alert: Alert) -> str:
    """Its description as the specification writes it, or the number of one that it does not know."""
    description = alert.description
    return description.name.lower() if isinstance(description, AlertDescription) else f"{description}"
