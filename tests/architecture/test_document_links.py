"""A link from one document to another leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?[^)]*\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)


def documents(root: Path) -> list[Path]:
    folders = (root / "docs", root / "hazard_data", root / "changelog.d")
    return [*root.glob("*.md"), *(path for folder in folders for path in folder.rglob("*.md"))]


def broken_links(document: Path) -> list[str]:
    """The links of one document to files that are not there; addresses of other sites are left alone."""
    text = CODE.sub("", document.read_text(encoding="utf-8"))
    targets = [target for target in LINK.findall(text) if not ELSEWHERE.match(target)]
    paths = [(target, unquote(target.split("#")[0])) for target in targets]
    return [target for target, path in paths if path and not (document.parent / path).exists()]


def test_every_link_between_documents_leads_somewhere() -> None:
    faults = {path.relative_to(ROOT).as_posix(): broken_links(path) for path in documents(ROOT)}
    assert {name: links for name, links in faults.items() if links} == {}


def test_a_planted_broken_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    text = "[here](page.md#top) [gone](gone.md) [far](https://example.org/x) `[code](no.md)`"
    document.write_text(text, encoding="utf-8")
    assert broken_links(document) == ["gone.md"]
