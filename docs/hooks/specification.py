"""MkDocs hooks: the pages of spec/ join the site as they are, and every requirement can be linked to by its ID."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.structure.files import File, Files

from qzmq_ref.spec.tables import FENCE, IDENTIFIER, requirements, spec_directory

# Code is left alone: fences first, then code spans, then the IDs that are to become links.
ID = IDENTIFIER.pattern
TOKEN = re.compile(
    rf"{FENCE.pattern}|`[^`\n]*`|^#[^\n]*|(?P<own>^(?:\*\*{ID}\*\*(?= )|\| {ID} (?=\|)))|\b(?P<mention>{ID})\b",
    re.MULTILINE | re.DOTALL,
)


def on_files(files: Files, config: Any) -> Files:
    """Add spec/*.md to the pages, without a copy in docs/."""
    for path in sorted(spec_directory().glob("*.md")):
        files.append(File.generated(config, f"spec/{path.name}", abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Anchor each requirement where it is stated (`#REC-4`), link to it where it is mentioned, colour structures."""

    def linked(match: re.Match[str]) -> str:
        if own := match["own"]:
            return IDENTIFIER.sub(lambda name: f"[{name[0]}](#{name[0]}){{ #{name[0]} .requirement }}", own)
        requirement = requirements().get(match["mention"] or "")
        if requirement:
            return f"[{requirement.id}]({prefix}{requirement.page}.md#{requirement.id})"
        return match[0].replace("```qzmq", "```c", 1)

    prefix = "" if page.file.src_uri.startswith("spec/") else "spec/"
    return TOKEN.sub(linked, markdown)
