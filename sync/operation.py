"""One operation: its bytes, its limits, and the change that asks for it (docs/protocol.md §2). Pure.

Before: ``app/records`` makes a :class:`Change`. After: ``oplog`` keeps the body, ``merge`` reads the operation.
"""

from __future__ import annotations

import functools
import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sync import limits
from sync.clock import HLC_LIMIT
from sync.errors import BadChange, BadOperation

BODY_VERSION = 1
SET, ENTRY, REMOVE = 1, 2, 3
CITY = b"c"
MODES = {"real": b"r", "drill": b"d", "test": b"t"}
MODE_NAMES = {value: key for key, value in MODES.items()}
WORK, TALK = b"w", b"t"
LANES = {"work": WORK, "talk": TALK}

Version = tuple[bytes, int]  # (origin, seq), read in the scope and lane of the operation that names it
RecordKey = tuple[str, bytes, bytes]  # (kind, scope, record)

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Change:
    """What a caller wants written. The replica stamps, numbers, chains and signs it.

    ``replaces``: versions of the record that the writer saw; None names whatever this node shows now.
    ``expects``: "absent" (make it), "present" (edit it) or None. ``numbered``: a field that gets the next number.
    ``seal_to``: of a kind that is sealed, the scope to seal to, where that is not the kind's own.
    """

    kind: str
    record: bytes
    scope: bytes
    fields: Mapping[str, Any]
    type: int = SET
    replaces: tuple[Version, ...] | None = ()
    expects: str | None = None
    numbered: str | None = None
    seal_to: str | None = None

    @property
    def key(self) -> RecordKey:
        return (self.kind, self.scope, self.record)


@dataclass(slots=True)  # not frozen, which would cost as much again as all its checks; nobody changes one
class Operation:
    """A decoded body, with the stream that it stands in."""

    origin: bytes
    scope: bytes
    lane: bytes
    seq: int
    hlc: int
    author: bytes | None
    kind: str
    record: bytes
    type: int
    fields: dict[str, Any]
    replaces: tuple[Version, ...]
    after: tuple[Version, ...]

    @property
    def version(self) -> Version:
        return (self.origin, self.seq)

    @property
    def key(self) -> RecordKey:
        return (self.kind, self.scope, self.record)


@dataclass(frozen=True, slots=True)
class NewerBody:
    """A body of a later release: kept, chained and relayed as it is; it does not count here."""

    origin: bytes
    scope: bytes
    lane: bytes
    seq: int
    body_version: int


def stream_id(origin: bytes, scope: bytes, lane: bytes) -> bytes:
    return origin + scope + lane


def split_stream(stream: bytes) -> tuple[bytes, bytes, bytes]:
    """(origin, scope, lane) of a stream's bytes. Raises BadOperation."""
    origin, scope, lane = stream[:16], stream[16:-1], stream[-1:]
    if len(stream) == 18 and scope == CITY and lane == WORK:
        return origin, scope, lane
    if len(stream) == 34 and scope[:1] in MODE_NAMES and lane in (WORK, TALK):
        return origin, scope, lane
    raise BadOperation("not a stream's name")


def incident_scope(mode: str, incident: bytes) -> bytes:
    return MODES[mode] + incident


def encode_body(
    seq: int,
    hlc: int,
    author: bytes | None,
    change: Change,
    replaces: tuple[Version, ...],
    after: tuple[Version, ...],
) -> bytes:
    """The bytes of an own operation. Raises BadChange where they would break a limit."""
    return _encode_checked(seq, hlc, author, change, replaces, after)[0]


def write_operation(
    stream: bytes,
    seq: int,
    hlc: int,
    author: bytes | None,
    change: Change,
    replaces: tuple[Version, ...],
    after: tuple[Version, ...],
) -> tuple[bytes, Operation]:
    """The bytes of an own operation, and what they decode to: checked once for both. Raises BadChange."""
    body, items = _encode_checked(seq, hlc, author, change, replaces, after)
    return body, _operation(stream, items)


def _encode_checked(
    seq: int,
    hlc: int,
    author: bytes | None,
    change: Change,
    replaces: tuple[Version, ...],
    after: tuple[Version, ...],
) -> tuple[bytes, Any]:
    fields = dict(change.fields)
    items = [BODY_VERSION, seq, hlc, author, change.kind, change.record, change.type, fields, replaces, after]
    try:
        body = _encode(items)
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise BadChange(f"a value cannot be written: {error}") from error
    try:
        decoded = _decode(body)
        _check_body(body, seq, decoded)
    except (BadOperation, RecursionError) as error:
        raise BadChange(str(error)) from error
    return body, decoded


def decode_body(body: bytes, stream: bytes, seq: int) -> Operation | NewerBody:
    """The operation that a body holds, checked in full. Raises BadOperation."""
    if len(body) > limits.BODY_BYTES_MAX:
        raise BadOperation("the body is too large")
    try:
        items = _decode(body)
    except (ValueError, RecursionError, OverflowError) as error:  # msgspec's and Unicode's are ValueErrors
        raise BadOperation("the body is not msgpack") from error
    return decode_checked(body, stream, seq, items)


