"""A record names files: each that is new in its scope is described there, in the same transaction.

Before: ``receive`` kept the facts, or another node's record described the file. After: ``node.write``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from app.errors import Invalid
from app.queries import row
from app.queries.row import Record, Where
from app.records import attachments
from sync.operation import Change

_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
NAME = "attachments"
_FIELDS = tuple(attachments.KIND.fields)


def describing(db: Any, scope: bytes, named: Iterable[str]) -> list[Change]:
    """The changes that describe these files in ``scope``. Raises Invalid for a file that nobody has shown here."""
    changes = []
    for sha256 in sorted(set(named)):
        if _described(db, sha256, scope.hex()):
            continue
        facts = facts_of(db, sha256)
        if facts is None:
            hint = "Send the file to POST /api/v1/attachments first, then name its sha256."
            raise Invalid("unknown_attachment", "attachments names a file that is not here.", hint, "attachments")
        changes.append(attachments.described(scope, facts))
    return changes


def facts_of(db: Any, sha256: str) -> dict[str, Any] | None:
    """What is known of a file: noted when it was taken in here, else described by a record of any scope."""
    if not _HASH.fullmatch(sha256):
        return None
    noted = db.execute("SELECT facts FROM attachment_facts WHERE sha256 = ?", (sha256,)).fetchone()
    if noted is not None:
        return dict(json.loads(noted[0]))
    found = _described(db, sha256)
    return {name: found[0][name] for name in _FIELDS} if found else None


def unnamed(db: Any, before: int) -> list[dict[str, Any]]:
    """Facts of files that were taken in before this time and that no record and no draft names."""
    drafts = "".join(body for (body,) in db.execute("SELECT body FROM drafts").fetchall())
    rows = db.execute("SELECT facts FROM attachment_facts WHERE made_at < ?", (before,)).fetchall()
    found = [dict(json.loads(facts)) for (facts,) in rows]
    return [facts for facts in found if facts["sha256"] not in drafts and not _described(db, facts["sha256"])]


def forget(connection: Any, before: int) -> None:
    """Drop the facts of that age that the log holds meanwhile, or that nothing names; a draft keeps its own."""
    connection.execute(
        "DELETE FROM attachment_facts WHERE made_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM drafts WHERE instr(drafts.body, attachment_facts.sha256))",
        (before,),
    )


def _described(db: Any, sha256: str, scope: str | None = None) -> list[Record]:
    where = Where().also("id = ?", str(attachments.record_of(sha256))).also("sha256 = ?", sha256)
    if scope is not None:
        where = where.also("scope = ?", scope)
    return row.select(db, row.kind_of(NAME), where, "LIMIT 1")
