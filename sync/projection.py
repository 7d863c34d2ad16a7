"""What the log asks of the application's tables: a row to read and to write, no SQL.

Before: ``projector`` merged the operations. After: the application's own projection keeps the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sync.kinds import Kind
from sync.operation import Version


@dataclass(slots=True)  # not frozen: one is made for each operation that is folded
class Row:
    """One row of a projection table, values decoded."""

    values: dict[str, Any]
    state: bytes
    row_hash: bytes
    origin: bytes
    seq: int
    created_hlc: int
    updated_hlc: int
    author: bytes | None
    hidden: bool = False
    conflicts: int = 0
    order_key: int = 0


Fresh = tuple[bytes, bytes, bytes, Row]  # scope, record, node and row of a record that was not there


class Projection(Protocol):
    """The application's tables. Every call happens inside the replica's transaction."""

    def load(self, kind: Kind, scope: bytes, record: bytes) -> Row | None: ...
    def load_many(self, kind: Kind, scope: bytes, records: Sequence[bytes]) -> dict[bytes, Row]: ...
    def insert(self, kind: Kind, rows: Sequence[Fresh]) -> None: ...
    def update(self, kind: Kind, scope: bytes, record: bytes, node: bytes, row: Row, old: Row) -> None: ...
    def delete(self, kind: Kind, scope: bytes, record: bytes) -> None: ...
    def rows(self, kind: Kind, scope: bytes | None = None) -> Iterator[tuple[bytes, bytes, Row]]: ...
    def newest_entry(self, kind: Kind, scope: bytes) -> Version | None: ...
    def clear(self) -> None: ...
