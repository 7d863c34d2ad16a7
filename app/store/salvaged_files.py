"""The attachments of a damaged `blobs.db`, taken into a new one: each file that is whole by its hash.

Before: ``mend``. After: what is missing comes from other nodes, as for any node that never had it.
"""

from __future__ import annotations

import hashlib

from app.store.engine import Connection
from app.store.salvage import Salvage


def refill(new: Connection, old: Salvage) -> tuple[int, int]:
    """(files kept, files that were whole here and are not any more)."""
    columns = ("no", "sha256", "media_type", "made_here", "at", "whole")
    described = {row[0]: row[1:] for row in old.table("blob", columns)}
    numbers = described.keys() | {row[0] for row in old.table("chunk", ("blob",))}
    kept = lost = 0
    for number in sorted(numbers):
        sha256, media_type, made_here, at, whole = described.get(number, (None, None, 1, 0, 0))
        rows, _ = old.read("SELECT start, bytes FROM chunk WHERE blob = ? ORDER BY start", (number,))
        found = b"".join(bytes(row[1]) for row in rows)
        name = hashlib.sha256(found).digest()
        if not rows or (sha256 is not None and bytes(sha256) != name) or (sha256 is None and number in described):
            lost += bool(whole)
            continue
        _keep(new, name, len(found), rows, (media_type, made_here, at))
        kept += 1
    new.executemany("INSERT OR IGNORE INTO holder VALUES (?, ?, ?)", old.table("holder", ("sha256", "node", "at")))
    return kept, lost


def _keep(new: Connection, name: bytes, size: int, rows: list[tuple[int, bytes]], about: tuple[object, ...]) -> None:
    new.execute("BEGIN IMMEDIATE")
    number = new.execute(
        "INSERT OR IGNORE INTO blob (sha256, size, have, whole, media_type, made_here, at)"
        " VALUES (?, ?, ?, 1, ?, ?, ?) RETURNING no",
        (name, size, size, *about),
    ).fetchone()
    if number is not None:
        new.executemany("INSERT INTO chunk VALUES (?, ?, ?)", [(number[0], row[0], row[1]) for row in rows])
    new.execute("COMMIT")
