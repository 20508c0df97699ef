"""`qzmq keygen --ca` and `--cert`: what they write is what sockets take, and nobody else's tools choke on it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
import zmq
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import qzmq_ref
from qzmq_ref import cli, z85
from qzmq_ref.alerts import LocalError
from qzmq_ref.authority import (
    Purpose,
    create_authority,
    create_certificate,
    load_authority,
    load_certificate,
    load_identity,
)
from qzmq_ref.crypto import provider
from qzmq_ref.crypto.signature import SigningKey
from qzmq_ref.handshake.x509 import Trust, check_chain, read_chain
from qzmq_ref.policy import Policy, preset_names
from qzmq_ref.registries import SigId
from qzmq_ref.socket.security import Security, pem_certificates

SERVER = Purpose(("server.example", "10.0.0.1"))


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    create_authority(tmp_path / "ca")
    return tmp_path / "ca"


def certificates(path: Path) -> tuple[bytes, ...]:
    return pem_certificates(str(path), load_certificate(path))


@pytest.mark.parametrize("preset", preset_names())
@pytest.mark.parametrize("name", SERVER.names)
def test_a_certificate_of_ones_own_authority_is_trusted(tmp_path: Path, preset: str, name: str) -> None:
    create_authority(tmp_path / "ca", preset)
    path, _ = create_certificate(tmp_path / "server", tmp_path / "ca.crt", SERVER, preset)
    end = certificates(path)
    now = x509.load_der_x509_certificate(end[0]).not_valid_before_utc.timestamp()
    trust = Trust(certificates(tmp_path / "ca.crt"), lambda: now, name)
    check_chain(read_chain(end), trust, "server", Policy.preset(preset).client_signatures)


def test_names_and_modes(ca: Path) -> None:
    paths = create_certificate(ca.with_name("server"), ca, SERVER)
    assert [path.name for path in paths] == ["server.crt", "server.crt_secret"]
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o644, 0o600]
    assert b"PRIVATE" not in paths[0].read_bytes()
    assert load_pem_private_key(paths[1].read_bytes(), None)


def test_an_identity_is_what_a_socket_takes(ca: Path) -> None:
    """CERT-17: the seed is the certificate's key, whatever the policy's first suite signs with (POL-3)."""
    create_certificate(ca.with_name("server"), ca, SERVER, "maximum")
    identity = load_identity(ca.with_name("server"))
    key = SigningKey.from_seed(SigId.ML_DSA_87, z85.decode(identity.secret), provider())
    (leaf,) = read_chain(pem_certificates("it", identity.certificate))
    assert leaf.spki == key.spki
    security = Security(secretkey=identity.secret, certificate=identity.certificate, serverkey=z85.encode(bytes(32)))
    configuration = security.configuration(bind=False, socket_type=b"REQ", metadata=())
    assert configuration.key == key
    assert identity.secret.decode() not in repr(identity)


@pytest.mark.parametrize(
    ("purpose", "roles"),
    [(Purpose(), ("client",)), (SERVER, ("server",)), (Purpose(("a.example",), client=True), ("server", "client"))],
)
def test_a_certificate_is_for_what_was_asked(purpose: Purpose, roles: tuple[str, ...]) -> None:
    """CERT-15."""
    assert purpose.roles == roles


@pytest.mark.parametrize("name", ["", "a b", "bücher.example", "http://a.example", "a..b", "10.0.0.256/8"])
def test_a_name_that_is_none(name: str) -> None:
    """CERT-16."""
    with pytest.raises(LocalError, match="write names in ASCII"):
        Purpose((name,))


def test_nothing_is_overwritten_or_left_half(ca: Path) -> None:
    path = ca.with_name("server.crt")
    path.write_text("precious")
    with pytest.raises(LocalError, match="not overwritten"):
        create_certificate(ca.with_name("server"), ca, SERVER)
    assert path.read_text() == "precious"
    assert not ca.with_name("server.crt_secret").exists()


def test_a_certificate_ends_with_its_authority(tmp_path: Path) -> None:
    create_authority(tmp_path / "ca", days=3)
    create_certificate(tmp_path / "server", tmp_path / "ca", SERVER, days=365)
    ends = {load_authority(tmp_path / name).certificate.not_valid_after_utc for name in ("ca", "server")}
    assert len(ends) == 1


@pytest.mark.parametrize("days", [0, -1, 10**6])
def test_days_have_bounds(tmp_path: Path, days: int) -> None:
    with pytest.raises(LocalError, match="choose 1 to 3650"):
        create_authority(tmp_path / "ca", days=days)


def test_files_that_do_not_fit_say_so(ca: Path) -> None:
    create_certificate(ca.with_name("client"), ca, Purpose())
    secret = ca.with_name("ca.crt_secret")
    secret.chmod(0o640)
    with pytest.raises(LocalError, match="chmod 600"):
        load_authority(ca)
    secret.write_bytes(ca.with_name("client.crt_secret").read_bytes())
    secret.chmod(0o600)
    with pytest.raises(LocalError, match="is not the key of"):
        load_authority(ca)
    secret.write_text("nonsense")
    with pytest.raises(LocalError, match="no PEM key"):
        load_authority(ca)
    ca.with_name("ca.crt").write_text("nonsense")
    with pytest.raises(LocalError, match="holds no PEM certificate"):
        load_authority(ca)
    with pytest.raises(LocalError, match="there is no"):
        load_identity(ca.with_name("nobody"))


def test_a_weak_authority_is_refused_while_there_is_time(tmp_path: Path) -> None:
    """CERT-10."""
    create_authority(tmp_path / "ca", "performance")
    with pytest.raises(LocalError, match="CERT-10"):
        create_certificate(tmp_path / "server", tmp_path / "ca", SERVER)
    assert not list(tmp_path.glob("server*"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ca, server = str(tmp_path / "ca"), str(tmp_path / "server")
    assert cli.main(["keygen", "--ca", ca, "--days", "30"]) == 0
    assert cli.main(["keygen", "--cert", server, "--ca", ca, "--name", "server.example", "--client"]) == 0
    assert capsys.readouterr().out.count("mode 0600") == 2
    assert cli.main(["keygen", "--cert", str(tmp_path / "client"), "--ca", f"{ca}.crt", "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["algorithm"] == "ML_DSA_44"
    key = SigningKey.from_seed(SigId.ML_DSA_44, z85.decode(load_identity(tmp_path / "client").secret), provider())
    assert facts["public_key"].encode() == z85.encode(key.pin)


@pytest.mark.parametrize(
    "arguments",
    [
        ["pair", "--ca", "ca"],
        ["--cert", "server"],
        ["--ca", "ca", "--name", "server.example"],
        ["pair", "--client"],
        ["pair", "--days", "3"],
        ["--ca", "ca", "--comment", "mine"],
    ],
)
def test_what_does_not_go_together(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        cli.main(["keygen", *arguments])
    assert raised.value.code == 2
    assert "usage: qzmq keygen" in capsys.readouterr().err


def test_sockets(ca: Path) -> None:
    """CERT-3, CERT-4: authority on both sides, and the pin of the client's key for its User-Id."""
    for name, purpose in {"server": SERVER, "client": Purpose()}.items():
        create_certificate(ca.with_name(name), ca, purpose)
    context = qzmq_ref.Context()
    sockets = {"server": context.socket(zmq.PULL), "client": context.socket(zmq.PUSH)}
    for name, socket in sockets.items():
        identity = load_identity(ca.with_name(name))
        socket.qzmq_secretkey, socket.qzmq_certificate = identity.secret, identity.certificate
        socket.qzmq_ca = load_certificate(ca.with_name("ca.crt"))
    sockets["client"].qzmq_servername = "server.example"
    sockets["server"].bind("tcp://127.0.0.1:*")
    sockets["client"].connect(sockets["server"].get(zmq.LAST_ENDPOINT))
    sockets["client"].send(b"certified")
    assert sockets["server"].poll(5000)
    frame = sockets["server"].recv(copy=False)
    client = SigningKey.from_seed(SigId.ML_DSA_44, z85.decode(load_identity(ca.with_name("client")).secret), provider())
    assert (frame.bytes, frame.get("User-Id")) == (b"certified", z85.encode(client.pin).decode())
    context.destroy(linger=0)


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({}, "qzmq_ca and qzmq_servername"),
        ({"ca": "nonsense"}, "qzmq_ca holds no PEM certificate"),
        ({"ca": "CA"}, "CERT-16"),
        ({"ca": "CA", "servername": "server.example", "certificate": "CA"}, "CERT-17"),
    ],
)
def test_attributes_that_do_not_fit(ca: Path, attributes: dict[str, str], message: str) -> None:
    pem = load_certificate(ca.with_name("ca.crt")).decode()
    security = Security(**{name: pem if value == "CA" else value for name, value in attributes.items()})  # type: ignore[arg-type]
    with pytest.raises(LocalError, match=message):
        security.configuration(bind=False, socket_type=b"REQ", metadata=())
