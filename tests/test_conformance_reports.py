"""Reports: the same verdicts and counts wherever they are shown, and nothing that the target says becomes markup."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qzmq_conformance import junit, pages, results
from qzmq_conformance.main import main
from qzmq_conformance.pages import Report, file_name, hexdump, prose, render
from qzmq_conformance.results import Run, Unreadable, printable
from qzmq_ref import cli
from qzmq_ref.spec.tables import requirements

CASES = ("handshake/classical/server/established/*", "handshake/hybrid/server/whole*")
FAULTY = f"{sys.executable} -m tests.faulty_reference alert-in-the-clear"
HOSTILE = "</pre><script>alert('x')</script>\"'&amp; ]]> \x00\x1b[2J\r\u202e\ud800\ufffe"
VOID = {"meta", "link"}


@dataclass(frozen=True)
class Played:
    """What one run of the command left."""

    status: int
    shown: str
    document: Mapping[str, Any]
    xml: Xml.Element
    html: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A real run, of a reference that sends alerts in the clear."""
    folder = tmp_path_factory.mktemp("report")
    chosen = [word for case in CASES for word in ("--case", case)]
    written = ["--json", folder / "out.json", "--junit", folder / "out.xml", "--html", folder / "html"]
    with pytest.MonkeyPatch.context() as patch, (folder / "shown").open("w+") as shown:
        patch.setattr(sys, "stdout", shown)
        status = main([*chosen, "--adapter", FAULTY, "--patience", "1", *map(str, written)])
    return Played(
        status,
        (folder / "shown").read_text(),
        json.loads((folder / "out.json").read_text()),
        Xml.parse(folder / "out.xml").getroot(),  # noqa: S314  (written here)
        folder / "html",
    )


