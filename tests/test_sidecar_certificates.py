"""`qzmq bridge` whose ends know each other by an authority, alone or beside pins."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
import zmq

from qzmq_ref import cli, logs, z85
from qzmq_ref.auth import create_keys, load_key
from qzmq_ref.authority import Purpose, create_authority, create_certificate, load_certificate
from qzmq_ref.crypto.signature import pin
from qzmq_ref.handshake.x509 import read
from qzmq_ref.socket.security import pem_certificates
from tests.sidecars import Sidecar, stack

__all__ = ["stack"]

NAME = "broker.example"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority `ca`, its `server` and `client`; an authority `other`; key pairs `pinned` and `clients/one`."""
    directory = tmp_path_factory.mktemp("certificates")
    (directory / "clients").mkdir()
    for authority in ("ca", "other"):
        create_authority(directory / authority)
    create_certificate(directory / "server", directory / "ca", Purpose((NAME,)))
    create_certificate(directory / "client", directory / "ca", Purpose())
    create_keys(directory / "pinned")
    create_keys(directory / "clients" / "one")
    return directory


SERVERS = {
    "certified": ("--cert", "server", "--ca", "ca.crt", "--client-keys", "clients"),
    "pinned": ("--key", "pinned.key_secret", "--ca", "ca.crt"),
}
CLIENTS = {
    "certified": ("--cert", "client", "--ca", "ca.crt", "--server-name", NAME, "--server-key", "pinned.key"),
    "pinned": ("--key", "clients/one.key_secret", "--ca", "ca.crt", "--server-name", NAME),
    "elsewhere": ("--cert", "client", "--ca", "ca.crt", "--server-name", "elsewhere.example"),
    "misled": ("--cert", "client", "--ca", "other.crt", "--server-name", NAME),
}


class Programs:
    """Two plain programs, and between them the two sidecars of these names."""

    def __init__(self, stack: ExitStack, directory: Path, server: str, client: str) -> None:
        context = stack.enter_context(zmq.Context())
        self.pull = stack.enter_context(context.socket(zmq.PULL))
        self.pull.rcvtimeo = 20_000
        self.pull.bind(f"ipc://{directory}/inside")
        forward = f"ipc://{directory}/inside"
        self.server = stack.enter_context(
            Sidecar("server", "--listen", "tcp://127.0.0.1:*", "--forward", forward, *SERVERS[server])
        )
        forward = f"tcp://127.0.0.1:{self.server.port}"
        self.client = stack.enter_context(
            Sidecar("client", "--listen", "tcp://127.0.0.1:*", "--forward", forward, *CLIENTS[client])
        )
        self.push = stack.enter_context(context.socket(zmq.PUSH))
        self.push.linger = 0
        self.push.connect(self.client.endpoint)
        self.push.send(b"news")


def pin_of(files: Path, client: str) -> str:
    """By whom the server's program knows the client."""
    if client == "pinned":
        return load_key(files / "clients" / "one.key").public.decode()
    (leaf,) = pem_certificates("client.crt", load_certificate(files / "client.crt"))
    return z85.encode(pin(read(leaf).spki)).decode()


@pytest.mark.parametrize(
    ("server", "client"), [("certified", "certified"), ("pinned", "certified"), ("certified", "pinned")]
)
def test_an_authority_and_pins_side_by_side(
    server: str, client: str, files: Path, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CERT-3, CERT-4, CERT-17: each end is known by what the other was given for it."""
    monkeypatch.chdir(files)
    frame = Programs(stack, tmp_path, server, client).pull.recv(copy=False)
    assert (frame.bytes, frame.get("X-QZMQ-Peer")) == (b"news", pin_of(files, client))


@pytest.mark.parametrize(("client", "rule"), [("elsewhere", "CERT-16"), ("misled", "CERT-9")])
def test_a_server_that_is_not_vouched_for(
    client: str, rule: str, files: Path, tmp_path: Path, stack: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log names the rule, and nothing passes."""
    monkeypatch.chdir(files)
    programs = Programs(stack, tmp_path, "certified", client)
    programs.client.await_log(rule)
    assert not programs.pull.poll(100)


@pytest.mark.parametrize(
    ("role", "given", "advice"),
    [
        ("server", "--any-client", "give --key NAME.key_secret, or --cert NAME"),
        ("server", "--cert server", "--client-keys, --ca or both, or else --any-client"),
        ("server", "--cert server --ca ca.crt --any-client", "--client-keys, --ca or both, or else --any-client"),
        ("server", "--cert nobody --ca ca.crt", "qzmq keygen"),
        ("server", "--cert server --ca ca.crt --policy conservative", "choose a policy that does"),
        ("client", "--cert client", "give --server-key FILE, or --ca FILE and --server-name HOST"),
        ("client", "--ca ca.crt", "--ca and --server-name belong together"),
        ("client", f"--server-key pinned.key --server-name {NAME}", "--ca and --server-name belong together"),
        ("client", "--ca pinned.key --server-name x", "pinned.key holds no PEM certificate"),
        ("client", "--ca ca.crt --server-name *.example", "without *"),
    ],
)
def test_errors_say_what_to_do(
    role: str,
    given: str,
    advice: str,
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(files)
    monkeypatch.setattr(logs, "configure", lambda _setting: None)
    ends = ["--listen", "tcp://127.0.0.1:*", "--forward", "tcp://127.0.0.1:5555"]
    assert cli.main(["bridge", role, *ends, *given.split()]) == 2
    assert advice in capsys.readouterr().err
