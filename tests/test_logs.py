"""The log: lines that machines read, with the facts of SEC-9 and not an octet of a secret."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import zmq

import qzmq_ref
from qzmq_ref import logs
from qzmq_ref.alerts import LocalError
from tests.sockets import QZMQ, endpoint_of, eventually, running, server_keys

LOG = logging.getLogger("qzmq")


@pytest.fixture
def log() -> Iterator[logging.Logger]:
    """The logger, which is afterwards as it was."""
    before = LOG.handlers[:], LOG.level, LOG.propagate
    LOG.handlers.clear()
    yield LOG
    LOG.handlers[:], LOG.level, LOG.propagate = before


def refuse_a_stranger(caplog: pytest.LogCaptureFixture, told: int) -> None:
    """A client expects another server; both sides log it."""
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.PULL), stage.bare(zmq.PUSH)
        server.bind("tcp://127.0.0.1:*")
        client.qzmq_serverkey, _ = qzmq_ref.keypair()
        client.connect(endpoint_of(server))
        eventually(lambda: len(caplog.records) >= told)


def test_a_line_has_the_facts_as_fields(caplog: pytest.LogCaptureFixture) -> None:
    """SEC-9."""
    with caplog.at_level(logging.INFO, "qzmq"):
        refuse_a_stranger(caplog, told=2)
    lines = [json.loads(logs.JsonFormatter().format(record)) for record in caplog.records]
    client = next(line for line in lines if line["role"] == "client")
    server = next(line for line in lines if line["role"] == "server")
    expected = {"alert": "certificate_unknown", "mode": "hybrid", "level": "warning", "logger": "qzmq"}
    assert client.items() >= {**expected, "socket_type": "PUSH", "requirement": "CERT-3", "direction": "sent"}.items()
    assert server.items() >= {**expected, "socket_type": "PULL", "direction": "received"}.items()
    assert server["authenticated"] is False
    assert client["peer"].startswith("127.0.0.1:")
    assert client["message"].startswith("CERT-3: 127.0.0.1:")


def test_no_secret_gets_into_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """SEC-7: nothing but the named fields, whatever a caller attaches."""
    with caplog.at_level(logging.DEBUG, "qzmq"):
        LOG.info("text", extra={"peer": "one", "secret": server_keys()[1].decode()})
        refuse_a_stranger(caplog, told=3)
    text = "\n".join(logs.JsonFormatter().format(record) for record in caplog.records)
    assert json.loads(text.splitlines()[0]).keys() == {"time", "level", "logger", "message", "peer"}
    assert server_keys()[1].decode() not in text


def test_a_failure_brings_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "qzmq"):
        try:
            raise ZeroDivisionError("on purpose")
        except ZeroDivisionError:
            LOG.exception("internal error")
    assert "on purpose" in json.loads(logs.JsonFormatter().format(caplog.records[0]))["exception"]


def test_logging_config_finds_the_formatter(log: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"json": {"()": "qzmq_ref.logs.JsonFormatter"}},
            "handlers": {"json": {"class": "logging.StreamHandler", "formatter": "json"}},
            "loggers": {"qzmq": {"handlers": ["json"], "level": "INFO"}},
        }
    )
    log.info("hello", extra={"suite": "any"})
    assert json.loads(capsys.readouterr().err)["suite"] == "any"


@pytest.mark.parametrize("setting", ["info", "info,json", "warning"])
def test_the_setting_of_the_command_chooses_level_and_form(
    log: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("QZMQ_LOG", setting)
    logs.configure_from_environment()
    log.debug("no")
    log.info("perhaps")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == setting.startswith("info")
    assert all(line.startswith("{") == setting.endswith("json") for line in lines)


@pytest.mark.parametrize("setting", ["loud", "info,xml", "info,", ",json"])
def test_any_other_setting_is_refused(setting: str) -> None:
    with pytest.raises(LocalError, match="QZMQ_LOG"):
        logs.configure(setting)