def hostile(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document as a target would like to have it: every text that it has a say in is markup."""
    twisted: dict[str, Any] = json.loads(json.dumps(document))
    twisted["target"] = {"name": HOSTILE, "version": HOSTILE}
    twisted["complaints"] = [HOSTILE]
    twisted["not_run"] = {f"area/mode/{HOSTILE}": HOSTILE}
    twisted["requirements"][HOSTILE] = {"page": HOSTILE, "text": HOSTILE}
    for number, result in enumerate(twisted["results"]):
        result |= {"id": f"{result['id']}{HOSTILE}/../../{number}", "requirements": [HOSTILE], "alert": HOSTILE}
        if not result["passed"]:
            result |= {"seen": HOSTILE, "expected": HOSTILE, "replay": HOSTILE}
            result["transcript"] = [
                {"sender": HOSTILE, "size": 99, "octets": b"<script>".hex(), "decoded": [HOSTILE, HOSTILE]}
            ]
    return twisted


# -- counts


def test_counts_agree_wherever_they_are_shown(played: Played) -> None:
    cases, failed = played.document["cases"], sum(not result["passed"] for result in played.document["results"])
    assert 0 < failed < cases
    assert played.status == 1
    assert f"{cases} cases, {failed} failed" in played.shown
    assert played.shown.count("FAILED") == failed
    assert (played.xml.get("tests"), played.xml.get("failures")) == (str(cases), str(failed))
    index = (played.html / "index.html").read_text()
    assert f"{failed} failed</span> of" in index
    assert f"{cases} cases</span>" in index
    assert len(list(played.html.glob("case-*.html"))) == cases
    areas = "".join(path.read_text() for path in played.html.glob("area-*.html"))
    assert areas.count('<th scope="row">') == cases


def test_known_failures_and_what_was_not_run_are_counted_apart(played: Played) -> None:
    failed = [result["id"] for result in played.document["results"] if not result["passed"]]
    run = Run.of({**played.document, "known": {failed[0]: "a reason"}, "not_run": {"area/mode/case": "raw"}})
    assert (run.tally.cases, run.tally.failed) == (played.document["cases"], len(failed) - 1)
    xml = junit.to_xml(run)
    assert int(xml.get("failures", "")) == len(failed) - 1
    assert [each.get("message") for each in xml.iter("skipped")] == ["unsupported raw", "known failure: a reason"]
    index = dict(render(Report((run,))))["index.html"]
    assert "a reason" in index
    assert "1 cases not run: unsupported raw" in index


def test_a_complaint_turns_every_report_red(played: Played) -> None:
    passed = [result for result in played.document["results"] if result["passed"]]
    run = Run.of({**played.document, "results": passed})
    assert run.passed
    assert junit.to_xml(run).get("failures") == "0"
    run = Run.of({**played.document, "results": passed, "complaints": ["PUB got lost"]})
    assert not run.passed
    assert junit.to_xml(run).get("failures") == "1"
    assert "PUB got lost" in dict(render(Report((run,))))["index.html"]


# -- JUnit XML: what the schemas of Ant and Jenkins both demand


SCHEMA: Mapping[str, tuple[str, str]] = {
    "testsuites": ("name tests failures errors time", "testsuite"),
    "testsuite": ("name tests failures errors skipped time", "properties testcase"),
    "properties": ("", "property"),
    "property": ("name value", ""),
    "testcase": ("name classname time", "skipped failure system-out"),
    "skipped": ("message", ""),
    "failure": ("message type", ""),
    "system-out": ("", ""),
}
"""For each element its attributes, and its children in their order."""


def check(element: Xml.Element) -> None:
    attributes, children = (names.split() for names in SCHEMA[element.tag])
    assert element.attrib.keys() == set(attributes), element.tag
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for child in element:
        check(child)


def test_junit_keeps_to_the_common_schema_and_its_sums_are_right(played: Played) -> None:
    twisted = Xml.tostring(junit.to_xml(Run.of(hostile(played.document))))
    for root in (played.xml, Xml.fromstring(twisted)):  # noqa: S314  (that it is still XML is the point)
        check(root)
        for part in (root, *root):
            assert int(part.get("tests", "")) == len(list(part.iter("testcase")))
            assert int(part.get("failures", "")) == len(list(part.iter("failure")))
        names = Counter(case.get("name") for case in root.iter("testcase"))
        assert max(names.values()) == 1


def test_a_failure_in_junit_says_what_to_do(played: Played) -> None:
    (failed,) = [result for result in played.document["results"] if result["id"].endswith("/established/client_hello")]
    (case,) = [case for case in played.xml.iter("testcase") if case.get("name") == failed["id"]]
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == failed["seen"]
    assert failed["replay"] in (failure.text or "")
    assert requirements()["HS-18"].text in (failure.text or "")
    assert "client_hello" in (case.findtext("system-out") or "")


# -- pages


@dataclass
class Page(HTMLParser):
    """A page as a browser reads it: every tag is closed, every link is noted."""

    text: str
    tags: Counter[str] = field(default_factory=Counter)
    links: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    words: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[str] = []
        self.feed(self.text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self._open += [] if tag in VOID else [tag]
        for name, value in attrs:
            assert not name.startswith("on"), name
            assert name != "style"
            if name in ("href", "src"):
                self.links.append(value or "")
            elif name == "id":
                self.ids.append(value or "")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


def parsed(files: Mapping[str, str]) -> Iterator[tuple[str, Page]]:
    return ((name, Page(text)) for name, text in files.items() if name.endswith(".html"))


def test_every_link_leads_somewhere_and_nothing_is_fetched(played: Played) -> None:
    files = {path.name: path.read_text() for path in played.html.iterdir()}
    read = dict(parsed(files))
    for name, page in read.items():
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            file, _, anchor = link.partition("#")
            assert (file or name) in files, f"{name} leads to {link}"
            assert not anchor or anchor in read[file or name].ids, f"{name} leads to {link}"
    assert "url(" not in files["style.css"]
    assert "@import" not in files["style.css"]


def test_a_page_of_a_failed_case_has_all_there_is(played: Played) -> None:
    (failed,) = [result for result in played.document["results"] if result["id"].endswith("/established/client_hello")]
    page = Page((played.html / file_name("case", failed["id"])).read_text())
    words = " ".join(page.words.split())
    for expected in (failed["id"], failed["seen"], failed["replay"], "ClientHello.random", "HS-18"):
        assert expected in words
    assert " ".join(failed["expected"].split()) in words
    for message in failed["transcript"]:
        assert hexdump(bytes.fromhex(message["octets"])).splitlines()[0] in page.words


def test_a_page_of_a_passed_case_says_what_it_proved_and_how_to_see_it(played: Played) -> None:
    passed = next(result for result in played.document["results"] if result["passed"] and not result["alert"])
    page = Page((played.html / file_name("case", passed["id"])).read_text())
    words = " ".join(page.words.split())
    rules = [requirements()[name].text for name in passed["requirements"]]
    assert all(" ".join(text for _, text in prose(rule))[:40] in words for rule in rules)
    for expected in (passed["replay"], "✓ passed", "success", "a run with --trace keeps it"):
        assert expected in words
    assert "transcript" not in passed


def test_a_traced_run_keeps_the_messages_of_all(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = "handshake/classical/server/whole"
    assert main(["--case", case, "--trace", "--html", str(tmp_path), "--json", str(tmp_path / "out.json")]) == 0
    (result,) = json.loads((tmp_path / "out.json").read_text())["results"]
    shown = capsys.readouterr().out
    assert result["transcript"]
    assert all(line in shown for message in result["transcript"] for line in message["decoded"])
    page = Page((tmp_path / file_name("case", case)).read_text())
    assert "ClientHello.random" in page.words
    assert "Not kept" not in page.words


def test_whatever_a_target_says_stays_text(played: Played) -> None:
    honest = dict(parsed(dict(render(Report((Run.of(played.document),))))))
    twisted = dict(parsed(dict(render(Report((Run.of(hostile(played.document)),))))))
    assert len(twisted) == len(honest)
    for name, page in twisted.items():
        assert re.fullmatch(r"[\w.+-]+", name)
        assert page.tags["script"] == page.tags["img"] == 0
        assert "<script>" in page.words
        assert all(link.partition("#")[0] in {*twisted, "style.css", ""} for link in page.links)
        assert printable(page.words) == page.words


def test_two_results_stand_side_by_side(played: Played, tmp_path: Path) -> None:
    """One is of a version that passes all, and says so on the page of the case that the other failed."""
    document = dict(played.document)
    document["results"] = [{**result, "passed": True} for result in document["results"]]
    for name, one in (("bad.json", played.document), ("good.json", document)):
        (tmp_path / name).write_text(json.dumps(one))
    files = [str(tmp_path / name) for name in ("bad.json", "good.json")]
    assert (
        cli.main(["report", *files, "--html", str(tmp_path / "html"), "--specification", "https://spec.example/"]) == 0
    )
    failed = next(result["id"] for result in played.document["results"] if not result["passed"])
    page = Page((tmp_path / "html" / file_name("case", failed)).read_text())
    first, second = results.read(files)
    assert second.name == f"{first.name} (2)"
    words = " ".join(page.words.split())
    assert f"{first.name} ✗ failed" in words
    assert f"{second.name} ✓ passed" in words
    assert "https://spec.example/handshake/#HS-18" in Page((tmp_path / "html" / "index.html").read_text()).links


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"target": {}, "results": [{"id": "x"}]}', '"\\ud800"'])
def test_what_is_no_result_is_refused_with_a_reason(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "result.json"
    file.write_text(text)
    assert cli.main(["report", str(file), "--html", str(tmp_path / "html")]) == 2
    assert f"{file}: " in capsys.readouterr().err
    assert not (tmp_path / "html").exists()
    with pytest.raises(Unreadable):
        results.read([file])


@given(st.text(), st.text())
def test_file_names_are_plain_and_distinct(one: str, other: str) -> None:
    names = {file_name("case", text) for text in {one, other}}
    assert len(names) == len({one, other})
    assert all(re.fullmatch(r"case-[\w.+-]*\.html", name, re.ASCII) and len(name) < 130 for name in names)


@given(st.text())
def test_printable_text_has_nothing_that_is_obeyed(text: str) -> None:
    shown = printable(text)
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert printable(shown) == shown
    assert shown.count("\n") == text.count("\n")


@given(st.binary(max_size=100))
def test_a_hexdump_holds_every_octet(octets: bytes) -> None:
    assert bytes.fromhex("".join(line[8:55] for line in hexdump(octets).splitlines())) == octets


def test_prose_knows_code_and_links() -> None:
    assert prose("as [records](records.md#x) say, `seq` is") == [
        (False, "as records say, "),
        (True, "seq"),
        (False, " is"),
    ]


def test_what_was_there_stays(played: Played, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    pages.write(tmp_path, [Run.of(played.document)])
    assert (tmp_path / "mine.txt").read_text() == "mine"
    assert (tmp_path / "index.html").exists()
