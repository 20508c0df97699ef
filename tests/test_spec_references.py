"""The pages that argue about requirements name ones that exist."""

from __future__ import annotations

import re

from qzmq_ref.spec.tables import requirements, spec_directory, tables

ID = re.compile(r"\b[A-Z]{2,4}-\d+\b")


def test_properties_rest_on_requirements() -> None:
    """Property by property (security.md), in the order of their numbers."""
    rows = tables()["properties"]
    rests = [set(ID.findall(row["Rests on"])) for row in rows]
    assert all(rests)
    assert set().union(*rests) <= requirements().keys()
    numbers = [int(row["Property"].split()[0]) for row in rows]
    assert numbers == sorted(set(numbers))


def test_rationale_stands_under_requirements() -> None:
    """Every heading of rationale.md names what it explains."""
    text = (spec_directory() / "rationale.md").read_text()
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    named = [set(ID.findall(heading)) for heading in headings]
    assert all(named)
    assert set().union(*named) <= requirements().keys()
