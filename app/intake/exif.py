"""Position and time that a camera wrote into a photo, as data; the rest of its metadata is never read. Pure.

Before: ``picture`` opened the file. After: ``naming`` writes them into the attachment's description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

GPS, DETAILS = 0x8825, 0x8769
_LAT_REF, _LAT, _LON_REF, _LON = 1, 2, 3, 4
_TAKEN, _OFFSET = 36867, 36881
_JST = timezone(timedelta(hours=9))
_BAD = (ValueError, TypeError, ZeroDivisionError, OverflowError, IndexError, AttributeError)
_YEAR_1990_MS, _YEAR_2100_MS = 631_152_000_000, 4_102_444_800_000


def location_of(gps: Mapping[int, Any]) -> list[float] | None:
    """[lon, lat], or None where nothing usable stands there: also 0/0, what a camera without a fix writes."""
    try:
        lat = _degrees(gps[_LAT], gps[_LAT_REF], "NS")
        lon = _degrees(gps[_LON], gps[_LON_REF], "EW")
    except (KeyError, *_BAD):
        return None
    if not (abs(lat) <= 90 and abs(lon) <= 180) or (abs(lat) < 1e-4 and abs(lon) < 1e-4):
        return None
    return [round(lon, 6), round(lat, 6)]


def taken_at(details: Mapping[int, Any]) -> int | None:
    """Ms since 1970 by the camera's clock; without an offset it is taken to show Japanese time."""
    try:
        text = _text(details[_TAKEN])
        moment = datetime.strptime(text[:19], "%Y:%m:%d %H:%M:%S").replace(tzinfo=_zone(details.get(_OFFSET)))
        ms = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    except (KeyError, *_BAD):
        return None
    return ms if _YEAR_1990_MS <= ms < _YEAR_2100_MS else None


def _degrees(parts: Any, reference: Any, letters: str) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    value = degrees + minutes / 60 + seconds / 3600
    letter = _text(reference).upper()
    if letter not in letters or len(letter) != 1 or min(degrees, minutes, seconds) < 0 or not math.isfinite(value):
        raise ValueError(letter)
    return -value if letter == letters[1] else value


def _zone(offset: Any) -> timezone:
    if not offset:
        return _JST
    text = _text(offset)
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[4:6])))


def _text(value: Any) -> str:
    return (value.decode("ascii") if isinstance(value, bytes) else str(value)).strip("\0 ")
