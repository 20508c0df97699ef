"""The command `qzmq`: keys, the sidecar, conformance, throughput, the upkeep of the specification's examples."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Mapping, Sequence

from qzmq_ref import logs
from qzmq_ref.alerts import LocalError

FORWARDED: Mapping[str, tuple[str, str]] = {
    "keygen": ("qzmq_ref.keygen_command", "make a key pair, an authority or a certificate, in two files"),
    "bridge": ("qzmq_ref.bridge_command", "a sidecar: QZMQ for an unmodified ZeroMQ program, in any language"),
    "conform": ("qzmq_conformance.main", "play the other side against an implementation and judge it"),
    "learn": ("qzmq_conformance.learning.main", "learn an implementation's state machine, compare it with the table"),
    "vectors": ("qzmq_conformance.vectors.command", "make, compare or check the test vectors"),
    "report": ("qzmq_conformance.report_command", "put results of `qzmq conform --json` side by side, as pages"),
    "interop": ("qzmq_interop.matrix.main", "let implementations speak with each other, and show who understands whom"),
    "throughput": ("qzmq_interop.throughput.main", "measure QZMQ beside NULL and CURVE"),
    "flood": ("qzmq_interop.flood", "what strangers' ClientHellos cost a server, without and with the puzzle"),
    "soak": ("qzmq_interop.soak.main", "a million messages through a network that is cut, and what was lost"),
}
"""Commands that live in modules of their own, loaded only when asked for; each has `main(arguments) -> status`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status: 0 if all is well, 1 if not, 2 for a wrong call."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        logs.configure_from_environment()
        if given and given[0] in FORWARDED:
            module, _ = FORWARDED[given[0]]
            return int(importlib.import_module(module).main(given[1:]))
        options = _parser().parse_args(given)
        return int(options.run(options))
    except LocalError as error:
        print(f"qzmq: {error}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq", description="Post-quantum security for ZeroMQ.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, (_, purpose) in FORWARDED.items():
        commands.add_parser(name, help=purpose)
    _add_spec(commands.add_parser("spec", help="keep the pages of the specification up to date"))
    return parser


def _add_spec(parser: argparse.ArgumentParser) -> None:
    topics = parser.add_subparsers(required=True, metavar="TOPIC")
    examples = topics.add_parser("examples", help="the generated examples (NOT-12)")
    examples.add_argument("do", choices=("write", "check"), help="write them anew, or only say which pages are stale")
    examples.add_argument("--json", action="store_true", help="print JSON")
    examples.set_defaults(run=_examples)


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
