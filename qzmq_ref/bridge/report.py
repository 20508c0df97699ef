"""The log lines of ended connections: which rule, which peer."""

from __future__ import annotations

import logging

from qzmq_ref.alerts import Alert
from qzmq_ref.connection import Ended
from qzmq_ref.registries import AlertDescription

REFUSALS = frozenset(
    {
        AlertDescription.ACCESS_DENIED,
        AlertDescription.CERTIFICATE_REQUIRED,
        AlertDescription.CERTIFICATE_UNKNOWN,
    }
)
"""Alerts that say who the peer is, rather than what it did."""

log = logging.getLogger("qzmq")


def report(ended: Ended, peer: str) -> None:
    """One line per connection that did not end as it should (SEC-9)."""
    if ended.reason == "alert" and ended.alert is not None:
        log.warning(
            "%s: %s: %s, ended with alert %s", ended.alert.requirement, peer, ended.alert.detail, _name(ended.alert)
        )
    elif ended.reason == "peer_alert" and ended.alert is not None:
        kind = "authenticated" if ended.authenticated else "unauthenticated"
        log.warning("%s: %s: ended by the peer, %s alert %s", ended.alert.requirement, peer, kind, _name(ended.alert))
    elif ended.reason == "truncated":
        log.info("CLS-4: %s: the connection ended without close_notify", peer)
    else:
        log.debug("%s: %s", peer, ended.reason)


def failure(ended: Ended | None) -> tuple[str, int]:
    """The monitor event of a handshake that failed, with its value; 400 is ZAP's status for a refusal (RFC 27)."""
    if ended is not None and ended.alert is not None:
        if ended.alert.description in REFUSALS:
            return "HANDSHAKE_FAILED_AUTH", 400
        return "HANDSHAKE_FAILED_PROTOCOL", 0
    return "HANDSHAKE_FAILED_NO_DETAIL", 0


def _name(alert: Alert) -> str:
    description = alert.description
    return description.name.lower() if isinstance(description, AlertDescription) else f"{description}"
