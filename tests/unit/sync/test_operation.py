"""The bytes of an operation: what goes in comes out, and nothing else is an operation."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import limits
from sync.errors import BadChange, BadOperation
from sync.operation import Change, NewerBody, Operation, decode_body, encode_body, incident_scope, split_stream
from tests.unit.sync.nodes import REAL, ident

pack = msgspec.msgpack.encode
STREAM = ident("origin") + REAL + b"w"
GOOD: list[Any] = [1, 1, 5, None, "reports", ident("a"), 1, {"text": "x"}, [], []]

plain = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20).map(
    lambda text: unicodedata.normalize("NFC", text)
)
values = st.recursive(
    plain | texts | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def change(fields: dict[str, Any], kind: str = "reports") -> Change:
    return Change(kind, ident("a"), REAL, fields)


def encoded(fields: dict[str, Any]) -> bytes:
    return encode_body(1, 5, None, change(fields), (), ())


def with_item(index: int, value: Any) -> bytes:
    items = list(GOOD)
    items[index] = value
    return bytes(pack(items))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@settings(max_examples=60, deadline=None)
@given(fields=st.dictionaries(texts, values, max_size=4))
def test_what_is_written_is_read_again(fields: dict[str, Any]) -> None:
    try:
        body = encoded(fields)
    except BadChange:
        return  # too deep
    operation = decode_body(body, STREAM, 1)
    assert isinstance(operation, Operation)
    assert pack(operation.fields) == pack(fields)
    assert (operation.version, operation.scope, operation.lane) == ((ident("origin"), 1), REAL, b"w")


BAD_BODIES = {
    "nothing": b"",
    "no list": pack({"a": 1}),
    "an empty list": pack([]),
    "no version": pack(["1", *GOOD[1:]]),
    "version nought": with_item(0, 0),
    "nine items": pack(GOOD[:9]),
    "eleven items": pack([*GOOD, 1]),
    "another number": with_item(1, 2),
    "a stamp beyond 62 bits": with_item(2, 1 << 62),
    "a stamp below nought": with_item(2, -1),
    "a short author": with_item(3, b"x"),
    "no kind": with_item(4, ""),
    "a long kind": with_item(4, "k" * 65),
    "NUL in the kind": with_item(4, "a\0b"),
    "a short record": with_item(5, b"x"),
    "an unknown type": with_item(6, 4),
    "a true type": with_item(6, True),
    "fields that are a list": with_item(7, []),
    "too many fields": with_item(7, {f"f{n}": 1 for n in range(65)}),
    "a number as a field's name": with_item(7, {1: 1}),
    "NaN": with_item(7, {"x": math.nan}),
    "infinity": with_item(7, {"x": math.inf}),
    "more than 64 bits": with_item(7, {"x": 1 << 63}),
    "NUL": with_item(7, {"x": "a\0"}),
    "not NFC": with_item(7, {"x": "か\u3099"}),
    "a long text": with_item(7, {"x": "x" * (limits.TEXT_BYTES_MAX + 1)}),
    "long bytes": with_item(7, {"x": b"x" * (limits.TEXT_BYTES_MAX + 1)}),
    "too deep": with_item(7, {"x": nested(7)}),
    "an extension": with_item(7, {"x": msgspec.msgpack.Ext(5, b"x")}),
    "a name that is no pair": with_item(8, [[ident("a")]]),
    "a name nought": with_item(8, [[ident("a"), 0]]),
    "257 names": with_item(8, [[ident("a"), n] for n in range(1, 258)]),
    "257 names after": with_item(9, [[ident("a"), n] for n in range(1, 258)]),
    "trailing bytes": pack(GOOD) + b"\xc0",
    "a long form of an integer": pack(GOOD).replace(b"\x9a\x01\x01\x05", b"\x9a\x01\x01\xcd\x00\x05"),
    "a doubled key": pack(GOOD).replace(b"\x81\xa4text\xa1x", b"\x82\xa4text\xa1x\xa4text\xa1x"),
    "a lone surrogate": pack(GOOD).replace(b"\xa1x", b"\xa3\xed\xa0\x80"),
    "a short float": pack(GOOD).replace(b"\xa1x", b"\xca\x3f\x80\x00\x00"),
    "100,000 brackets": b"\x91" * 100_000 + b"\x01",
    "brackets within the size": b"\x91" * 16_000 + b"\x01",
    "too large": with_item(7, {str(n): "x" * 8000 for n in range(3)}),
}


@pytest.mark.parametrize("name", BAD_BODIES)
def test_bytes_that_are_no_operation_are_refused(name: str) -> None:
    with pytest.raises(BadOperation):
        decode_body(bytes(BAD_BODIES[name]), STREAM, 1)


BAD_VALUES = {
    "10^30": 10**30,
    "NaN": math.nan,
    "a lone surrogate": "\ud800",
    "NUL": "\0",
    "not NFC": "か\u3099",
    "100,000 brackets": nested(100_000),
    "9 brackets": nested(9),
    "a large text": "x" * 20_000,
    "an object": object(),
    "a key that is a number": {1: 1},
}


@pytest.mark.parametrize("name", BAD_VALUES)
def test_our_own_caller_is_told_what_cannot_be_written(name: str) -> None:
    with pytest.raises(BadChange):
        encoded({"x": BAD_VALUES[name]})


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_bytes_raise_anything_but_a_refusal(data: st.DataObject) -> None:
    body = bytearray(encoded({"text": "葦", "n": 1.5, "l": [1, {"a": b"x"}]}))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_body(bytes(body), STREAM, 1)
    except BadOperation:
        return
    assert isinstance(found, NewerBody | Operation)


def test_a_body_of_a_newer_release_is_told_apart() -> None:
    found = decode_body(bytes(pack([2, "whatever", 3])), STREAM, 7)
    assert found == NewerBody(ident("origin"), REAL, b"w", 7, 2)


@pytest.mark.parametrize("name", [b"", b"x" * 18, b"x" * 34, ident("a") + b"ct", ident("a") + REAL + b"x"])
def test_bytes_that_name_no_stream_are_refused(name: bytes) -> None:
    with pytest.raises(BadOperation):
        split_stream(name)


def test_the_mode_stands_in_the_scope() -> None:
    assert incident_scope("drill", ident("i")) == b"d" + ident("i")
