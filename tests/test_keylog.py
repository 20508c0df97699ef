"""The key log: nothing without asking; with it, what is needed to read a capture, in a file for its owner alone."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import zmq

from qzmq_ref import keylog
from qzmq_ref.alerts import LocalError
from qzmq_ref.connection import Configuration, Connection
from qzmq_ref.raw import RawBinding
from qzmq_ref.records import RecordReader
from tests.pairs import Pair, make_pair, seeded
from tests.sockets import QZMQ, endpoint_of, running

RECORD_LENGTH = 4
"""Octets of the raw binding's framing."""


class Lines(dict[str, bytes]):
    """A key log in memory: secrets by name; every line must have the same client random."""

    def __init__(self) -> None:
        self.randoms: set[bytes] = set()

    def write(self, name: str, client_random: bytes, secret: bytes) -> None:
        assert name not in self
        self[name] = secret
        self.randoms.add(client_random)


def logged_pair() -> tuple[Pair, Lines, Lines]:
    """An established pair, and what each side told."""
    pair, client, server = make_pair(), Lines(), Lines()
    for name, lines in (("client", client), ("server", server)):
        plain: Configuration = getattr(pair, name).configuration
        configuration = replace(plain, key_log=lines.write)
        entropy = seeded(f"{name} entropy")
        made = Connection(configuration, RawBinding(plain.role), entropy=entropy, clock=pair.clock)
        setattr(pair, name, made)
    return pair.exchange(), client, server


def test_both_sides_tell_the_same_secrets_of_every_generation() -> None:
    """SEC-7."""
    pair, client, server = logged_pair()
    pair.client.rekey()
    pair.exchange()
    assert client == server
    assert client.keys() == {"c_hs", "s_hs", "c_ap_1", "s_ap_1", "c_ap_2", "s_ap_2"}
    assert client.randoms == server.randoms
    assert {len(random) for random in client.randoms} == {32}


def test_a_logged_secret_opens_the_records() -> None:
    pair, lines, _ = logged_pair()
    peer = pair.client.peer
    assert peer is not None
    pair.client.send(b"for the analyst")
    record = memoryview(pair.client.data_to_send())[RECORD_LENGTH:]
    out = memoryview(bytearray(len(record)))
    *_, size = RecordReader(peer.suite, lines["c_ap_1"], 1).open_into(record, out)
    assert bytes(out[:size]) == b"for the analyst"


def test_the_client_random_is_that_of_the_wire() -> None:
    _, lines, _ = logged_pair()
    same = make_pair()  # of the same entropy
    same.server.receive(same.client.data_to_send())
    same.client.receive(same.server.data_to_send())
    assert lines.randoms.pop() in same.client.data_to_send()


def test_sockets_write_lines_and_warn_of_each_endpoint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "keys.log"
    with caplog.at_level(logging.WARNING, "qzmq"), running(QZMQ) as stage:
        keylog.enable(stage.context, path)
        server, client = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        client.send(b"hello")
        server.recv()
    assert [record.message for record in caplog.records if str(path) in record.message] == [
        f"SEC-7: a key log is on: every secret of this endpoint's sessions goes to {path}"
    ] * 2
    assert path.stat().st_mode & 0o777 == 0o600
    lines = [line.split() for line in path.read_text().splitlines()]
    assert {name for name, _, _ in lines} == {"QZMQ_C_HS", "QZMQ_S_HS", "QZMQ_C_AP_1", "QZMQ_S_AP_1"}
    assert len(lines) == 2 * len({tuple(line) for line in lines})


def test_the_environment_alone_does_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.log"
    monkeypatch.setenv("QZMQKEYLOGFILE", str(path))
    with running(QZMQ) as stage:
        server, client = stage.socket(zmq.PULL), stage.socket(zmq.PUSH)
        server.bind("tcp://127.0.0.1:*")
        client.connect(endpoint_of(server))
        client.send(b"hello")
        server.recv()
        assert not path.exists()
        keylog.enable(stage.context)
    assert path.exists()


def test_a_file_that_others_may_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "keys.log"
    path.touch(0o644)
    with running(QZMQ) as stage:
        with pytest.raises(LocalError, match="yours alone"):
            keylog.enable(stage.context, path)
        monkeypatch.delenv("QZMQKEYLOGFILE", raising=False)
        with pytest.raises(LocalError, match="QZMQKEYLOGFILE"):
            keylog.enable(stage.context)
        (tmp_path / "link").symlink_to(path)
        with pytest.raises(OSError, match="symbolic"):
            keylog.enable(stage.context, tmp_path / "link")
