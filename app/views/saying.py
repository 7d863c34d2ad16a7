"""What a page says of a time, a code and somebody's words, in the language of whoever reads it.

Before: views and the catalogue hold milliseconds and codes. After: templates, and the cells of tables.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import pass_context

from app import catalog
from app.views.translations import is_english

_TURNING = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
JST = ZoneInfo("Asia/Tokyo")


def register(app: Flask, clock: Callable[[], int]) -> None:
    """As filters of the templates. ``clock``: the node's, ms since 1970, by which a day is today."""
    app.template_filter("hhmm")(lambda ms: _local(ms, "%H:%M"))
    app.template_filter("hhmmss")(lambda ms: _local(ms, "%H:%M:%S"))
    app.template_filter("iso")(lambda ms: _local(ms, "%Y-%m-%dT%H:%M:%S%z"))
    app.template_filter("day")(day)
    app.template_filter("when")(lambda ms, seconds=False: when(ms, clock(), seconds))
    # With the context, so that Jinja does not fold a literal's word into the template in one language for ever.
    app.template_filter("word")(pass_context(lambda _, code, table: word(code, table)))
    app.template_filter("short")(pass_context(lambda _, code, table: short(code, table)))
    app.template_filter("said")(said)
    app.template_filter("megabytes")(lambda size: f"{max(size, 50_000) / 1e6:.1f} MB")
    app.template_filter("json_text")(lambda value: json.dumps(value, ensure_ascii=False))


def said(text: str | None) -> str:
    """What somebody wrote, without the marks that turn the direction of what stands around them."""
    return _TURNING.sub("", text or "")


def _local(ms: int | None, pattern: str) -> str:
    return "" if ms is None else datetime.fromtimestamp(ms / 1000, UTC).astimezone(JST).strftime(pattern)


def day(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC).astimezone(JST)
    if is_english():
        return moment.strftime("%a %-d %b")
    return f"{moment.month}月{moment.day}日({'月火水木金土日'[moment.weekday()]})"


def when(ms: int | None, now: int, seconds: bool = False) -> str:
    """The time; with a short date where it is not today's: after midnight each line of the evening has one."""
    if ms is None:
        return ""
    time = "%H:%M:%S" if seconds else "%H:%M"
    if _local(now, "%Y-%m-%d") == _local(ms, "%Y-%m-%d"):
        return _local(ms, time)
    return _local(ms, f"%-d %b {time}" if is_english() else f"%-m/%-d {time}")


def word(code: str | None, table: str) -> str:
    """The word of a code in the language of the page; an unknown code of a newer release is shown as it is."""
    return _said(code, table, "word")


def short(code: str | None, table: str) -> str:
    return _said(code, table, "short")


def _said(code: str | None, table: str, form: str) -> str:
    return _words_of(table, "english" if is_english() else form).get(code or "", code or "")


@cache
def _words_of(table: str, form: str) -> dict[str, str]:
    """A page asks for some hundred words: each is found by its code, without going through the table."""
    return {item.code: str(getattr(item, form)) for item in catalog.table(table)}
