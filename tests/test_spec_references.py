"""The pages that argue about requirements name ones that exist."""

from __future__ import annotations

import re

from qzmq_ref.spec.tables import requirements, spec_directory, tables

ID = re.compile(r"(?<![\w-])[A-Z]{2,4}-\d+\b")


def test_properties_rest_on_requirements() -> None:
    """Property by property (security.md), in the order of their numbers."""
    rows = tables()["properties"]
    rests = [set(ID.findall(row["Rests on"])) for row in rows]
    assert all(rests)
    assert set().union(*rests) <= requirements().keys()
    numbers = [int(row["Property"].split()[0]) for row in rows]
    assert numbers == sorted(set(numbers))


def test_rationale_names_requirements_that_exist() -> None:
    """A rule that has gone has no reason left; and all headings but that of what no program checks are IDs."""
    text = (spec_directory() / "rationale.md").read_text()
    assert set(ID.findall(text)) <= requirements().keys()
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert sum(bool(ID.search(heading)) for heading in headings) >= len(headings) - 1
