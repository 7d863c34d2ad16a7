"""What Hypothesis draws for the properties of sync: values, operations of one record, frames.

All of it is small, so that it shrinks. Every operation goes through the real bytes: what a strategy gives is what a
peer could have sent.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from sync import limits
from sync.operation import REMOVE, SET, Change, Operation, Version, decode_body, encode_body
from sync.oplog import Segment
from sync.protocol import Ack, Chunk, Frame, Have, Hello, Need, Proof, Refuse, Run, Seek, VectorFrame, Want
from sync.verdict import Facts, verdict
from tests.unit.sync.nodes import KINDS, REAL, any_judge, ident

ORIGINS = [ident(f"origin {number}") for number in range(3)]
RECORD = ident("record")
STREAMS = [origin + REAL + lane for origin in ORIGINS for lane in (b"w", b"t")] + [ORIGINS[0] + b"cw"]

numbers = st.integers(limits.INT64_MIN, limits.INT64_MAX)
floats = st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12).map(
    lambda text: unicodedata.normalize("NFC", text)
)
plain = st.none() | st.booleans() | numbers | floats | texts
values = st.recursive(
    plain | st.binary(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
elements = st.sampled_from(["x", "y", 1, 1.0, True]) | st.recursive(
    plain, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(texts, inner, max_size=2), max_leaves=4
)
versions = st.tuples(st.sampled_from(ORIGINS), st.integers(1, 4))

registers: dict[str, st.SearchStrategy[Any]] = {
    "text": st.none() | texts | st.sampled_from(["a", "b"]),
    "road": st.sampled_from(["impassable", "foot_only", None, "passable", "a newer word"]),
    "depth": st.none() | floats | st.integers(-5, 5) | numbers,
    "at": st.none() | st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list),
    "removed": st.none(),
    "of a newer release": values,
}
others: dict[str, st.SearchStrategy[Any]] = {
    "tags": st.fixed_dictionaries(
        {},
        optional={
            "add": st.lists(elements, max_size=2),
            "drop": st.lists(st.tuples(versions, elements).map(lambda drop: [*drop[0], drop[1]]), max_size=2),
        },
    ),
    "seen": numbers,
    "number": texts,
}
written = st.fixed_dictionaries({}, optional=registers | others)


@st.composite
def operations(draw: st.DrawFn, *, causal: bool = False, most: int = 8) -> list[Operation]:
    """Operations of one record that count. ``causal``: none names one that comes after it in the list."""
    made: list[Operation] = []
    for _ in range(draw(st.integers(0, most))):
        origin = draw(st.sampled_from(ORIGINS))
        seq = 1 + sum(operation.origin == origin for operation in made)
        fields = {} if (removes := draw(st.integers(0, 5)) == 0) else draw(written)
        names = draw(st.lists(versions, max_size=3))
        if causal:
            names, fields = _without_names_to_come(made, (origin, seq), names, fields)
        made.append(operation(origin, seq, draw(st.integers(0, 6)), fields, names, REMOVE if removes else SET))
    return made


def operation(
    origin: bytes, seq: int, hlc: int, fields: dict[str, Any], replaces: Sequence[Version], type: int = SET
) -> Operation:
    """An operation as it is read from its bytes, which counts."""
    change = Change("reports", RECORD, REAL, fields, type)
    stream = origin + REAL + b"w"
    found = decode_body(encode_body(seq, hlc, None, change, tuple(replaces), ()), stream, seq)
    assert isinstance(found, Operation)
    assert verdict(found, stream, b"", frozenset({"field"}), KINDS, Facts(), any_judge) is None
    return found


def _without_names_to_come(
    made: list[Operation], version: Version, names: list[Version], fields: dict[str, Any]
) -> tuple[list[Version], dict[str, Any]]:
    held = {operation.version for operation in made} | {version}
    if "drop" in fields.get("tags", {}):
        kept = [drop for drop in fields["tags"]["drop"] if (drop[0], drop[1]) in held]
        fields = fields | {"tags": fields["tags"] | {"drop": kept}}
    return [name for name in names if name in held], fields


# -- frames ------------------------------------------------------------------------------------------

places = st.tuples(st.sampled_from(STREAMS), st.integers(1, limits.INT64_MAX))
names = st.binary(min_size=32, max_size=32)
tokens = st.just(b"") | st.binary(min_size=8, max_size=8)
nonces = st.binary(min_size=16, max_size=16)
int64s = st.integers(limits.INT64_MIN, limits.INT64_MAX)
segments = st.builds(
    lambda place, signature, bodies: Segment(*place, signature, tuple(bodies)),
    places,
    st.binary(min_size=64, max_size=64),
    st.lists(st.binary(max_size=40), min_size=1, max_size=4),
)
receipts = st.tuples(places, st.binary(min_size=16, max_size=16)).map(lambda item: (*item[0], item[1]))


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    token, name, start = draw(tokens), draw(names), draw(st.integers(0, limits.BLOB_BYTES_MAX))
    data = draw(st.binary(max_size=20))
    whole = start + len(data)
    if draw(st.booleans()) or whole > limits.BLOB_BYTES_MAX:
        return Chunk(token, name, start, None, b"")
    more = draw(st.integers(0, limits.BLOB_BYTES_MAX - whole)) if data else 0
    return Chunk(token, name, start, whole + more, data)


frames: st.SearchStrategy[Frame] = st.one_of(
    st.builds(
        Hello, int64s, st.binary(max_size=40), st.binary(min_size=16, max_size=16), st.integers(0, 1 << 46), int64s
    ),
    st.builds(Proof, st.binary(max_size=70), int64s, st.integers(0, 10_000)),
    st.builds(VectorFrame, st.binary(min_size=8, max_size=8), st.none()),
    st.builds(VectorFrame, st.none(), st.dictionaries(st.sampled_from(STREAMS), st.integers(1, limits.INT64_MAX))),
    st.builds(Run, int64s, st.lists(segments, min_size=1, max_size=4).map(tuple)),
    st.builds(Ack, int64s, st.lists(receipts, max_size=4).map(tuple)),
    st.builds(Need, st.lists(places, max_size=4).map(tuple)),
    st.builds(Refuse, texts, texts, st.none() | st.sampled_from(STREAMS)),
    st.builds(Want, tokens, names, st.integers(0, limits.BLOB_BYTES_MAX), st.integers(1, limits.CHUNK_BYTES_MAX)),
    chunks(),
    st.builds(Have, st.integers(0, limits.INT64_MAX), st.lists(names, max_size=4).map(tuple)),
    st.builds(Seek, st.integers(0, limits.INT64_MAX), st.lists(names, max_size=4).map(tuple)),
)
