"""`qzmq keygen`: a key pair, an authority, or a certificate, each in two files."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from qzmq_ref import authority, z85
from qzmq_ref.auth import create_keys, load_key
from qzmq_ref.crypto.signature import pin
from qzmq_ref.handshake.x509 import read
from qzmq_ref.policy import preset_names
from qzmq_ref.socket.security import pem_certificates

USAGE = """\
qzmq keygen [options] NAME
       qzmq keygen [options] --ca NAME
       qzmq keygen [options] --cert NAME --ca FILE [--name HOST ...] [--client]"""

DESCRIPTION = """\
Make a key pair: NAME.key, to give away, and NAME.key_secret. Or with --ca an authority, NAME.crt and NAME.crt_secret,
and with --cert a certificate of it, in files of the same endings. Secrets have mode 0600; nothing is overwritten.
"""


def main(arguments: Sequence[str]) -> int:
    """Make what was asked for, and say where it is. LocalError if it cannot be made."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if fault := _fault(options):
        parser.error(fault)
    facts = _make(options)
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        print(f"{facts['public_file']}: public key {facts['public_key']} ({facts['algorithm']}), for its peers")
        print(f"{facts['secret_file']}: secret key, mode 0600, for its owner only")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq keygen", usage=USAGE, description=DESCRIPTION)
    parser.add_argument("pair", metavar="NAME", nargs="?", help="path of both files, without their endings")
    parser.add_argument("--ca", metavar="NAME", help="an authority to make or, with --cert, the one that signs")
    parser.add_argument("--cert", metavar="NAME", help="a certificate to make")
    parser.add_argument("--name", metavar="HOST", action="append", help="DNS name or address of the server it is for")
    parser.add_argument("--client", action="store_true", help="it is for a client too (without --name: only)")
    parser.add_argument("--days", type=int, help="how long it is valid (authority: 3650, certificate: 365)")
    parser.add_argument("--policy", choices=preset_names(), default="default", help="preset the key is for (default)")
    parser.add_argument("--comment", default="", help="a line about a key pair, kept in both files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _fault(options: argparse.Namespace) -> str | None:
    """What does not go together, or None."""
    if bool(options.pair) == bool(options.ca or options.cert):
        return "give either NAME, or --ca, or --cert with --ca"
    if options.cert and not options.ca:
        return "--cert needs --ca: the authority that signs"
    if not options.cert and (options.name or options.client):
        return "--name and --client are for --cert"
    if options.pair and options.days is not None:
        return "--days is for --ca and --cert: a key pair has no dates"
    return "--comment is for a key pair" if options.comment and not options.pair else None


def _make(options: argparse.Namespace) -> Mapping[str, str]:
    if options.pair:
        paths = create_keys(Path(options.pair), options.policy, options.comment)
        key = load_key(paths[0])
        return _facts(paths, key.algorithm.name, key.public)
    if options.cert:
        purpose = authority.Purpose(tuple(options.name or ()), options.client)
        days = authority.CERTIFICATE_DAYS if options.days is None else options.days
        paths = authority.create_certificate(options.cert, options.ca, purpose, options.policy, days)
    else:
        days = authority.AUTHORITY_DAYS if options.days is None else options.days
        paths = authority.create_authority(options.ca, options.policy, days)
    link = read(pem_certificates(str(paths[0]), authority.load_certificate(paths[0]))[0])
    return _facts(paths, link.key.name if link.key else "", z85.encode(pin(link.spki)))


def _facts(paths: tuple[Path, Path], algorithm: str, public: bytes) -> Mapping[str, str]:
    return {
        "algorithm": algorithm,
        "public_key": public.decode(),
        "public_file": str(paths[0]),
        "secret_file": str(paths[1]),
    }
