"""A page that stands is drawn anew as things arrive, or it is one of those that keep still, with the reason.

One part that listens is enough: which parts of a page change while it stands is for whoever builds it.
"""

from __future__ import annotations

import re
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "app" / "templates"
LIVE = ("data-topics=", 'hx-trigger="every')

STILL = {
    "somebody writes there, and leaves": """
        bulletins/new damage_reports/edit handover_notes/new hq_meetings/edit hq_meetings/new incidents/joins
        incidents/new incidents/state instructions/new join/show login/people login/show muster_answers/show
        musters/new musters/person nodes/revocation nodes/show patrol_points/clear replay/show report_phrases/index
        second_factor/ask second_factor/codes second_factor/setup second_factor/there settings/show staff/new
        staff/show users/show vouches/new""",
    "it is for the printer": """
        chronicle/print envelopes/sheet hq_meetings/print instructions/calls musters/tree users/code""",
    "each reading is written down, so none happens by itself": "damage_reports/people musters/safety",
    "it changes a few times a year": "envelopes/index teams/index users/index",
    "it answers a question that was asked once": "errors/error muster_answers/gone search/index",
    "it holds links alone": "more/show",
}


def test_every_page_listens_or_says_why_not() -> None:
    texts = {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}
    pages = [name for name, text in texts.items() if '{% extends "base.html" %}' in text]
    still = {name.removesuffix(".html") for name in pages if not listens(name, texts)}
    assert still == {name for names in STILL.values() for name in names.split()}


def listens(name: str, texts: dict[str, str]) -> bool:
    """Whether a template, or one that it includes, is drawn anew by itself."""
    text = texts.get(name, "")
    included = re.findall(r'\{% include "([^"]+)"', text)
    return any(sign in text for sign in LIVE) or any(listens(one, texts) for one in included if one != name)
