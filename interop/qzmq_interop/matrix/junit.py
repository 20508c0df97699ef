"""JUnit XML, as CI servers read it: a test suite for each server and client, a test case for each cell."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as Xml

from qzmq_conformance.results import printable
from qzmq_interop.matrix.show import replay
from qzmq_interop.matrix.summary import Pair, Summary
from qzmq_interop.matrix.verdicts import Outcome, Verdict

SKIPPED = (Verdict.LIBRARY, Verdict.UNCLAIMED, Verdict.ABSENT)


def write(path: str | Path, summary: Summary, named: Iterable[str]) -> None:
    """Writes the run to a file."""
    root = Xml.Element("testsuites", {"name": "QZMQ interoperability"})
    for pair in dict.fromkeys(pair for pair, _ in summary.matrix):
        outcomes = [outcome for column in summary.columns for outcome in summary.matrix.get((pair, column), ())]
        root.append(_suite(pair, outcomes, tuple(named)))
    tree = Xml.ElementTree(root)
    Xml.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def _suite(pair: Pair, outcomes: list[Outcome], named: tuple[str, ...]) -> Xml.Element:
    server, client = pair
    counted = {
        "tests": len(outcomes),
        "failures": sum(outcome.verdict is Verdict.FAILED for outcome in outcomes),
        "errors": sum(outcome.verdict is Verdict.UNDRIVEN for outcome in outcomes),
        "skipped": sum(outcome.verdict in SKIPPED for outcome in outcomes),
    }
    name = f"server {server}, client {client}"
    suite = Xml.Element("testsuite", {"name": name} | {word: str(count) for word, count in counted.items()})
    suite.set("time", f"{sum(outcome.seconds for outcome in outcomes):.3f}")
    suite.extend(_case(outcome, named) for outcome in outcomes)
    return suite


def _case(outcome: Outcome, named: tuple[str, ...]) -> Xml.Element:
    cell = outcome.cell
    classname = f"{cell.column}.{cell.server}+{cell.client}"
    case = Xml.Element("testcase", name=cell.id, classname=classname, time=f"{outcome.seconds:.3f}")
    message = printable(f"{outcome.verdict.value}: {outcome.seen}")
    if outcome.verdict in SKIPPED:
        Xml.SubElement(case, "skipped", message=message)
    elif outcome.verdict is not Verdict.PASSED:
        kind = "error" if outcome.verdict is Verdict.UNDRIVEN else "failure"
        told = (
            f"expected: {outcome.expected}",
            f"seen: {outcome.seen}",
            f"wire: {outcome.on_the_wire}",
            f"over NULL: {outcome.null}",
            f"replay: {replay(cell, named)}",
        )
        Xml.SubElement(case, kind, message=message, type=outcome.verdict.value).text = printable("\n".join(told))
        Xml.SubElement(case, "system-out").text = printable("\n".join(outcome.transcript()))
    return case
