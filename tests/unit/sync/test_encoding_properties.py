"""Bytes that travel: read and written again they are the same, and what breaks a limit ends in the documented error."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync import limits, protocol
from sync.certificate import CAPABILITIES, Certificate
from sync.errors import BadCertificate, BadChange, BadFrame, BadOperation
from sync.operation import ENTRY, REMOVE, SET, Change, NewerBody, Operation, decode_body, encode_body, write_operation
from sync.protocol import Frame
from sync.signing import SigningKey
from tests.unit.sync.examples import examples
from tests.unit.sync.nodes import REAL, certificate, ident, seed
from tests.unit.sync.strategies import STREAMS, frames, texts, values, versions

pack = msgspec.msgpack.Encoder().encode
STREAM = ident("origin") + REAL + b"w"

# Values that no operation may hold, among those that it may.
wild_texts = st.text(max_size=8) | st.sampled_from(["\0", "\ud800", "か\u3099", "x" * 9000, "葦" * 2731, "葦" * 2730])
wild_plain = st.one_of(
    st.integers(-(1 << 66), 1 << 66),
    st.floats(),
    wild_texts,
    st.binary(max_size=9),
    st.sampled_from([b"x" * 8192, b"x" * 8193, math.nan, math.inf, 1 << 63, -(1 << 63) - 1, 1 << 64]),
)
wild = st.recursive(
    wild_plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(wild_texts | st.integers() | st.none(), inner, max_size=3)
        | inner.map(lambda value: [[[[[value]]]]])
    ),
    max_leaves=6,
)


def is_allowed(value: Any, depth: int = 2) -> bool:
    """The limits of docs/protocol.md §2, written a second time."""
    if isinstance(value, str):
        sound = not any(0xD800 <= ord(letter) <= 0xDFFF for letter in value) and "\0" not in value
        return sound and len(value.encode()) <= 8192 and unicodedata.normalize("NFC", value) == value
    if isinstance(value, bytes):
        return len(value) <= 8192
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return -(1 << 63) <= value < 1 << 63
    if depth >= 8:
        return False
    if isinstance(value, dict):
        names = all(isinstance(name, str) and is_allowed(name) for name in value)
        return names and all(is_allowed(item, depth + 1) for item in value.values())
    return all(is_allowed(item, depth + 1) for item in value)


@examples(80, 2_000)
@given(
    fields=st.dictionaries(texts, values, max_size=4),
    seq=st.integers(1, limits.INT64_MAX),
    hlc=st.integers(0, (1 << 62) - 1),
    author=st.none() | st.binary(min_size=16, max_size=16),
    type_=st.sampled_from([SET, ENTRY, REMOVE]),
    replaces=st.lists(versions, max_size=4),
    after=st.lists(versions, max_size=4),
)
def test_an_operation_is_read_as_it_was_written_and_its_bytes_are_the_only_ones(
    fields: dict[str, Any], seq: int, hlc: int, author: Any, type_: int, replaces: Any, after: Any
) -> None:
    change = Change("reports", ident("a"), REAL, fields, type_)
    body, ours = write_operation(STREAM, seq, hlc, author, change, tuple(replaces), tuple(after))
    theirs = decode_body(body, STREAM, seq)
    assert isinstance(theirs, Operation) and theirs == ours
    again = Change(theirs.kind, theirs.record, theirs.scope, theirs.fields, theirs.type)
    assert encode_body(seq, theirs.hlc, theirs.author, again, theirs.replaces, theirs.after) == body


@examples(150, 3_000)
@given(value=wild)
def test_a_value_is_written_exactly_where_the_limits_allow_it(value: Any) -> None:
    try:
        body = encode_body(1, 5, None, Change("reports", ident("a"), REAL, {"x": value}), (), ())
    except BadChange:
        too_large = is_allowed(value) and len(pack(value)) > limits.BODY_BYTES_MAX - 128
        assert too_large or not is_allowed(value)
        return
    assert is_allowed(value)
    found = decode_body(body, STREAM, 1)
    assert isinstance(found, Operation) and pack(found.fields["x"]) == pack(value)


@examples(150, 3_000)
@given(items=st.lists(wild | versions.map(list), min_size=10, max_size=10), whole=st.sets(st.integers(0, 9)))
def test_items_that_are_no_operation_are_refused_with_one_error(items: list[Any], whole: set[int]) -> None:
    good = [1, 1, 5, None, "reports", ident("a"), 1, {"text": "x"}, [], []]
    mixed = [good[place] if place in whole else item for place, item in enumerate(items)]
    try:
        body = pack(mixed)
    except (OverflowError, ValueError, TypeError):
        return  # not even msgpack
    try:
        found = decode_body(body, STREAM, 1)
    except BadOperation:
        return
    assert isinstance(found, NewerBody) or (isinstance(found, Operation) and is_allowed(found.fields, 1))


@examples(100, 2_000)
@given(body=st.binary(max_size=80), seq=st.integers(1, 3))
def test_any_bytes_are_an_operation_or_refused(body: bytes, seq: int) -> None:
    try:
        decode_body(body, STREAM, seq)
    except BadOperation:
        return


# -- frames ------------------------------------------------------------------------------------------


@examples(100, 2_500)
@given(frame=frames)
def test_a_frame_is_read_as_it_was_written_and_written_again_the_same(frame: Frame) -> None:
    data = protocol.encode(frame)
    assert protocol.decode(data) == frame
    assert protocol.encode(protocol.decode(data)) == data


@examples(150, 3_000)
@given(data=st.data(), type_=st.integers(-1, 13))
def test_any_items_are_a_frame_or_refused_and_a_frame_is_stable(data: st.DataObject, type_: int) -> None:
    item = (
        st.none() | st.integers(-3, 1 << 63) | st.text(max_size=3) | st.sampled_from(STREAMS) | st.binary(max_size=70)
    )
    nested = st.recursive(
        item, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(item, inner, max_size=2), max_leaves=6
    )
    raw = pack([type_, *data.draw(st.lists(nested, max_size=6))])
    try:
        frame = protocol.decode(raw)
    except BadFrame:
        return
    assert protocol.decode(protocol.encode(frame)) == frame


# -- certificates ------------------------------------------------------------------------------------


@examples(30, 1_000)
@given(
    name=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100),
    label=st.text(st.characters(exclude_categories=["Cs"]), max_size=16),
    capabilities=st.sets(st.sampled_from(sorted(CAPABILITIES)) | st.text("abc", max_size=3), max_size=8),
    issued_ms=st.integers(0, 1 << 50),
    by_issuer=st.booleans(),
)
def test_a_certificate_is_read_as_it_was_written(
    name: str, label: str, capabilities: set[str], issued_ms: int, by_issuer: bool
) -> None:
    issuer, key = certificate("hub", ["enrol", "hub"]), SigningKey(seed("hub"))
    made = Certificate.make(
        key if by_issuer else SigningKey(seed("root")),
        issuer if by_issuer else None,
        root=issuer.root, public=issuer.public, sealing=issuer.sealing, name=name, label=label,
        capabilities=frozenset(capabilities), issued_ms=issued_ms, serial=b"s" * 16,
    )  # fmt: skip
    read = Certificate.decode(made.encode())
    assert (read, read.encode()) == (made, made.encode())


@examples(100, 2_000)
@given(data=st.data())
def test_a_damaged_certificate_is_refused_or_no_longer_signed(data: st.DataObject) -> None:
    good = certificate("device", issuer=certificate("hub", ["enrol"]), signer=SigningKey(seed("hub")))
    raw = bytearray(good.encode())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(raw) - 1))
        cut = data.draw(st.integers(0, 2))
        raw[at : at + cut] = data.draw(st.binary(max_size=3))
    try:
        found = Certificate.decode(bytes(raw))
    except BadCertificate:
        return
    if found.encode() != good.encode():
        with pytest.raises(BadCertificate):
            found.verify(SigningKey(seed("root")).public)
