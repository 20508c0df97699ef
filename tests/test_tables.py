"""What programs read from the pages: requirements, tables, definitions (NOT-10, NOT-11)."""

from __future__ import annotations

import pytest

from qzmq_ref.spec import tables
from qzmq_ref.spec.notation import NotationError
from qzmq_ref.spec.tables import Requirement, Specification

PAGE = """# Page

Prose about **ABC-9** is no requirement.

**ABC-1** A receiver MUST answer `decode_error`
if the line is folded.

```text
**ABC-2** An example is none either.

Table: shown

| A |
|---|
| 1 |
```

Table: states

| ID | Name | Says |
|---|---|---|
| ABC-3 | idle | a \\| b, then `illegal_parameter` |
| | | no ID |

```qzmq
enum { decode_error(50), illegal_parameter(47), (255) } AlertDescription;
```
"""


SPEC = Specification({"page": PAGE})


def test_a_paragraph_or_a_row_is_a_requirement_and_a_fence_is_not() -> None:
    """NOT-10."""
    assert SPEC.requirements == {
        "ABC-1": Requirement(
            "ABC-1", "page", "A receiver MUST answer `decode_error` if the line is folded.", ("decode_error",)
        ),
        "ABC-3": Requirement(
            "ABC-3", "page", "ABC-3 | idle | a | b, then `illegal_parameter`", ("illegal_parameter",)
        ),
    }


def test_a_row_is_read_by_its_header() -> None:
    assert SPEC.tables == {
        "states": (
            {"ID": "ABC-3", "Name": "idle", "Says": "a | b, then `illegal_parameter`"},
            {"ID": "", "Name": "", "Says": "no ID"},
        )
    }


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("**ABC-1** Again.\n", r"other.md: ABC-1 stands twice"),
        ("Table: states\n\n| A |\n|---|\n", r"other.md: states stands twice"),
        ("Table: short\n\n| A | B |\n|---|---|\n| 1 |\n", r"other.md: 1 cells instead of 2"),
        ("```qzmq\nstruct { AlertDescription a; } S;\n\nstruct { uint8; } T;\n```\n", r"other.md: line 4, column 15"),
        ("```qzmq\nenum { a(0), (255) } AlertDescription;\n```\n", r"other.md: AlertDescription stands twice"),
    ],
)
def test_an_error_names_the_page(page: str, message: str) -> None:
    """NOT-10, NOT-11: a name is used once; a row is whole."""
    pages = {"page": PAGE, "other": page}
    with pytest.raises(NotationError, match=message):
        read(Specification(pages))


def read(specification: Specification) -> tuple[object, ...]:
    return specification.definitions, specification.tables, specification.requirements


def test_the_specification_reads_as_a_whole() -> None:
    spec = tables.specification()
    pages = set(spec.pages)
    assert {requirement.page for requirement in spec.requirements.values()} <= pages
    assert {f"{name}.md" for name in pages} == {path.name for path in tables.spec_directory().iterdir()}
