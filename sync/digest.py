"""Row hashes and their sum: equal on two nodes that hold the same set (docs/protocol.md §9). Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from sync.merge import Shown, State, live, several
from sync.operation import Operation, RecordKey

MODULUS = 1 << 128
_pack = msgspec.msgpack.Encoder().encode


def record_hash(key: RecordKey, state: State, shown: Shown) -> bytes:
    """16 bytes of a record's row. Only what depends on the set goes in: no local number, no time of arrival."""
    values = sorted(item for item in shown.values.items() if item[1] is not None)
    return _hash([*key, values, shown.hidden, state.first, state.author, sorted(live(state)), several(state)])


def begun_hash(operation: Operation, values: dict[str, Any], is_live: bool) -> bytes:
    """``record_hash`` of a record that has this one operation."""
    listed = sorted([item for item in values.items() if item[1] is not None])
    first = (operation.hlc, operation.origin, operation.seq)
    live_now = ((operation.origin, operation.seq),) if is_live else ()
    return _hash(
        [operation.kind, operation.scope, operation.record, listed, False, first, operation.author, live_now, ()]
    )


def entry_hash(
    key: RecordKey, values: dict[str, Any], stamp: tuple[int, bytes, int], author: bytes | None, order_key: int
) -> bytes:
    """16 bytes of a ledger's row."""
    listed = sorted(item for item in values.items() if item[1] is not None)
    return _hash([*key, listed, stamp, author, order_key])


def quarantine_hash(stream: bytes, seq: int, reason: str) -> bytes:
    """16 bytes of an operation that does not count: the verdicts are part of the digest."""
    return _hash(["quarantine", stream, seq, reason])


def sealed_hash(operation: Operation) -> bytes:
    """16 bytes of a sealed operation: equal on all who hold it, whether or not they can open it."""
    return _hash(
        ["sealed", operation.origin + operation.scope + operation.lane, operation.seq, operation.hlc, operation.author,
         operation.kind, operation.record, operation.type, sorted(operation.fields.items()), operation.replaces,
         operation.after]
    )  # fmt: skip


def _hash(items: list[Any]) -> bytes:
    return hashlib.blake2b(_pack(items), digest_size=16).digest()


def add(total: int, row: bytes) -> int:
    return (total + int.from_bytes(row, "big")) % MODULUS


def take(total: int, row: bytes) -> int:
    return (total - int.from_bytes(row, "big")) % MODULUS


def total(sums: Iterable[int]) -> int:
    """The digest of a whole node from the sums of its tables and scopes."""
    return sum(sums) % MODULUS
