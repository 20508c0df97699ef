"""Rules of the house: which module may import which, and that no requirement is forgotten."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qzmq_conformance import suite
from qzmq_ref.spec.tables import requirements, tables

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "qzmq_ref"
ORDER = (
    ("spec.notation",),
    ("spec.tables",),
    ("spec.codec",),
    ("spec.schema",),
    ("spec.annotate",),
    ("registries", "z85"),
    ("alerts",),
    ("crypto",),
    ("policy", "metadata"),
    ("patterns",),
    ("handshake",),
    ("records",),
    ("binding", "events", "early"),
    ("connection",),
    ("zmtp", "raw"),
    ("tickets",),
    ("bridge",),
    ("sidecar",),
    ("socket", "asyncio", "auth", "metrics", "keylog", "logs"),
    ("authority",),
    ("sequels",),
    ("examples", "keygen_command", "bridge_command"),
    ("cli",),
)
"""Left to right: a module imports from its own place or from the left of it. What has the same place is independent."""

ALLOWED = {
    "construct": {"spec.codec"},
    "lark": {"spec.notation"},
    "socket": {"bridge", "sidecar"},
    "threading": {"bridge"},
    "zmq": {"socket", "asyncio", "auth", "metrics", "cli"},
}
"""Libraries that only some modules may import."""

SANS_IO = tuple(name for place in ORDER[: ORDER.index(("tickets",))] for name in place)
WORLD = {"asyncio", "datetime", "os", "random", "secrets", "select", "selectors", "ssl", "subprocess", "time"}
"""I/O, clock and randomness, which are passed in to everything left of the bridge and the stores of tickets."""

MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
CITATION = re.compile(r"\b[A-Z]{2,4}-\d+\b")


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


def place_of(module: str) -> int | None:
    """Where a module stands in ORDER: by its name or by that of the package it is in."""
    for place, names in enumerate(ORDER):
        if any(module == name or module.startswith(name + ".") for name in names):
            return place
    return None


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever the import stands in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def cited(*folders: str) -> set[str]:
    """Requirement IDs in the text of every Python file under the folders."""
    files = (path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {citation for path in files for citation in CITATION.findall(path.read_text())}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_imports_point_left(path: Path) -> None:
    module = module_name(path)
    place = place_of(module)
    assert place is not None, f"{module} has no place in ORDER"
    for imported in imports(path):
        other = place_of(imported.removeprefix("qzmq_ref.")) if imported.startswith("qzmq_ref.") else None
        assert other is None or other <= place, f"{module} imports {imported}, which stands to its right"


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_library_is_imported_where_it_belongs(path: Path) -> None:
    module = module_name(path)
    for imported in imports(path):
        top = imported.split(".")[0]
        allowed = ALLOWED.get(top)
        assert allowed is None or module.split(".")[0] in allowed or module in allowed, f"{module} imports {top}"
        assert not (top in WORLD and module.startswith(SANS_IO)), f"{module} is sans-IO and imports {top}"


def not_checked() -> set[str]:
    """The requirements of which rationale.md says why no program can check them."""
    return {row["Requirement"] for row in tables()["not_checked"]}


def comparisons(path: Path) -> list[str]:
    """Every `==` and `!=` in a file."""
    nodes = (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Compare))
    return [ast.unparse(node) for node in nodes if isinstance(node.ops[0], ast.Eq | ast.NotEq)]


def test_macs_are_compared_in_constant_time() -> None:
    """SEC-5: by `hmac.compare_digest` only, on both sides."""
    sides = [PACKAGE / "handshake" / name for name in ("client.py", "server.py")]
    assert all("hmac.compare_digest" in side.read_text() for side in sides)
    assert not [text for path in MODULES for text in comparisons(path) if re.search(r"verify_data|_mac\b", text)]


def test_every_requirement_is_cited_by_the_code() -> None:
    """Apart from the rows of the handshake table: the interpreter runs them, so they are code themselves."""
    interpreted = {row["ID"] for row in tables()["handshake"]}
    missing = requirements().keys() - interpreted - not_checked() - cited("qzmq_ref")
    assert not missing, f"no code cites {sorted(missing)}"


def test_every_requirement_is_covered_by_a_case_or_a_test() -> None:
    cases = {requirement for case in suite.cases() for requirement in case.requirements}
    missing = requirements().keys() - not_checked() - cases - cited("tests")
    assert not missing, f"no case and no test covers {sorted(missing)}"


def test_what_needs_no_check_is_a_requirement() -> None:
    assert not_checked() <= requirements().keys()


def test_no_citation_leads_nowhere() -> None:
    """An ID in the code is an ID of the specification; the prefixes are those that its pages use."""
    prefixes = {identifier.split("-")[0] for identifier in requirements()}
    found = cited("qzmq_ref", "conformance", "interop", "tests") - requirements().keys()
    unknown = {citation for citation in found if citation.split("-")[0] in prefixes}
    assert not unknown, f"not in the specification: {sorted(unknown)}"
