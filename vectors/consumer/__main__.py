"""Checks files of vectors by the stand-alone consumer."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from .files import CHECKS, consume
from .verdict import Json


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if every test is right, 1 if one is wrong."""
    parser = argparse.ArgumentParser(prog="python -m consumer", description=__doc__)
    here = Path(__file__).parents[1]
    parser.add_argument("files", nargs="*", type=Path, default=[here / f"{kind}.json" for kind in CHECKS])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="check only each N-th test")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    report: dict[str, Json] = {}
    for path in options.files:
        vectors = json.loads(path.read_text(encoding="utf-8"))
        faults = dict(consume(vectors, options.every))
        checked = vectors["numberOfTests"] // options.every
        report[str(path)] = {"tests": vectors["numberOfTests"], "checked": checked, "faults": faults}
        if not options.json:
            print(
                f"{path.name}: {checked} of {vectors['numberOfTests']} tests checked, {len(faults)} wrong", flush=True
            )
            for number, fault in faults.items():
                print(f"  tcId {number}: {fault}", flush=True)
    if options.json:
        print(json.dumps(report, indent=1))
    return int(any(each["faults"] for each in report.values()))


if __name__ == "__main__":
    sys.exit(main())
