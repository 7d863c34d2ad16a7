"""A time as people give it for a replay: in an address, or on the command line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from app.errors import Invalid

JST = timezone(timedelta(hours=9), "JST")
LATEST_MS = 4_102_444_800_000  # the year 2100: what comes after is a slip of the hand


def moment(text: str) -> int:
    """ms since 1970: of such a number, or of ISO 8601 (without an offset: Japan's time). Raises Invalid."""
    text = text.strip()
    try:
        if text.isascii() and text.isdigit() and len(text) > len("20261129"):
            at_ms = int(text)
        else:
            found = datetime.fromisoformat(text)
            at_ms = int((found if found.tzinfo else found.replace(tzinfo=JST)).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        at_ms = -1
    if not 0 <= at_ms <= LATEST_MS:
        raise Invalid("bad_time", f"{text[:40]} is no time.", "Write it like 2026-06-12T21:00.", "at")
    return at_ms
