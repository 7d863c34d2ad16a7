"""Whatever is in a body, it becomes a change that the log can hold, or a refusal: never anything else."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.api import strict_json, wire
from app.errors import AppError
from app.records import NOUNS, scope_of
from sync.operation import encode_body
from sync.verdict import fits

ID = uuid.UUID("01920000-0000-7000-8000-000000000001")

texts = st.text(st.characters(), max_size=40)
numbers = st.one_of(st.integers(), st.floats(), st.integers(-(10**30), 10**30))
leaves = st.one_of(st.none(), st.booleans(), numbers, texts, st.just(str(ID)), st.just("2019-10-12T21:00:00+09:00"))
points = st.fixed_dictionaries({"type": st.just("Point"), "coordinates": st.lists(numbers, max_size=3)})
values = st.recursive(
    leaves | points, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    name = draw(st.sampled_from(sorted(NOUNS)))
    noun = NOUNS[name]
    fields = {known: draw(values) for known in draw(st.sets(st.sampled_from(sorted(noun.checks))))}
    for known in noun.needed:
        schema = noun.checks[known].schema
        if draw(st.integers(0, 9)) and (codes := schema.get("enum")):
            fields[known] = draw(st.sampled_from(codes))
        elif draw(st.integers(0, 9)):
            fields[known] = str(ID)
    return name, fields


@settings(max_examples=400, deadline=None)
@given(bodies())
def test_any_body_becomes_a_change_or_a_refusal(told: tuple[str, dict[str, Any]]) -> None:
    name, fields = told
    noun = NOUNS[name]
    try:
        form = wire.form_of(noun.kind, strict_json.parse(json.dumps(fields).encode()))
        change = noun.create(ID, scope_of("drill", str(ID)), form)
    except AppError as refusal:
        assert 400 <= refusal.status < 500 and refusal.code and refusal.hint
        return
    assert encode_body(1, 1, ID.bytes, change, (), ())
    assert all(fits(noun.kind.fields[field], value, noun.kind) for field, value in change.fields.items())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_refusal(body: bytes) -> None:
    try:
        assert isinstance(strict_json.parse(body), dict)
    except AppError as refusal:
        assert 400 <= refusal.status < 500
