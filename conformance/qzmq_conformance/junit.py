"""JUnit XML, as CI servers read it: a test suite for each area, a test case for each case."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as Xml

from qzmq_conformance.results import Result, Run


def write(path: str | Path, run: Run) -> None:
    """Writes the run to a file."""
    tree = Xml.ElementTree(to_xml(run))
    Xml.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def to_xml(run: Run) -> Xml.Element:
    """The run as the element `testsuites`: what the schemas of Ant and of Jenkins have in common."""
    root = Xml.Element("testsuites", {"name": "QZMQ conformance"} | _sums(list(run.results.values())))
    for area, results in groupby(run.results.values(), key=lambda result: result.area):
        played = list(results)
        suite = Xml.SubElement(root, "testsuite", {"name": area, "skipped": "0"} | _sums(played))
        properties = Xml.SubElement(suite, "properties")
        Xml.SubElement(properties, "property", name="implementation", value=run.name)
        for result in played:
            _add_case(suite, result, [f"{rule.id}: {rule.text}" for rule in run.rules_of(result)])
    return root


def _add_case(suite: Xml.Element, result: Result, sentences: list[str]) -> None:
    place = f"{result.area}.{result.mode}"
    case = Xml.SubElement(suite, "testcase", name=result.id, classname=place, time=f"{result.seconds:.3f}")
    if not result.passed:
        failure = Xml.SubElement(case, "failure", message=result.seen, type=" ".join(result.requirements))
        failure.text = "\n".join(
            [f"expected {result.expected}", *sentences, f"seen {result.seen}", f"replay {result.replay}"]
        )
        lines = [line for message in result.transcript for line in message.decoded]
        Xml.SubElement(case, "system-out").text = "\n".join(lines)


def _sums(results: list[Result]) -> dict[str, str]:
    return {
        "tests": str(len(results)),
        "failures": str(sum(not result.passed for result in results)),
        "errors": "0",
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
