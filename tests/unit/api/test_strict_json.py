from __future__ import annotations

import pytest

from app.api import strict_json
from app.errors import AppError, BadRequest, Invalid


def test_an_object_comes_through_as_it_is() -> None:
    body = '{"a": "水", "b": [1, 2.5, null, true], "c": {"d": -9223372036854775808}}'.encode()
    assert strict_json.parse(body) == {"a": "水", "b": [1, 2.5, None, True], "c": {"d": -(1 << 63)}}


@pytest.mark.parametrize(
    ("body", "error", "code", "field"),
    [
        (b"", BadRequest, "bad_json", None),
        (b"{", BadRequest, "bad_json", None),
        (b"\xff", BadRequest, "bad_json", None),
        (b"\xef\xbb\xbf{}", BadRequest, "bad_json", None),
        (b"[]", BadRequest, "not_an_object", None),
        (b'"x"', BadRequest, "not_an_object", None),
        (b'{"a": 1, "a": 1}', Invalid, "duplicate_key", "a"),
        (b'{"a": {"b": 1, "b": 1}}', Invalid, "duplicate_key", "b"),
        (b'{"a": NaN}', Invalid, "out_of_range", "a"),
        (b'{"a": -Infinity}', Invalid, "out_of_range", "a"),
        (b'{"a": 1e400}', Invalid, "out_of_range", "a"),
        (b'{"a": [1e999]}', Invalid, "out_of_range", "a"),
        (b'{"a": 1000000000000000000000000000000}', Invalid, "out_of_range", "a"),
        (b'{"a": 9223372036854775808}', Invalid, "out_of_range", "a"),
        (b'{"a": ' + b"9" * 60_000 + b"}", Invalid, "out_of_range", "a"),
        (b'{"a": "\\ud800"}', Invalid, "bad_text", "a"),
        (b'{"a": ["\\u0000"]}', Invalid, "bad_text", "a"),
        (b'{"\\ud800": 1}', Invalid, "bad_text", "\\ud800"),
        (b'{"a": {"\\u0000": 1}}', Invalid, "bad_text", "a"),
        (b"[" * 100_000, Invalid, "too_deep", None),
        (b'{"a": ' + b"[" * 500 + b"]" * 500 + b"}", Invalid, "too_deep", "a"),
        (b'{"a": ' * 5_000 + b"1" + b"}" * 5_000, Invalid, "too_deep", None),
    ],
)
def test_what_we_do_not_take_is_refused(body: bytes, error: type[AppError], code: str, field: str | None) -> None:
    with pytest.raises(error) as caught:
        strict_json.parse(body)
    assert (caught.value.code, caught.value.field) == (code, field)


def test_a_name_from_outside_is_shown_short_and_printable() -> None:
    assert strict_json.printable("\ud800" + "x" * 99) == "\\ud800" + "x" * 63