def decode_checked(body: bytes, stream: bytes, seq: int, items: Any) -> Operation | NewerBody:
    if not isinstance(items, list) or not items or type(items[0]) is not int or items[0] < 1:
        raise BadOperation("the body is not an operation")
    if items[0] != BODY_VERSION:
        return NewerBody(*split_stream(stream), seq, items[0])
    _check_body(body, seq, items)
    return _operation(stream, items)


def _operation(stream: bytes, items: Any) -> Operation:
    """From the items of a body that was checked."""
    origin, scope, lane = _split_known(stream)
    _, seq, hlc, author, kind, record, type_, fields, replaces, after = items
    return Operation(
        origin, scope, lane, seq, hlc, author, kind, record, type_, fields,
        tuple([(o, s) for o, s in replaces]) if replaces else (), tuple([(o, s) for o, s in after]) if after else (),
    )  # fmt: skip


def peek_record(body: bytes) -> bytes | None:
    """The record id that a body names, for the log's index; None in a body of a newer release."""
    items = _decode(body)
    return items[5] if items[0] == BODY_VERSION else None


def _check_body(body: bytes, seq: int, items: Any) -> None:
    if len(body) > limits.BODY_BYTES_MAX:
        raise BadOperation("the body is larger than 16 KiB")
    if not isinstance(items, list) or len(items) != 10:
        raise BadOperation("the body does not have ten items")
    _, found_seq, hlc, author, kind, record, type_, fields, replaces, after = items
    if type(found_seq) is not int or found_seq != seq:
        raise BadOperation("the number in the body is not its place in the stream")
    if type(hlc) is not int or not 0 <= hlc < HLC_LIMIT:
        raise BadOperation("the stamp is out of range")
    if author is not None and not _is_id(author):
        raise BadOperation("the author is not an id")
    _check_kind(kind)
    if not _is_id(record):
        raise BadOperation("the record is not an id")
    if type(type_) is not int or type_ not in (SET, ENTRY, REMOVE):
        raise BadOperation("the type is unknown")
    if type(fields) is not dict or len(fields) > limits.FIELDS_MAX:
        raise BadOperation("there are more than 64 fields")
    for name, value in fields.items():
        _check_name(name)
        if value is None:
            continue
        if type(value) is str:
            if not value.isascii() or "\0" in value or len(value) > limits.TEXT_BYTES_MAX:
                _check_text(value)
        else:
            check_value(value, 2)
    _check_names(replaces)
    _check_names(after)
    # Doubled keys, long integers and trailing bytes all encode to something shorter than what came.
    if _encode(items) != body:
        raise BadOperation("the body is not in its one form")


# The same few streams, kinds and fields stand in every body: what they are is found out once.
_split_known = functools.lru_cache(1024)(split_stream)


@functools.lru_cache(1024)
def _check_name(name: object) -> None:
    _check_text(name)


def _check_kind(kind: object) -> None:
    if type(kind) is not str or not kind:
        raise BadOperation("the kind is not a short word")
    _check_word(kind)


@functools.lru_cache(256)
def _check_word(kind: str) -> None:
    _check_text(kind)
    if len(kind.encode()) > limits.KIND_BYTES_MAX:
        raise BadOperation("the kind is not a short word")


def _is_id(value: object) -> bool:
    return type(value) is bytes and len(value) == 16


def _check_names(names: object) -> None:
    if type(names) is not list or len(names) > limits.NAMES_MAX:
        raise BadOperation("too many versions are named")
    for name in names:
        if type(name) is not list or len(name) != 2:
            raise BadOperation("a version is not a pair")
        origin, seq = name
        if not _is_id(origin) or type(seq) is not int or not 1 <= seq <= limits.INT64_MAX:
            raise BadOperation("a version is not an origin and a number")


def _check_text(text: object) -> None:
    if type(text) is not str:
        raise BadOperation("a field's name is not text")
    if text.isascii():
        if len(text) > limits.TEXT_BYTES_MAX or "\0" in text:
            raise BadOperation("a text is too long or holds U+0000")
        return
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise BadOperation("a text holds a lone surrogate") from error
    if size > limits.TEXT_BYTES_MAX or "\0" in text or not unicodedata.is_normalized("NFC", text):
        raise BadOperation("a text is too long, holds U+0000 or is not NFC")


def check_value(value: Any, depth: int) -> None:
    """Raise BadOperation unless ``value`` may stand in a body at ``depth``."""
    if value is None or value is True or value is False:
        return
    kind = type(value)
    if kind is str:
        _check_text(value)
    elif kind is int:
        if not limits.INT64_MIN <= value <= limits.INT64_MAX:
            raise BadOperation("an integer does not fit into 64 bits")
    elif kind is float:
        if not math.isfinite(value):
            raise BadOperation("a number is not finite")
    elif kind is bytes:
        if len(value) > limits.TEXT_BYTES_MAX:
            raise BadOperation("bytes are longer than 8 KiB")
    elif depth >= limits.DEPTH_MAX:
        raise BadOperation("values are nested too deeply")
    elif kind is list or kind is tuple:
        for item in value:
            check_value(item, depth + 1)
    elif kind is dict:
        for name, item in value.items():
            _check_text(name)
            check_value(item, depth + 1)
    else:
        raise BadOperation(f"a value of type {kind.__name__} cannot be written")
