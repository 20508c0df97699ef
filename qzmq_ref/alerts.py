"""The two error families: `Alert` for a peer's fault, `LocalError` for the caller's."""

from __future__ import annotations

from qzmq_ref.registries import AlertDescription


def alert_name(description: AlertDescription | int) -> str:
    """The registry's name of an alert description, or its number if it has none."""
    return description.name.lower() if isinstance(description, AlertDescription) else f"alert {description}"


class QzmqError(Exception):
    """Base of everything this package raises on purpose."""


class LocalError(QzmqError):
    """The caller misused the interface. The message says what to do next."""


class Alert(QzmqError):
    """The peer broke a rule, or refused this side; `description` is what the wire carries (spec/alerts.md).

    `requirement` is the ID of the rule that was broken, `detail` says what was wrong and where, for the log.
    """

    def __init__(self, description: AlertDescription | int, requirement: str, detail: str) -> None:
        super().__init__(f"{alert_name(description)} ({requirement}): {detail}")
        self.description = description
        self.requirement = requirement
        self.detail = detail
