"""The digest's sums, one a table and scope: kept with every commit, so that a digest costs no walk over the tables.

Before: the projector and the quarantine tell which row hash came or went. After: ``public_digest`` adds the sums up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync import digest, oplog
from sync.oplog import Connection


@dataclass(slots=True)
class Sums:
    """Kept in memory between jobs; read from the table at start and after a rollback."""

    connection: Connection
    _totals: dict[tuple[str, bytes], int] = field(default_factory=dict)
    _moved: set[tuple[str, bytes]] = field(default_factory=set)

    def load(self) -> None:
        self._moved.clear()
        self._totals = oplog.sums(self.connection)

    def add(self, table: str, scope: bytes, row_hash: bytes) -> None:
        name = (table, scope)
        self._totals[name] = digest.add(self._totals.get(name, 0), row_hash)
        self._moved.add(name)

    def take(self, table: str, scope: bytes, row_hash: bytes) -> None:
        name = (table, scope)
        self._totals[name] = digest.take(self._totals.get(name, 0), row_hash)
        self._moved.add(name)

    def write(self) -> None:
        """When a job ends: what it moved."""
        oplog.keep_sums(self.connection, [(*name, self._totals[name]) for name in self._moved])
        self._moved.clear()
