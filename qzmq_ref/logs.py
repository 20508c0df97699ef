"""The log `qzmq` as lines of JSON, one object each, for programs that search it.

    {"formatters": {"json": {"()": "qzmq_ref.logs.JsonFormatter"}}, ...}       for logging.config.dictConfig
    QZMQ_LOG=info,json qzmq ...                                               for the command `qzmq`
"""

from __future__ import annotations

import json
import logging
import os
from datetime import UTC, datetime

from qzmq_ref.alerts import LocalError

FIELDS = (
    "peer", "role", "socket_type", "mode", "suite", "reason", "requirement", "alert", "direction", "authenticated",
)  # fmt: skip
"""What a line may say beside its text. Nothing else that code attaches to a record gets into it (SEC-7)."""

ENVIRONMENT = "QZMQ_LOG"
LEVELS = ("debug", "info", "warning", "error")


class JsonFormatter(logging.Formatter):
    """One JSON object per record: time (RFC 3339, UTC), level, logger, message, and those of FIELDS that it has."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: vars(record)[name] for name in FIELDS if name in vars(record)}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(setting: str) -> None:
    """Log to standard error as `setting` says, a level and perhaps `,json`; LocalError for anything else."""
    level, comma, form = setting.partition(",")
    if level not in LEVELS or form != ("json" if comma else ""):
        raise LocalError(f"{ENVIRONMENT} is {setting!r}: set {', '.join(LEVELS)}, or one of them with ,json behind it")
    handler = logging.StreamHandler()
    if form:
        handler.setFormatter(JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    log = logging.getLogger("qzmq")
    log.addHandler(handler)
    log.setLevel(level.upper())
    log.propagate = False


def configure_from_environment() -> None:
    """As QZMQ_LOG says; nothing if it is not set."""
    if setting := os.environ.get(ENVIRONMENT):
        configure(setting)
