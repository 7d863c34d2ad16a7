"""The UTM grid (MGRS) that responders read from their maps: a reference of the grid to a position, and back. Pure.

Before: a person types or reads aloud 「54SUE80566454」, with spaces, in lower case, in full-width signs, or only the
two numbers 「8056-6454」 where everybody knows the square. After: map, forms and printed pages show it to 10 m.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from maps.errors import MapsError

DIGITS_EACH = 4  # 10 m
SOUTH_MAX, NORTH_MAX = -80.0, 84.0
TEXT_CHARS_MAX = 64
_EXAMPLE = "Write it like 54SUE80566454, or like 8056-6454 within the city."
_FULL = re.compile(r"(\d{1,2})([C-HJ-NP-X])([A-HJ-NP-Z]{2})(\d*)")
_SQUARE_LEFT_OUT = re.compile(r"(\d{2,5})(?:[-/・:]|\s+)(\d{2,5})|(\d{4}|\d{6}|\d{8}|\d{10})")
_BETWEEN = re.compile(r"[\s\-_/・,:.]+")
_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−ー－〜~", "-"))


class BadGrid(MapsError):
    """The text names no place on the grid."""

    def __init__(self, code: str, message: str, hint: str = _EXAMPLE) -> None:
        super().__init__(code, message, hint)


@dataclass(frozen=True, slots=True)
class GridPlace:
    """The middle of the square that was named, how large it is, and the square as it is written."""

    lon: float
    lat: float
    size_m: int
    text: str


def read(text: str, near: tuple[float, float] | None = None) -> GridPlace:
    """The place that a reference names; ``near`` (lon, lat) gives the square that a short one leaves out.

    Raises BadGrid.
    """
    if len(text) > TEXT_CHARS_MAX:
        raise BadGrid("grid_too_long", "the grid reference is too long")
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).strip().upper()
    if not plain:
        raise BadGrid("grid_empty", "no grid reference was given")
    full = _FULL.fullmatch(_BETWEEN.sub("", plain))
    if full:
        zone, band, square, digits = full.groups()
        return _place(f"{int(zone)}{band}{square}", digits)
    short = _SQUARE_LEFT_OUT.fullmatch(plain)
    if short is None:
        raise BadGrid("grid_unreadable", "this is no reference of the UTM grid")
    if near is None:
        raise BadGrid("grid_without_square", "a short reference needs a city", "Write it whole, like 54SUE80566454.")
    if short[3] is None and len(short[1]) != len(short[2]):
        raise BadGrid("grid_uneven", "the two numbers have different lengths", "Write both with as many digits.")
    return _nearest(short[3] or short[1] + short[2], near)


def write(lon: float, lat: float, digits_each: int = DIGITS_EACH) -> str | None:
    """The square of a position, spaced to be read aloud: 「54S UE 8056 6454」. None beyond the grid (the poles)."""
    bare = _bare(lon, lat, digits_each)
    return spaced(bare) if bare else None


def spaced(bare: str) -> str:
    """54SUE80566454 as 「54S UE 8056 6454」."""
    found = _FULL.fullmatch(bare)
    if found is None:
        return bare
    half = len(found[4]) // 2
    return " ".join(part for part in (found[1] + found[2], found[3], found[4][:half], found[4][half:]) if part)


def _bare(lon: float, lat: float, digits_each: int) -> str | None:
    from mgrs import MGRS

    if not (-180 <= lon <= 180 and SOUTH_MAX <= lat <= NORTH_MAX):
        return None
    return str(MGRS().toMGRS(lat, lon, MGRSPrecision=digits_each))


def _place(square: str, digits: str) -> GridPlace:
    from mgrs import MGRS
    from mgrs.core import MGRSError

    if len(digits) % 2 or len(digits) > 10 or len(digits) < 4:
        raise BadGrid("grid_uneven", "a reference has 4, 6, 8 or 10 digits after its letters")
    half = len(digits) // 2
    size_m = 10 ** (5 - half)
    # The middle of the square, and not its south-west corner: half a unit is one more digit, a 5.
    middle = digits[:half] + "5" + digits[half:] + "5" if half < 5 else digits
    try:
        lat, lon = MGRS().toLatLon(f"{square}{middle}")
    except (MGRSError, ValueError) as error:
        raise BadGrid("grid_nowhere", f"{square} is no square of the UTM grid") from error
    if not (-180 <= lon <= 180 and SOUTH_MAX <= lat <= NORTH_MAX):
        raise BadGrid("grid_nowhere", f"{square} is no square of the UTM grid")
    back = _bare(lon, lat, half)
    if back is None or not back.startswith(square):
        raise BadGrid("grid_nowhere", f"{square}{digits} lies outside its square of the UTM grid")
    return GridPlace(round(lon, 7), round(lat, 7), size_m, spaced(f"{square}{digits}"))


def _nearest(digits: str, near: tuple[float, float]) -> GridPlace:
    """The place with these digits that is nearest: a city may lie on two squares of 100 km."""
    from math import cos, hypot, radians

    lon, lat = near
    squares = {_bare(lon + dx, lat + dy, 0) for dx in (-0.5, 0.0, 0.5) for dy in (-0.5, 0.0, 0.5)}
    found = []
    for square in sorted(square for square in squares if square):
        try:
            found.append(_place(square, digits))
        except BadGrid:
            continue
    if not found:
        raise BadGrid("grid_nowhere", "no square near the city has this reference")
    return min(found, key=lambda place: hypot((place.lon - lon) * cos(radians(lat)), place.lat - lat))
