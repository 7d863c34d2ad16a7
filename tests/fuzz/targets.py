"""The parsers that bytes of strangers reach, each as one call: it returns whatever the bytes are.

What each may raise is caught here by its documented error; whatever else is raised is wrong. ``run`` feeds them.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlcipher3

from app.api import strict_json
from app.errors import AppError
from app.intake import sniff
from sync import protocol, signing
from sync.certificate import Certificate
from sync.clock import hlc_of
from sync.enrolment import Code
from sync.errors import BadCertificate, BadEnrolment, BadFrame, BadOperation
from sync.operation import CITY, ENTRY, REMOVE, TALK, WORK, Change, Operation, decode_body, encode_body
from sync.oplog import Segment
from sync.replica import Replica
from tests.unit.sync.nodes import NOW, REAL, ROOT, Author, certificate, check_whole, ident, make_replica, receive, seed
from tests.unit.sync.nodes import shown as shown_by

pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder().decode
STREAM = ident("origin") + REAL + b"w"
PLACES = ((REAL, WORK), (REAL, TALK), (CITY, WORK))
ACTS_MAX = 6


@dataclass(frozen=True)
class Target:
    call: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]
    is_packed: bool = True  # msgpack: a mutation may alter an item as well


def operation(data: bytes) -> None:
    """An operation that is read is written again to the same bytes."""
    try:
        found = decode_body(data, STREAM, 1)
    except BadOperation:
        return
    if isinstance(found, Operation):
        change = Change(found.kind, found.record, REAL, found.fields, found.type)
        assert encode_body(1, found.hlc, found.author, change, found.replaces, found.after) == data


def frame(data: bytes) -> None:
    """A frame that is read is written, and read again the same."""
    try:
        found = protocol.decode(data)
    except BadFrame:
        return
    assert protocol.decode(protocol.encode(found)) == found


def a_certificate(data: bytes) -> None:
    """A certificate that the root vouches for is one that was made with its key."""
    try:
        found = Certificate.decode(data)
        assert Certificate.decode(found.encode()) == found
        found.verify(ROOT.public)
    except BadCertificate:
        return
    assert found.encode() in certificates()


def arrival(data: bytes) -> None:
    """Segments as a run holds them: only what an author signed is kept, and the replica stays whole."""
    try:
        segments = protocol.decode(pack([protocol.RUN, 1, protocol.zstandard.compress(data)])).segments  # type: ignore[union-attr]
    except BadFrame:
        return
    replica = fresh()
    receive(replica, *segments)
    rows = replica.connection.execute("SELECT id, seq, body FROM op JOIN stream ON stream.no = op.stream").fetchall()
    for stream, seq, body in rows:
        assert bytes(body) == honest().bodies[bytes(stream)][seq - 1]
    replica.connection.close()


def signed(data: bytes) -> None:
    """What a device with a valid key may sign: taken at once or one by one it shows the same, and can be rebuilt."""
    author, one, other = Author("hostile", ("field", "command", "enrol")), fresh(), fresh()
    made = [segment for place, body in acts_of(data) if (segment := _sign(author, *place, body)) is not None]
    for segment in made:
        receive(one, segment)
    receive(other, *made)
    try:
        assert shown_by(one) == shown_by(other)
        check_whole(one)
    finally:
        one.connection.close()
        other.connection.close()


def acts_of(data: bytes) -> list[tuple[tuple[bytes, bytes], bytes]]:
    """The bodies that an input asks to have signed: [[place, body items] …], or a single body."""
    try:
        listed = unpack(data)
    except (ValueError, RecursionError, OverflowError):
        return [(PLACES[0], data)]
    if type(listed) is not list:
        return [(PLACES[0], data)]
    acts = [act for act in listed[:ACTS_MAX] if type(act) is list and len(act) == 2 and type(act[0]) is int]
    return [(PLACES[place % len(PLACES)], items) for place, items in acts]


def _sign(author: Author, scope: bytes, lane: bytes, items: Any) -> Segment | None:
    """The author's next operation, under its right number; None where it is no operation."""
    if not author.last(scope, lane):
        author.certify(scope, lane)
    number = author.last(scope, lane) + 1
    if type(items) is list and len(items) == 10:
        items[1] = number
    try:
        body = items if isinstance(items, bytes) else pack(items)
        decode_body(body, author.stream(scope, lane), number)
    except (BadOperation, OverflowError, RecursionError, ValueError):
        return None
    author.append_raw(scope, lane, body)
    return author.segment(scope, lane, first=1 if number == 2 else number)


def json_object(data: bytes) -> None:
    """The body of a request."""
    try:
        found = strict_json.parse(data)
    except AppError:
        return
    assert strict_json.parse(msgspec.json.encode(found)) == found


