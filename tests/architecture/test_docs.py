"""What the documents name is there: wire messages with their numbers, identifiers of the glossary, words of the screen.

Links are `test_document_links.py`'s, commands and settings `test_documented.py`'s.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.records.judge import MALFORMED, NOT_CAPABLE
from sync import protocol, verdict

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PICTURE = re.compile(r"""<img[^>]*\ssrc=["']([^"']+)["']|!\[[^\]]*\]\(([^)\s]+)""")
PICTURE_BYTES_MAX = 300_000
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def messages(text: str) -> dict[int, str]:
    """The wire messages of the protocol's table: number → name."""
    rows = re.findall(r"^\| (\d+) \| `([a-z]+)` \|", text, re.MULTILINE)
    return {int(number): name for number, name in rows}


def identifiers(text: str) -> list[str]:
    """The third column of the glossary's tables; a dash stands where the code has no name."""
    cells = [row.split("|")[3].strip() for row in text.splitlines() if row.startswith("| ") and row.count("|") >= 5]
    return [cell.strip("`") for cell in cells if cell.startswith("`")]


def words_of_the_code(root: Path) -> set[str]:
    files = [
        path
        for top in ("app", "sync", "maps", "desktop")
        for path in (root / top).rglob("*")
        if "static" not in path.parts
    ]
    source = [path for path in files if path.suffix in (".py", ".toml")]
    names = {path.stem for path in source}
    return names.union(*(WORD.findall(path.read_text("utf-8")) for path in source))


GLOSSARY = identifiers((DOCS / "glossary.md").read_text("utf-8"))
CODE = words_of_the_code(ROOT)


def test_each_wire_message_stands_in_the_protocol_with_its_number() -> None:
    assert messages((DOCS / "protocol.md").read_text("utf-8")) == protocol.NAMES


def test_a_planted_wire_message_without_a_row_is_noticed() -> None:
    assert messages("| 1 | `hello` | x | y |\n| 2 | nothing | x |") == {1: "hello"}


def test_each_reason_why_an_operation_does_not_count_stands_in_the_protocol() -> None:
    text = (DOCS / "protocol.md").read_text("utf-8")
    reasons = {verdict.NEWER, verdict.MISPLACED, verdict.REVOKED, verdict.MODE_MISMATCH, verdict.FORK}
    assert {reason for reason in reasons | {MALFORMED, NOT_CAPABLE} if f"`{reason}`" not in text} == set()


@pytest.mark.parametrize("name", GLOSSARY)
def test_each_identifier_of_the_glossary_is_a_name_in_the_code(name: str) -> None:
    assert name in CODE


def test_the_glossary_gives_one_identifier_one_meaning() -> None:
    assert sorted(GLOSSARY) == sorted(set(GLOSSARY)) and len(GLOSSARY) > 50


def test_a_planted_identifier_is_missed() -> None:
    assert identifiers("| 種 | seed | `no_such_name_of_ours` | x |") == ["no_such_name_of_ours"]
    assert "no_such_name_of_ours" not in CODE


@pytest.mark.parametrize("name", ["README.md", "README.en.md"])
def test_each_picture_of_the_readme_is_there_and_small(name: str) -> None:
    found = [one or other for one, other in PICTURE.findall((ROOT / name).read_text("utf-8"))]
    assert len(found) == 3
    for path in found:
        assert 0 < (ROOT / path).stat().st_size <= PICTURE_BYTES_MAX


def test_every_file_that_the_walk_of_one_report_names_is_there() -> None:
    text = (DOCS / "architecture.md").read_text("utf-8")
    named = set(re.findall(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|js|html))`", text))
    held = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("*/**/*.*") if "vendor" not in path.parts}
    gone = {name for name in named if not any(path == name or path.endswith(f"/{name}") for path in held)}
    assert named and gone == set()


def test_every_decision_is_listed_and_says_what_was_refused() -> None:
    pages = sorted((DOCS / "adr").glob("[0-9]*.md"))
    index = (DOCS / "adr" / "README.md").read_text("utf-8")
    assert [page.name[:4] for page in pages] == [f"{number:04d}" for number in range(1, len(pages) + 1)]
    for page in pages:
        assert f"({page.name})" in index
        assert "\n## Refused\n" in page.read_text("utf-8")


def test_every_document_is_reached_from_the_index() -> None:
    index = (DOCS / "README.md").read_text("utf-8")
    assert {
        page.name for page in DOCS.glob("*.md") if page.name != "README.md" and f"({page.name})" not in index
    } == set()
