"""A run as pages that need nothing but a browser: the matrix, and behind each place of it the cells that it counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from qzmq_conformance.pages import file_name, prose
from qzmq_conformance.results import printable
from qzmq_interop.matrix.show import replay
from qzmq_interop.matrix.summary import Pair, Summary, tally
from qzmq_interop.matrix.verdicts import Verdict


def write(directory: str | Path, summary: Summary, depth: str, named: Iterable[str]) -> None:
    """Writes the pages into a folder, index.html first. What is not part of them stays as it is."""
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in render(summary, depth, tuple(named)):
        (folder / name).write_text(text, encoding="utf-8")


def render(summary: Summary, depth: str, named: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The files, each with its text. Looks, and the frame of a page, are those of the report of `qzmq conform`."""
    templates = Environment(
        loader=ChoiceLoader([PackageLoader("qzmq_interop.matrix"), PackageLoader("qzmq_conformance")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {"prose": prose, "printable": printable, "tally": tally}
    templates.globals |= {
        "summary": summary,
        "depth": depth,
        "Verdict": Verdict,
        "address": address,
        "replay": lambda cell: replay(cell, named),
    }
    yield "style.css", "".join(templates.get_template(name).render() for name in ("style.css", "matrix.css"))
    yield "index.html", templates.get_template("matrix.html").render()
    page = templates.get_template("place.html")
    for (pair, column), outcomes in summary.matrix.items():
        if pair in summary.pairs:
            yield address(pair, column), page.render(pair=pair, column=column, outcomes=outcomes)


def address(pair: Pair, column: str) -> str:
    """The page behind a place of the matrix."""
    return file_name("place", f"{pair[0]}+{pair[1]}+{column}")
