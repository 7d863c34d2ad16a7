"""What CSP and the rules of the house ask of every template and style."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

APP = Path(__file__).resolve().parents[3] / "app"
TEMPLATES = sorted((APP / "templates").rglob("*.html"))
STYLES = sorted((APP / "static" / "css").glob("*.css"))
JAPANESE = re.compile(r"[ぁ-ヺ一-鿿]")
# A sentence in gettext's call, a Jinja comment.
WRAPPED = re.compile(r"_\((?:\"[^\"]*\"|'[^']*')|\{#.*?#\}", re.DOTALL)
PLAIN_JAPANESE = {"settings/show.html": "日本語"}  # the name of a language is said in that language


def name_of(path: Path) -> str:
    return str(path.relative_to(APP))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_has_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_japanese_in_a_template_is_wrapped_for_gettext(path: Path) -> None:
    text = WRAPPED.sub("", path.read_text("utf-8"))
    text = text.replace(PLAIN_JAPANESE.get(str(path.relative_to(APP / "templates")), "\0"), "")
    assert [line for line in text.splitlines() if JAPANESE.search(line)] == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_every_posting_form_carries_its_csrf_token(path: Path) -> None:
    text = path.read_text("utf-8")
    for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", text, re.DOTALL):
        assert "csrf()" in form or "csrf_token" in form or "form_token" in form  # a locked node has no session


@pytest.mark.parametrize("path", STYLES, ids=name_of)
def test_a_style_has_at_most_250_lines_and_no_colour_of_its_own(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= 250
    if path.name not in ("tokens.css", "print.css"):
        assert re.findall(r"(?<![-\w&])#[0-9a-fA-F]{3,8}\b", text) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_no_title_of_a_page_holds_a_name(path: Path) -> None:
    """A browser keeps the titles of all pages in clear; numbers and labels of devices tell nothing."""
    for title in re.findall(r"\{% block title %\}(.*?)\{% endblock %\}", path.read_text("utf-8"), re.DOTALL):
        told = re.findall(r"\{\{(?! *_\()(.*?)\}\}", title)
        assert [one for one in told if not re.search(r"\b(number|label|happened)\b", one)] == []
