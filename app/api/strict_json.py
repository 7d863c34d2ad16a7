"""A request body as an object, or a clear refusal: never a 5xx, whatever was sent.

Before: ``collection.py`` has a request. After: ``wire.py`` turns the values into those of a form. What JSON
itself allows and we do not (duplicate keys, NaN, numbers beyond 64 bits, lone surrogates, U+0000, deep
nesting) is refused with the field's name.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from app.errors import BadRequest, Invalid, TooLarge, UnsupportedMedia
from sync.limits import INT64_MAX, INT64_MIN

BODY_BYTES_MAX = 64 * 1024
DEPTH_MAX = 8
FIELD_CHARS_SHOWN = 64
_DIGITS_MAX = 40  # an integer that is longer is beyond 64 bits anyway, and slow to read


def read_object(request: Any) -> dict[str, Any]:
    """The object in the body of a Flask request. Raises BadRequest, Invalid, TooLarge or UnsupportedMedia."""
    if request.mimetype != "application/json":
        raise UnsupportedMedia("not_json", "The body is not application/json.", "Send Content-Type: application/json.")
    if (request.content_length or 0) > BODY_BYTES_MAX:
        _too_large()
    body = request.stream.read(BODY_BYTES_MAX + 1)
    if len(body) > BODY_BYTES_MAX:
        _too_large()
    return parse(body)


def parse(body: bytes) -> dict[str, Any]:
    """The object that the bytes hold."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRequest("bad_json", "The body is not UTF-8.", "Send JSON in UTF-8.") from error
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=float)
    except RecursionError as error:
        raise Invalid("too_deep", "The values are nested too deeply.", _DEPTH_HINT) from error
    except ValueError as error:
        raise BadRequest("bad_json", "The body is not JSON.", "Check brackets, commas and quotes.") from error
    if not isinstance(value, dict):
        raise BadRequest("not_an_object", "The body is not a JSON object.", 'Send {"field": value, …}.')
    for name, member in value.items():
        _check_text(name, name)
        _check(name, member)
    return value


_DEPTH_HINT = f"Nest at most {DEPTH_MAX} levels."


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            _refuse("duplicate_key", name, "stands twice in the body", "Send each name once.")
        found[name] = value
    return found


def _integer(digits: str) -> int | float:
    return int(digits) if len(digits) <= _DIGITS_MAX else math.inf


def _check(field: str, value: Any) -> None:
    """Walk a value without recursion; ``field`` is the member of the body that it stands in."""
    waiting = [(value, 1)]
    while waiting:
        item, depth = waiting.pop()
        if isinstance(item, str):
            _check_text(field, item)
        elif isinstance(item, float) and not math.isfinite(item):
            _refuse("out_of_range", field, "holds a number that is not finite", "Send a finite number or null.")
        elif type(item) is int and not INT64_MIN <= item <= INT64_MAX:
            _refuse("out_of_range", field, "holds a number beyond 64 bits", "Send a smaller number.")
        elif isinstance(item, (dict, list)):
            if depth >= DEPTH_MAX:
                _refuse("too_deep", field, "is nested too deeply", _DEPTH_HINT)
            for name in item if isinstance(item, dict) else ():
                _check_text(field, name)
            waiting += [(inner, depth + 1) for inner in (item.values() if isinstance(item, dict) else item)]


def _check_text(field: str, text: str) -> None:
    if "\0" in text:
        _refuse("bad_text", field, "holds U+0000", "Remove the character U+0000.")
    try:
        text.encode()
    except UnicodeEncodeError:
        _refuse("bad_text", field, "holds half of a surrogate pair", "Send well-formed Unicode.")


def _refuse(code: str, field: str, problem: str, hint: str) -> NoReturn:
    shown = printable(field)
    raise Invalid(code, f"{shown} {problem}.", hint, shown)


def printable(field: str) -> str:
    """A name from outside, short and free of what cannot be shown."""
    return field[:FIELD_CHARS_SHOWN].encode("ascii", "backslashreplace").decode().replace("\0", "\\0")


def _too_large() -> NoReturn:
    raise TooLarge("body_too_large", f"The body is larger than {BODY_BYTES_MAX} bytes.", "Send less at once.")
