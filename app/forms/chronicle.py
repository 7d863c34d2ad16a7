"""A line of the chronology: strings of the page to the fields of the entry. Pure."""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from app.errors import Invalid

JST = timezone(timedelta(hours=9), "JST")
_CLOCK = re.compile(r"(?:(\d{1,2})[/月](\d{1,2})日?\s+)?(\d{1,2})[::時]?(\d{2})分?", re.ASCII)
DAY_MS = 24 * 3_600_000


def read(form: Mapping[str, str], now: int) -> dict[str, Any]:
    """Fields of a new line. An empty time is now: only a time of its own is written as such."""
    fields: dict[str, Any] = {
        "text": form.get("text", "").strip() or None,
        "source": form.get("source") or None,
        "corrects": form.get("corrects") or None,
        "happened_at": moment(form.get("happened", ""), now),
        "reason": form.get("reason", "").strip() or None,
    }
    if fields["happened_at"] is not None and now - fields["happened_at"] > DAY_MS and fields["reason"] is None:
        raise Invalid("reason_needed", "this happened more than a day ago", "Say why it is written now.", "late_reason")
    return {name: value for name, value in fields.items() if value is not None}


def written(at: int, now: int) -> str:
    """A time as ``moment`` reads it back: with its day where that is not today's."""
    found, today = (datetime.fromtimestamp(ms / 1000, JST) for ms in (at, now))
    day = "" if found.date() == today.date() else f"{found.month}/{found.day} "
    return f"{day}{found:%H:%M}"


def moment(text: str, now: int) -> int | None:
    """``20:46``, ``2046`` or ``10/12 20:46`` as ms since 1970; a clock time that lies ahead was yesterday's."""
    typed = unicodedata.normalize("NFKC", text).strip()
    if not typed:
        return None
    matched = _CLOCK.fullmatch(typed)
    today = datetime.fromtimestamp(now / 1000, JST)
    try:
        if matched is None:
            raise ValueError
        month, day, hour, minute = (int(part) if part else None for part in matched.groups())
        clock = today.replace(hour=hour or 0, minute=minute or 0, second=0, microsecond=0)
        return _of_day(clock, month, day, now + 60_000)
    except ValueError as error:
        raise Invalid("bad_time", "this is no time", "Write it like 20:46.", "happened") from error


def _of_day(clock: datetime, month: int | None, day: int | None, until: int) -> int:
    """The newest moment of this clock time and day that is not after ``until``. Raises ValueError where none is."""
    if month is None or day is None:
        at = int(clock.timestamp() * 1000)
        return at if at <= until else at - DAY_MS
    for year in (clock.year, clock.year - 1):
        if day <= monthrange(year, month)[1]:
            at = int(clock.replace(year=year, month=month, day=day).timestamp() * 1000)
            if at <= until:
                return at
    raise ValueError