def upload(data: bytes) -> None:
    """The first bytes of a file that somebody uploads."""
    try:
        assert sniff.kind_of(data)
    except AppError:
        return


def enrolment_code(data: bytes) -> None:
    """A code as a person typed it."""
    try:
        code = Code.parse(data.decode("utf-8", "replace"))
    except BadEnrolment:
        return
    assert Code.parse(code.text()) == code


# -- what they stand on ------------------------------------------------------------------------------


@functools.cache
def honest() -> Author:
    author = Author("patrol", ("field", "command"))
    for number in range(4):
        author.write("reports", ident(f"{number % 2}"), {"text": f"{number}", "tags": {"add": ["x"]}, "depth": 0.5})
        author.write("messages", ident(f"m{number}"), {"text": "葦"}, lane=TALK, type=ENTRY)
        author.write("incidents", ident(f"i{number}"), {"name": "x", "mode": "real"}, scope=CITY)
    return author


@functools.cache
def certificates() -> frozenset[bytes]:
    hub = certificate("hub", ("enrol", "hub"))
    issued = certificate("device", issuer=hub, signer=signing.SigningKey(seed("hub")))
    return frozenset({hub.encode(), issued.encode(), certificate("patrol").encode()})


@functools.cache
def half() -> Any:
    replica, author = make_replica("reader"), honest()
    receive(replica, author.segment(last=3), author.segment(CITY, last=2))
    return replica.connection


def fresh() -> Replica:
    """A replica that holds half of the honest log."""
    connection = sqlcipher3.connect(":memory:", isolation_level=None, check_same_thread=False)
    half().backup(connection)
    return make_replica("reader", connection=connection)


def _bodies() -> list[bytes]:
    return [body for bodies in honest().bodies.values() for body in bodies]


def _signed_seeds() -> list[bytes]:
    """Every kind, every merge, names of what is held, what is one's own, and what is to come."""
    patrol, hostile = honest().origin, Author("hostile").origin
    record, names = ident("0"), [[patrol, 2], [hostile, 2], [hostile, 3], [patrol, 5], [ident("nobody"), 1]]
    contents: list[tuple[int, str, bytes, int, Any]] = [
        (0, "reports", record, 1, {"text": "x", "road": "passable", "seen": 3, "number": "T-1"}),
        (0, "reports", record, 1, {"depth": 1, "at": [139, 35.5]}),
        (0, "reports", record, 1, {"tags": {"add": ["x", 1, {"a": 1.0}], "drop": [[patrol, 2, "x"], [hostile, 2, 1]]}}),
        (0, "reports", record, REMOVE, {}),
        (0, "reports", record, 1, {"removed": None, "text": None}),
        (0, "counts", ident("m0"), ENTRY, {"people": 5}),
        (1, "messages", ident("m9"), ENTRY, {"text": "x"}),
        (2, "incidents", ident("incident"), 1, {"name": "x", "mode": "drill"}),
        (2, "revocations", honest().node, 1, {"accepted": [[honest().stream(), 2]], "reason": "lost"}),
        (2, "revocations", Author("hostile").node, 1, {"accepted": [], "reason": ""}),
        (0, "a newer kind", record, 1, {"x": [None, {"y": b"z"}]}),
    ]  # fmt: skip
    acts = [
        [place, [1, 2, hlc_of(NOW), None, kind, about, type_, fields, names if type_ != ENTRY else [], names]]
        for place, kind, about, type_, fields in contents
    ]
    pairs = [[one, two] for one, two in itertools.pairwise(acts)]
    return (
        [pack([act]) for act in acts]
        + [pack(pair) for pair in pairs]
        + [pack(acts[:ACTS_MAX]), pack([[0, pack([2, 1])]])]
    )


def _frames() -> list[bytes]:
    from tests.unit.sync.parties import recorded

    return [frame for got in recorded().values() for frame in got]


def _runs() -> list[bytes]:
    listed = [[s.stream, s.first, s.signature, s.bodies] for s in honest().segments()]
    return [pack(listed), *(pack([item]) for item in listed)]


TARGETS = {
    "operation": Target(operation, _bodies),
    "frame": Target(frame, _frames),
    "certificate": Target(a_certificate, lambda: sorted(certificates())),
    "arrival": Target(arrival, _runs),
    "signed": Target(signed, _signed_seeds),
    "json": Target(json_object, lambda: [b'{"a": [1, 2.5, null, "\xe8\x91\xa6"], "b": {"c": true}}', b"[1]"], False),
    "upload": Target(upload, lambda: [b"\xff\xd8\xff\xe0", b"RIFF0000WEBP", b"<svg>", b"....ftypheic", b"OggS"], False),
    "code": Target(enrolment_code, lambda: [Code(b"f" * 10, b"s" * 10).text().encode()], False),
}
