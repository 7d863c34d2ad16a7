"""The digest's sums, one a table and scope: kept with every commit, so that a digest costs no walk over the tables.

Before: the projector and the quarantine tell which row hash came or went. After: ``public_digest`` adds the sums up.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync import digest
from sync.oplog import Connection


@dataclass(slots=True)
class Sums:
    connection: Connection
    _totals: dict[tuple[str, bytes], int] = field(default_factory=dict)

    def add(self, table: str, scope: bytes, row_hash: bytes) -> None:
        self._totals[table, scope] = digest.add(self._total(table, scope), row_hash)

    def take(self, table: str, scope: bytes, row_hash: bytes) -> None:
        self._totals[table, scope] = digest.take(self._total(table, scope), row_hash)

    def write(self) -> None:
        self.connection.executemany(
            "INSERT OR REPLACE INTO digest_sum VALUES (?, ?, ?)",
            [(table, scope, total.to_bytes(16, "big")) for (table, scope), total in self._totals.items()],
        )

    def clear(self) -> None:
        self._totals.clear()

    def _total(self, table: str, scope: bytes) -> int:
        name = (table, scope)
        if name not in self._totals:
            found = self.connection.execute(
                "SELECT total FROM digest_sum WHERE name = ? AND scope = ?", name
            ).fetchone()
            self._totals[name] = int.from_bytes(found[0], "big") if found else 0
        return self._totals[name]
