"""`qzmq bridge server|client`: from arguments and key files to a running sidecar."""

from __future__ import annotations

import argparse
import logging
import os
import signal
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from qzmq_ref import logs
from qzmq_ref.alerts import LocalError
from qzmq_ref.auth import PUBLIC_SUFFIX, load_key, load_public_keys
from qzmq_ref.authority import Identity, load_certificate, load_identity
from qzmq_ref.bridge.core import Bridge
from qzmq_ref.bridge.endpoints import Endpoint
from qzmq_ref.bridge.link import Link
from qzmq_ref.bridge.listener import Listener
from qzmq_ref.bridge.observer import Observe
from qzmq_ref.bridge.options import Options
from qzmq_ref.connection import Configuration
from qzmq_ref.policy import Policy, preset_names
from qzmq_ref.sidecar.client import ClientSide
from qzmq_ref.sidecar.program import plaintext_endpoint, read_endpoint
from qzmq_ref.sidecar.server import ServerSide
from qzmq_ref.socket.security import Security
from qzmq_ref.tickets import MemoryTickets

log = logging.getLogger("qzmq")

STOPS = (signal.SIGTERM, signal.SIGINT)

DESCRIPTION = """\
Give an unmodified ZeroMQ program QZMQ on its outside. The program keeps its plain ipc:// or loopback endpoint; the
sidecar beside it speaks QZMQ with the network. Several programs: repeat --listen and --forward, in pairs.
SIGTERM stops accepting, delivers what was accepted, and ends.
"""


def main(arguments: Sequence[str]) -> int:
    """Run `qzmq bridge` with the rest of its line. Returns the exit status; LocalError if it cannot be started."""
    return run(_parser().parse_args(arguments))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq bridge", description=DESCRIPTION)
    roles = parser.add_subparsers(required=True, metavar="ROLE", dest="role")
    server = roles.add_parser("server", help="QZMQ outside, the program that binds inside", description=DESCRIPTION)
    server.add_argument(
        "--client-keys", nargs="+", metavar="PATH", help="public keys of the clients to admit: files, or directories"
    )
    server.add_argument("--any-client", action="store_true", help="admit everyone: encrypted, but unknown")
    client = roles.add_parser("client", help="the program that connects inside, QZMQ outside", description=DESCRIPTION)
    client.add_argument("--server-key", nargs="+", metavar="FILE", help="the server's public key")
    client.add_argument("--server-name", default="", metavar="HOST", help="whom its certificate must be for (--ca)")
    for role in (server, client):
        _add_common(role)
    return parser


def _add_common(parser: argparse.ArgumentParser) -> None:
    own = parser.add_mutually_exclusive_group()
    own.add_argument("--key", metavar="FILE", help="this side's secret key, NAME.key_secret")
    own.add_argument("--cert", metavar="NAME", help="this side's certificate NAME.crt, with its key NAME.crt_secret")
    parser.add_argument("--ca", metavar="FILE", help="certificates of the authorities that the peer's may be of")
    parser.add_argument("--listen", required=True, action="append", metavar="ENDPOINT", help="where to accept")
    parser.add_argument("--forward", required=True, action="append", metavar="ENDPOINT", help="where to connect to")
    parser.add_argument("--policy", choices=preset_names(), default="default", help="preset of the keys (default)")
    parser.add_argument("--raw", action="store_true", help="carry any octet stream, not ZMTP: the STREAM pattern")
    parser.add_argument("--drain", type=float, default=10.0, metavar="SECONDS", help="most time for SIGTERM (10)")
    parser.add_argument("--metrics", type=int, metavar="PORT", help="for Prometheus: http://127.0.0.1:PORT/metrics")
    parser.add_argument("--json", action="store_true", help="log lines of JSON; QZMQ_LOG=LEVEL,json says more or less")


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, then drain. LocalError if it cannot be started."""
    if len(options.listen) != len(options.forward):
        raise LocalError(
            f"{len(options.listen)} --listen and {len(options.forward)} --forward: give one --forward for each --listen"
        )
    configuration = _configuration(options)
    pairs = [_endpoints(options.role, *pair) for pair in zip(options.listen, options.forward, strict=True)]
    if logs.ENVIRONMENT not in os.environ:
        logs.configure("info,json" if options.json else "info")
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # before there are threads, which inherit it
    observe = None if options.metrics is None else _observer(options.metrics)
    bridge = Bridge()
    try:
        for side in [_side(bridge, options, configuration, observe, *pair) for pair in pairs]:
            bridge.loop.call(side.start)
            log.info("%s: listening", side.endpoint)
        signal.sigwait(STOPS)
        log.info("draining for at most %g s", options.drain)
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)  # a second one ends at once
        bridge.close(options.drain)
    return 0


def _endpoints(role: str, listen: str, forward: str) -> tuple[Endpoint, Endpoint]:
    """The program's side is plaintext, and so must be near."""
    if role == "server":
        return read_endpoint(listen, bind=True), plaintext_endpoint(forward, bind=False)
    return plaintext_endpoint(listen, bind=True), read_endpoint(forward, bind=False)


