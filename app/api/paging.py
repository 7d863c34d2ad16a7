"""The query of a list: limit, cursor, times and boxes, each checked; a name that nobody knows is refused."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from typing import Any, NoReturn

from app.api import wire
from app.api.strict_json import printable
from app.errors import Invalid
from app.queries.row import LIMIT_DEFAULT, LIMIT_MAX
from app.records import shape

_NUMBER = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,20})?")
_PLUS_LOST = re.compile(r" (\d\d:\d\d)$")  # an unescaped + of an offset arrives as a space


def check_names(args: Any, known: Collection[str]) -> None:
    """Refuse parameters that mean nothing here, and those that stand twice."""
    for name in args:
        if name not in known:
            shown = printable(name)
            raise Invalid("unknown_parameter", f"{shown} is no parameter here.", "Known: " + ", ".join(known), shown)
        if len(args.getlist(name)) > 1:
            _refuse("duplicate_parameter", name, "stands twice", "Send each parameter once.")


def limit(args: Any) -> int:
    text = args.get("limit")
    if text is None:
        return LIMIT_DEFAULT
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and 1 <= int(text) <= LIMIT_MAX):
        _refuse("bad_limit", "limit", f"is not an integer from 1 to {LIMIT_MAX}", "Follow next_cursor for more.")
    return int(text)


def cursor(args: Any) -> str | None:
    return args.get("cursor")


def record_id(args: Any, name: str) -> str | None:
    return shape.record_id(name, args[name]) if name in args else None


def since(args: Any) -> int | None:
    if "since" not in args:
        return None
    return wire.read_time("since", _PLUS_LOST.sub(r"+\1", args["since"]))


def codes(args: Any, name: str, known: Collection[str]) -> tuple[str, ...]:
    """One code or several with commas between them."""
    if name not in args:
        return ()
    check = shape.choice(known)
    return tuple(check(name, code) for code in args[name].split(","))


def number(args: Any, name: str, low: float, high: float) -> float:
    """A number that must be there, as people write one: no exponent, no sign but a minus."""
    hint = f"Send {name} as a number from {low:g} to {high:g}."
    text = args.get(name, "")
    if not text:
        _refuse("required", name, "is needed", hint)
    if not _NUMBER.fullmatch(text):
        _refuse("wrong_type", name, "is not a number", hint)
    if not low <= float(text) <= high:
        _refuse("out_of_range", name, "is out of range", hint)
    return float(text)


def bbox(args: Any) -> tuple[float, float, float, float] | None:
    """west,south,east,north in degrees."""
    if "bbox" not in args:
        return None
    try:
        west, south, east, north = (float(part) for part in args["bbox"].split(","))
    except ValueError:
        _bad_box()
    if not all(map(math.isfinite, (west, south, east, north))):
        _bad_box()
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        _bad_box()
    return west, south, east, north


def _bad_box() -> NoReturn:
    _refuse(
        "bad_bbox",
        "bbox",
        "is not west,south,east,north in degrees",
        "Send it like bbox=139.6,35.8,139.7,35.9.",
    )


def _refuse(code: str, name: str, problem: str, hint: str) -> NoReturn:
    raise Invalid(code, f"{name} {problem}.", hint, name)
