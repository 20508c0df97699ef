"""MkDocs hooks: the pages of spec/ join the site as they are, and every requirement can be linked to by its ID."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from qzmq_ref.spec.tables import FENCE, IDENTIFIER, requirements, spec_directory, specification

VECTORS = Path(__file__).parents[2] / "vectors"
PREMISE = re.compile(r"^(Fixes:|Needs:|Read by:)\s(.*)$", re.MULTILINE)
ID = IDENTIFIER.pattern
# Code and headings are left alone: they match first. What is left are the IDs that are to become links.
TOKEN = re.compile(
    rf"{FENCE.pattern}|`[^`\n]*`|^#[^\n]*|(?P<own>^(?:\*\*{ID}\*\*(?= )|\| {ID} (?=\|)))|\b(?P<mention>{ID})\b",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add spec/*.md and the vectors to the site, without a copy in docs/."""
    for path in sorted(spec_directory().glob("*.md")):
        files.append(File.generated(config, f"spec/{path.name}", abs_src_path=str(path)))
    for path in sorted(VECTORS.rglob("*.*")):
        name = path.relative_to(VECTORS.parent).as_posix().replace("README.md", "index.md")
        if path.suffix in (".md", ".json", ".py"):
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Anchor each requirement where it is stated (`#REC-4`), link to it where it is mentioned, colour structures."""
    upwards = "../" * page.file.src_uri.count("/")

    def linked(match: re.Match[str]) -> str:
        if own := match["own"]:
            return IDENTIFIER.sub(lambda name: f"[{name[0]}](#{name[0]}){{ #{name[0]} .requirement }}", own)
        if requirement := requirements().get(match["mention"] or ""):
            return f"[{requirement.id}]({upwards}spec/{requirement.page}.md#{requirement.id})"
        return match[0].replace("```qzmq", "```c", 1)

    return PREMISE.sub(r"**\1** \2<br>", TOKEN.sub(linked, markdown))


def on_post_build(config: MkDocsConfig) -> None:
    """Every requirement has its anchor, or there is no site."""
    pages = {page: (Path(config.site_dir) / "spec" / page / "index.html").read_text() for page in specification().pages}
    if missing := [one.id for one in requirements().values() if f'id="{one.id}"' not in pages[one.page]]:
        raise PluginError(f"without an anchor: {', '.join(missing)}")