def _side(
    bridge: Bridge,
    options: argparse.Namespace,
    configuration: Configuration,
    observe: Observe | None,
    listen: Endpoint,
    forward: Endpoint,
) -> Listener:
    link = Link(configuration, Options(reconnect_ivl_max=5.0, ipv6=":" in listen.host), _untold, observe=observe)
    kind = ServerSide if options.role == "server" else ClientSide
    try:
        return kind(bridge, listen, forward, link, raw=options.raw)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise LocalError(f"cannot listen at {listen.text} ({reason}): choose another endpoint for --listen") from None


def _observer(port: int) -> Observe:
    """Counts what all sides do, and answers scrapes from now on."""
    from qzmq_ref.metrics import Metrics, Server

    metrics = Metrics()
    try:
        Server(metrics, port, "127.0.0.1")
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise LocalError(f"cannot answer Prometheus at port {port} ({reason}): choose another --metrics") from None
    return metrics.observer()


def _untold(_endpoint: str, _event: str, _value: int) -> None:
    """There is no socket monitor here."""


def _configuration(options: argparse.Namespace) -> Configuration:
    """LocalError if one of the ends could not know the other."""
    if options.role == "server":
        _check_server(options)
        configuration = _security(options).configuration(bind=True, socket_type=b"", metadata=())
        return replace(configuration, tickets=MemoryTickets())
    if options.server_key is None and options.ca is None:
        raise LocalError("CERT-6: who is the server? give --server-key FILE, or --ca FILE and --server-name HOST")
    if (options.ca is None) != (not options.server_name):
        raise LocalError("CERT-16: --ca and --server-name belong together: the authority, and whom it must vouch for")
    return _security(options).configuration(bind=False, socket_type=b"", metadata=())


def _check_server(options: argparse.Namespace) -> None:
    if options.key is None and options.cert is None:
        raise LocalError("CERT-6: a server needs its secret key: give --key NAME.key_secret, or --cert NAME")
    chosen = options.client_keys is not None or options.ca is not None
    if chosen == options.any_client:
        raise LocalError("CERT-4: who may come? give --client-keys, --ca or both, or else --any-client")


def _security(options: argparse.Namespace) -> Security:
    """What the socket attributes of the same names would say."""
    policy = Policy.preset(options.policy)
    identity = Identity(b"", b"") if options.cert is None else load_identity(options.cert)
    server = options.role == "server"
    return Security(
        secretkey=identity.secret or (None if options.key is None else _secret_key(options.key, policy)),
        serverkey=None if server or options.server_key is None else _public_keys(options.server_key),
        clientkeys=_public_keys(options.client_keys) if server and options.client_keys is not None else None,
        policy=policy,
        certificate=identity.certificate or None,
        ca=None if options.ca is None else load_certificate(options.ca),
        servername="" if server else options.server_name,
    )


def _secret_key(path: str, policy: Policy) -> bytes:
    key = load_key(path)
    if key.secret is None:
        raise LocalError(f"{path} holds a public key only: name the file that ends in _secret")
    if key.algorithm != policy.signature:
        raise LocalError(
            f"{path} is a {key.algorithm.name} key, policy {policy.signature.name}: give the --policy it was made for"
        )
    return key.secret


def _public_keys(paths: Iterable[str]) -> frozenset[bytes]:
    """Those in public key files, and in all of these in directories."""
    found: set[bytes] = set()
    for path in paths:
        keys = load_public_keys(path) if Path(path).is_dir() else {load_key(path).public}
        if not keys:
            raise LocalError(f"{path} has no {PUBLIC_SUFFIX} file: copy the public keys of the clients there")
        found |= keys
    return frozenset(found)
