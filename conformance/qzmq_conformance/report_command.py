"""Put results of `qzmq conform --json` side by side, as pages."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from qzmq_conformance import pages, results
from qzmq_ref.alerts import LocalError


def main(arguments: Sequence[str]) -> int:
    """Runs the command with what follows `qzmq report`; returns 0, whatever the verdicts are."""
    options = _parser().parse_args(arguments)
    try:
        runs = results.read(options.results)
    except (OSError, results.Unreadable) as error:
        raise LocalError(f"{error}; `qzmq conform --json FILE` writes what this reads") from None
    pages.write(options.html, runs, options.specification)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qzmq report", description=__doc__)
    parser.add_argument("results", metavar="RESULT.json", nargs="+", help="a column of the report each")
    parser.add_argument("--html", metavar="DIR", required=True, help="where the pages go, index.html first")
    parser.add_argument(
        "--specification", metavar="URL", default="", help="where spec/ is published; requirements become links"
    )
    return parser
