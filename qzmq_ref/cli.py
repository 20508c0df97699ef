"""The command `qzmq`: keys, conformance, throughput, and the upkeep of the specification's examples."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from qzmq_ref.alerts import LocalError
from qzmq_ref.policy import preset_names

FORWARDED: Mapping[str, tuple[str, str]] = {
    "conform": ("qzmq_conformance.main", "play the other side against an implementation and judge it"),
    "throughput": ("qzmq_interop.throughput.main", "measure QZMQ beside NULL and CURVE"),
}
"""Commands that live in packages of their own, loaded only when asked for; each has `main(arguments) -> status`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0 if all is well, 1 if not, 2 for a wrong call."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and given[0] in FORWARDED:
        module, _ = FORWARDED[given[0]]
        return int(importlib.import_module(module).main(given[1:]))
    options = _parser().parse_args(given)
    try:
        return int(options.run(options))
    except LocalError as error:
        print(f"qzmq: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq", description="Post-quantum security for ZeroMQ.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_keygen(commands.add_parser("keygen", help="make a key pair, in two files"))
    for name, (_, purpose) in FORWARDED.items():
        commands.add_parser(name, help=purpose)
    _add_spec(commands.add_parser("spec", help="keep the pages of the specification up to date"))
    return parser


def _add_keygen(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Make a key pair: NAME.key, to give away, and NAME.key_secret, mode 0600. Nothing is overwritten."
    )
    parser.add_argument("name", metavar="NAME", help="path of both files, without their endings")
    parser.add_argument("--policy", choices=preset_names(), default="default", help="preset the key is for (default)")
    parser.add_argument("--comment", default="", help="a line about the key, kept in both files")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=_keygen)


def _add_spec(parser: argparse.ArgumentParser) -> None:
    topics = parser.add_subparsers(required=True, metavar="TOPIC")
    examples = topics.add_parser("examples", help="the generated examples (NOT-12)")
    examples.add_argument("do", choices=("write", "check"), help="write them anew, or only say which pages are stale")
    examples.add_argument("--json", action="store_true", help="print JSON")
    examples.set_defaults(run=_examples)


def _keygen(options: argparse.Namespace) -> int:
    from qzmq_ref.auth import create_keys, load_key

    paths = create_keys(Path(options.name), options.policy, options.comment)
    key = load_key(paths[0])
    facts = {
        "algorithm": key.algorithm.name,
        "public_key": key.public.decode(),
        "public_file": str(paths[0]),
        "secret_file": str(paths[1]),
    }
    if options.json:
        print(json.dumps(facts, indent=1))
    else:
        print(f"{paths[0]}: public key {facts['public_key']} ({key.algorithm.name}), for its peers")
        print(f"{paths[1]}: secret key, mode 0600, for its owner only")
    return 0


def _examples(options: argparse.Namespace) -> int:
    from qzmq_ref.examples import refresh

    stale = refresh(write=options.do == "write")
    if options.json:
        print(json.dumps({"stale": stale, "written": options.do == "write"}))
    else:
        done = "written" if options.do == "write" else "stale; `qzmq spec examples write` renews it"
        print("\n".join(f"{page}: {done}" for page in stale) or "every example is that of today")
    return int(bool(stale) and options.do == "check")


if __name__ == "__main__":
    raise SystemExit(main())
