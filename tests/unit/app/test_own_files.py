"""Files of our own: one sheet for all styles, addresses that change with the content, modules that find each other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import own_files
from tests.house import House, built

CSS = own_files.FOLDER / "css"
OF_THEIR_OWN = {"locked", "recovery_sheet"}  # pages that are shown without the rest


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


def test_every_style_stands_in_the_sheet_once() -> None:
    assert sorted(own_files.IN_SHEET) == sorted({path.stem for path in CSS.glob("*.css")} - OF_THEIR_OWN)


def test_a_page_asks_for_the_sheet_under_the_mark_of_the_content_and_may_keep_it_for_a_year(house: House) -> None:
    page = house.browser("commander").get("/settings")
    (address,) = re.findall(r'href="([^"]+/css/all\.css)"', page.text)
    answer = house.browser("commander").get(address)
    assert address == f"/static/{own_files.fingerprint()}/css/all.css"
    assert (answer.status_code, answer.mimetype) == (200, "text/css")
    assert (answer.cache_control.max_age, answer.cache_control.no_cache) == (31_536_000, None)
    assert (CSS / "tokens.css").read_bytes() in answer.data and answer.data.endswith((CSS / "print.css").read_bytes())


def test_another_byte_in_a_file_is_another_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def told(text: str) -> str:
        (tmp_path / "js").mkdir(exist_ok=True)
        (tmp_path / "js" / "one.js").write_text(text)
        own_files.fingerprint.cache_clear()
        return own_files.fingerprint()

    monkeypatch.setattr(own_files, "FOLDER", tmp_path)
    try:
        assert told("let a = 1;") != told("let a = 2;")
        assert told("let a = 1;") == told("let a = 1;")
    finally:
        own_files.fingerprint.cache_clear()


@pytest.mark.parametrize("path", sorted((own_files.FOLDER / "js").rglob("*.js")), ids=lambda path: path.name)
def test_a_module_asks_for_its_neighbours_beside_itself(path: Path) -> None:
    """So they come with the same mark in their path; one asked for in two ways would run twice."""
    for asked in re.findall(r'(?:from|import\()\s*"([^"]+)"', path.read_text("utf-8")):
        assert asked.startswith(("./", "../")) and (path.parent / asked).is_file(), asked
