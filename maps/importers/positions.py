"""A position as a table writes it: decimal, degrees with minutes and seconds, in full width; in one cell or in two.

What is wrong is proposed, never mended: a pin in the wrong place is worse than none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from maps.importers.reference import EAST, NORTH, SOUTH, WEST
from maps.importers.tables import plain

_NUMBER = re.compile(r"^[+]?\d+(?:\.\d+)?$")
_DMS = re.compile(
    r"^(?P<d>\d{1,3})\s*(?:度|°|゜|:|/|\s)\s*(?P<m>\d{1,2})\s*(?:分|'|′|’|:|/|\s)\s*(?P<s>\d{1,2}(?:\.\d+)?)\s*(?:秒|\"|″|′′|”|'')?$"
)
_PACKED = re.compile(r"^(?P<d>\d{2,3})(?P<m>[0-5]\d)(?P<s>[0-5]\d(?:\.\d+)?)$")
_LETTERS = re.compile(r"^(?:北緯|東経|n|e|lat|lon)[:\s]*|[\s]*(?:n|e)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a position cannot be used: which field, its value, what it may have meant."""

    field: str
    value: str | None
    problem: str
    proposal: str | None = None


def position(latitude: str, longitude: str) -> tuple[float, float] | Bad:
    """(longitude, latitude) in degrees, or what is wrong."""
    if not plain(latitude) and not plain(longitude):
        return Bad("location", None, "has no position", "Look the address up on the map and add it.")
    numbers: list[float] = []
    for field, text in (("latitude", latitude), ("longitude", longitude)):
        value = degrees(text)
        if value is None:
            said = plain(text)
            return Bad(field, said or None, "is missing" if not said else "is no number of degrees", _unpacked(said))
        numbers.append(value)
    lat, lon = numbers
    if SOUTH <= lat <= NORTH and WEST <= lon <= EAST:
        return round(lon, 7), round(lat, 7)
    if SOUTH <= lon <= NORTH and WEST <= lat <= EAST:
        return Bad(
            "location",
            f"{lat}, {lon}",
            "has latitude and longitude in the wrong order",
            f"latitude {lon}, longitude {lat}",
        )
    field, value = ("latitude", lat) if not SOUTH <= lat <= NORTH else ("longitude", lon)
    return Bad(field, str(value), "lies outside Japan", _unpacked(f"{value:.10g}"))


def degrees(text: str) -> float | None:
    """Decimal degrees of one cell, or None."""
    clean = _LETTERS.sub("", plain(text)).strip()
    if _NUMBER.match(clean):
        return float(clean)
    if found := _DMS.match(clean):
        return _dms(found)
    return None


def both(text: str) -> tuple[str, str] | None:
    """Latitude and longitude out of one cell, in the order in which they stand."""
    parts = re.split(r"\s*[,、;]\s*|\s+(?=[東E]|1[2-5]\d)", plain(text).strip("()"))
    return (parts[0], parts[1]) if len(parts) == 2 else None


def _dms(found: re.Match[str]) -> float | None:
    minutes, seconds = int(found["m"]), float(found["s"])
    return round(int(found["d"]) + minutes / 60 + seconds / 3600, 7) if minutes < 60 and seconds < 60 else None


def _unpacked(text: str) -> str | None:
    """354851.1 may mean 35°48′51.1″."""
    found = _PACKED.match(text)
    value = _dms(found) if found else None
    return f"{value} (as degrees, minutes and seconds)" if value is not None else None
