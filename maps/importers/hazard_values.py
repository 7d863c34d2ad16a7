"""One value of a hazard file as limits in metres or hours, a rank and the code it came from. Nothing is guessed."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from maps.importers.hazard_fields import AS_CODE, AS_DEPTH, AS_EROSION, AS_FLOW, AS_KIND
from maps.layers import NO_RANK, RankTable

NUMBER = r"(\d+(?:\.\d+)?)"
UNIT = r"\s*(?:m|メートル|メ-トル)?\s*"
BETWEEN = re.compile(rf"^{NUMBER}{UNIT}(?:以上\s*[-~、,]*|[-~、,]+)\s*{NUMBER}{UNIT}(?:未満|以下)?$")
BELOW = re.compile(rf"^(?:[<~-]\s*)?{NUMBER}{UNIT}(?:未満|以下)?$")
ABOVE = re.compile(rf"^(?:[>≧≥]=?\s*)?{NUMBER}{UNIT}(?:以上|超|~|-|\+)?$")
DEPTH_MAX_M = 100.0
FLOW_WORDS, EROSION_WORDS = ("flow", "氾濫流", "41"), ("erosion", "河岸侵食", "河岸浸食", "42")


@dataclass(frozen=True, slots=True)
class Value:
    rank: int
    low: float = math.nan
    high: float = math.nan
    code: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a value says nothing; a value of nothing (0, empty) is no fault but says nothing either."""

    text: str
    proposal: str | None = None


NOTHING = Problem("")


def read(raw: Any, how: str, table: RankTable, kind_of_one: str = "flow") -> Value | Problem:
    """The value, by the table of its quantity. ``kind_of_one``: what 1 means in a file of one kind of zone."""
    text = plain(raw)
    if text in ("", "0", "nan", "none", "nat"):
        return NOTHING
    if how in (AS_FLOW, AS_EROSION):
        return Value(NO_RANK, code=how)
    if how == AS_KIND:
        return _kind(text, kind_of_one)
    if how == AS_DEPTH:
        return _depth(text, table)
    code = _whole(text)
    if code is None:
        return Problem("is no class", "a whole number of the table of classes")
    if how == AS_CODE and str(code) in table.codes:
        low, high = table.codes[str(code)]
        return Value(table.worst(low, high), low, math.nan if high is None else high, str(code))
    if how == AS_CODE and code > len(table.ranks):
        return Problem("is no code of 2012", "11 to 15, or 21 to 27")
    rank = table.of(code)
    if rank is None:
        return Problem("is no class of today's table", f"1 to {len(table.ranks)}")
    return Value(code, rank.low, math.nan if rank.high is None else rank.high, str(code))


def plain(raw: Any) -> str:
    """The value as a narrow lower-case text; 4.0 as 4."""
    if raw is None:
        return ""
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)
    text = unicodedata.normalize("NFKC", str(raw)).strip().lower()
    return re.sub(r"[〜～ー−–—]", lambda mark: "~" if mark[0] in "〜～" else "-", text)


def _whole(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _kind(text: str, kind_of_one: str) -> Value | Problem:
    if any(word in text for word in FLOW_WORDS):
        return Value(NO_RANK, code="flow")
    if any(word in text for word in EROSION_WORDS):
        return Value(NO_RANK, code="erosion")
    if text == "1":
        return Value(NO_RANK, code=kind_of_one)
    if text == "2":
        return Value(NO_RANK, code="erosion")
    return Problem("is no kind of collapse zone", "氾濫流 (1) or 河岸侵食 (2)")


def _depth(text: str, table: RankTable) -> Value | Problem:
    low: float
    high: float | None
    if between := BETWEEN.match(text):
        low, high = float(between[1]), float(between[2])
    elif (below := BELOW.match(text)) and re.search(r"未満|以下|^[<~-]", text):
        low, high = 0.0, float(below[1])
    elif (above := ABOVE.match(text)) and re.search(r"以上|超|[~+-]$|^[>≧≥]", text):
        low, high = float(above[1]), None
    elif exact := re.match(rf"^{NUMBER}{UNIT}$", text):
        low = high = float(exact[1])
    else:
        return Problem("is no depth in metres", "like 0.5-1.0, 3m以上 or 2.4")
    if low > (high if high is not None else low) or low > DEPTH_MAX_M:
        return Problem("is no depth in metres", "the lower limit first, in metres")
    rank = table.worst(low, math.nextafter(low, math.inf) if high == low else high)
    return Value(rank, low, math.nan if high is None else high, text)
