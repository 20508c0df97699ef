"""JUnit XML, as CI servers read it: a test suite for each area, a test case for each case."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from xml.etree import ElementTree as Xml

from qzmq_conformance.results import Result, Run

WHOLE = "whole run"
"""The test suite of the complaints, which are about no single case."""


def write(path: str | Path, run: Run) -> None:
    """Writes the run to a file."""
    tree = Xml.ElementTree(to_xml(run))
    Xml.indent(tree)
    tree.write(path, encoding="utf-8", xml_declaration=True)


def to_xml(run: Run) -> Xml.Element:
    """The run as the element `testsuites`: what the schemas of Ant and of Jenkins have in common.

    Known failures, and cases that the implementation does not claim to support, are skipped test cases.
    """
    elements = {result.id: _case(run, result) for result in run.results.values()}
    elements |= {identifier: _not_run(identifier, lacking) for identifier, lacking in run.not_run.items()}
    root = Xml.Element("testsuites", {"name": "QZMQ conformance"})
    for area, identifiers in groupby(sorted(elements), key=lambda identifier: identifier.split("/")[0]):
        _add_suite(root, area, run.name, [elements[identifier] for identifier in identifiers])
    if run.complaints:
        _add_suite(root, WHOLE, run.name, [_complaint(complaint) for complaint in run.complaints])
    root.attrib |= {name: value for name, value in _sums(root.iter("testcase")).items() if name != "skipped"}
    return root


def _add_suite(root: Xml.Element, name: str, implementation: str, cases: list[Xml.Element]) -> None:
    suite = Xml.SubElement(root, "testsuite", {"name": name} | _sums(cases))
    properties = Xml.SubElement(suite, "properties")
    Xml.SubElement(properties, "property", name="implementation", value=implementation)
    suite.extend(cases)


def _case(run: Run, result: Result) -> Xml.Element:
    case = _element(result.id, result.seconds)
    if result.known:
        Xml.SubElement(case, "skipped", message=f"known failure: {result.known}")
    elif not result.passed:
        failure = Xml.SubElement(case, "failure", message=result.seen, type=" ".join(result.requirements))
        sentences = (f"{rule.page}.md {rule.id}: {rule.text}" for rule in run.rules_of(result))
        failure.text = "\n".join(
            (
                f"expected: {result.expected}",
                *sentences,
                f"seen: {result.seen}",
                f"replay: {result.replay}",
            )
        )
        lines = (line for message in result.transcript for line in message.decoded)
        Xml.SubElement(case, "system-out").text = "\n".join(lines)
    return case


def _not_run(identifier: str, lacking: str) -> Xml.Element:
    case = _element(identifier)
    Xml.SubElement(case, "skipped", message=f"unsupported {lacking}")
    return case


def _complaint(complaint: str) -> Xml.Element:
    case = Xml.Element("testcase", name=complaint, classname=WHOLE, time="0.000")
    Xml.SubElement(case, "failure", message=complaint, type="complaint")
    return case


def _element(identifier: str, seconds: float = 0.0) -> Xml.Element:
    classname = ".".join(identifier.split("/")[:2])
    return Xml.Element("testcase", name=identifier, classname=classname, time=f"{seconds:.3f}")


def _sums(cases: Iterable[Xml.Element]) -> dict[str, str]:
    counted = list(cases)
    return {
        "tests": str(len(counted)),
        "failures": str(sum(case.find("failure") is not None for case in counted)),
        "errors": "0",
        "skipped": str(sum(case.find("skipped") is not None for case in counted)),
        "time": f"{sum(float(case.get('time', 0)) for case in counted):.3f}",
    }
