"""The checks that a value of a form must pass before it becomes a field of an operation. Pure.

Before: views and the API have parsed the request (times as ms since 1970 UTC, positions as [lon, lat]).
After: each noun's ``create`` and ``edit`` put the cleaned values into a Change. A check returns the value
to write or raises Invalid; ``None`` never reaches it (a register may always be emptied, unless the noun
says that it is needed).
"""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from app.errors import Invalid


@dataclass(frozen=True, slots=True)
class Check:
    """(field name, value) → the value to write. ``schema`` says the same in JSON Schema."""

    run: Callable[[str, Any], Any]
    schema: Mapping[str, Any]

    def __call__(self, field: str, value: Any) -> Any:
        return self.run(field, value)


NAME_CHARS_MAX = 100
LINE_CHARS_MAX = 200  # one line: a summary, an address
TEXT_CHARS_MAX = 2_000  # 6,000 bytes of Japanese: under the log's 8 KiB a text and 16 KiB a body
ELEMENTS_MAX = 100  # of a set, in one write
YEAR_1970_MS, YEAR_2100_MS = 0, 4_102_444_800_000

_HASH = re.compile(r"[0-9a-f]{64}")


def text(chars_max: int, *, lines: bool = True) -> Check:
    """A text in NFC without control characters; ``lines``: line feeds and tabs may stand in it."""

    def check(field: str, value: Any) -> str:
        if type(value) is not str:
            refuse("wrong_type", field, "is not a text", "Send a JSON string.")
        try:
            value.encode()
        except UnicodeEncodeError:
            refuse("bad_text", field, "holds half of a surrogate pair", "Send well-formed Unicode.")
        clean = unicodedata.normalize("NFC", value.replace("\r\n", "\n"))
        allowed = "\n\t" if lines else ""
        if any(unicodedata.category(char) == "Cc" and char not in allowed for char in clean):
            refuse("bad_text", field, "holds a control character", "Remove control characters and U+0000.")
        clean = clean.strip()
        if not clean:
            refuse("empty", field, "is empty", "Send null where there is nothing to say.")
        if len(clean) > chars_max:
            refuse("too_long", field, f"has more than {chars_max} characters", "Shorten the text.")
        return clean

    return Check(check, {"type": "string", "minLength": 1, "maxLength": chars_max})


def choice(codes: Collection[str]) -> Check:
    """One of the codes of a catalogue."""

    def check(field: str, value: Any) -> str:
        if type(value) is not str or value not in codes:
            refuse("unknown_code", field, "is not one of the known codes", "Known: " + ", ".join(codes))
        return value

    return Check(check, {"type": "string", "enum": list(codes)})


def integer(low: int, high: int) -> Check:
    def check(field: str, value: Any) -> int:
        if type(value) is not int:
            refuse("wrong_type", field, "is not an integer", f"Send an integer from {low} to {high}.")
        if not low <= value <= high:
            refuse("out_of_range", field, "is out of range", f"Send an integer from {low} to {high}.")
        return value

    return Check(check, {"type": "integer", "minimum": low, "maximum": high})


def real(low: float, high: float) -> Check:
    def check(field: str, value: Any) -> float:
        if type(value) not in (int, float):
            refuse("wrong_type", field, "is not a number", f"Send a number from {low:g} to {high:g}.")
        if not (low <= value <= high and math.isfinite(value)):
            refuse("out_of_range", field, "is out of range", f"Send a number from {low:g} to {high:g}.")
        return float(value)

    return Check(check, {"type": "number", "minimum": low, "maximum": high})


def _flag(field: str, value: Any) -> bool:
    if type(value) is not bool:
        refuse("wrong_type", field, "is not true or false", "Send true, false or null.")
    return value


def _moment(field: str, value: Any) -> int:
    """A time in ms since 1970, UTC, before the year 2100."""
    if type(value) is not int or not YEAR_1970_MS <= value < YEAR_2100_MS:
        refuse("bad_time", field, "is not a time between 1970 and 2100", "Send the time with its offset.")
    return value


def _point(field: str, value: Any) -> list[float]:
    """[lon, lat] in degrees, WGS 84."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        refuse("bad_position", field, "is not a position", "Send longitude, then latitude.")
    for number, limit in zip(value, (180, 90), strict=True):
        if type(number) not in (int, float) or not (-limit <= number <= limit and math.isfinite(number)):
            refuse("bad_position", field, "lies outside the earth", "Send longitude, then latitude, in degrees.")
    return [float(value[0]), float(value[1])]


def record_id(field: str, value: Any) -> str:
    """The 36 characters of a UUID, in lower case."""
    try:
        if type(value) is not str or len(value) != 36:
            raise ValueError
        return str(uuid.UUID(value))
    except ValueError:
        refuse("bad_id", field, "is not the id of a record", "Send the 36 characters of a UUID.")


def is_sha256(value: Any) -> bool:
    return type(value) is str and _HASH.fullmatch(value) is not None


def _sha256(field: str, value: Any) -> str:
    if not is_sha256(value):
        refuse("bad_hash", field, "is not a SHA-256", "Send 64 hexadecimal digits in lower case.")
    return value


def each(check: Check) -> Check:
    """A set: its elements, each checked, once, in a fixed order."""

    def check_all(field: str, value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            refuse("wrong_type", field, "is not a list", "Send a list.")
        if len(value) > ELEMENTS_MAX:
            refuse("too_many", field, f"has more than {ELEMENTS_MAX} elements", "Send fewer at once.")
        return sorted({check(field, element) for element in value})

    return Check(check_all, {"type": "array", "items": dict(check.schema), "maxItems": ELEMENTS_MAX})


flag = Check(_flag, {"type": "boolean"})
moment = Check(_moment, {"type": "string", "format": "date-time"})  # ms inside, ISO 8601 in the API
point = Check(
    _point,
    {
        "type": "object",
        "required": ["type", "coordinates"],
        "additionalProperties": False,
        "properties": {
            "type": {"const": "Point"},
            "coordinates": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
        },
    },
)
sha256 = Check(_sha256, {"type": "string", "pattern": "^[0-9a-f]{64}$"})
an_id = Check(record_id, {"type": "string", "format": "uuid"})


def refuse(code: str, field: str, problem: str, hint: str) -> NoReturn:
    raise Invalid(code, f"{field} {problem}.", hint, field)
