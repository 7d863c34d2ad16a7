"""What somebody is writing, kept on this node at every pause: a local table, on no link.

Before: ``views/drafts`` saves while a person types. After: the form is drawn with it, also after a power cut; the
write of the record clears it in the same transaction.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

Values = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Draft:
    values: dict[str, list[str]]
    updated_at: int

    def one(self, name: str) -> str:
        return next(iter(self.values.get(name, ())), "")


def get(db: Any, user_id: str, form: str) -> Draft | None:
    found = db.execute("SELECT body, updated_at FROM drafts WHERE user_id = ? AND form = ?", (user_id, form)).fetchone()
    return Draft(json.loads(found[0]), found[1]) if found else None


def save(connection: Any, user_id: str, form: str, values: Values, now: int) -> bool:
    """False where the record was saved meanwhile: what a slow tap sends late must not come back as a draft."""
    saved = connection.execute(
        "SELECT 1 FROM damage_reports WHERE id = ?", ("".join(values.get("_id", ())),)
    ).fetchone()
    if saved is not None:
        return False
    body = json.dumps(dict(values), ensure_ascii=False)
    connection.execute(
        "INSERT INTO drafts (user_id, form, body, updated_at) VALUES (?, ?, ?, ?) ON CONFLICT (user_id, form)"
        " DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at",
        (user_id, form, body, now),
    )
    return True


def clear(connection: Any, user_id: str, form: str) -> None:
    connection.execute("DELETE FROM drafts WHERE user_id = ? AND form = ?", (user_id, form))


def forget_fields(connection: Any, names: Collection[str]) -> None:
    """Take fields out of every draft: what they say is to be nowhere any more."""
    for user_id, form, body in connection.execute("SELECT user_id, form, body FROM drafts").fetchall():
        values = json.loads(body)
        kept = {name: value for name, value in values.items() if name not in names}
        if kept != values:
            sql = "UPDATE drafts SET body = ? WHERE user_id = ? AND form = ?"
            connection.execute(sql, (json.dumps(kept, ensure_ascii=False), user_id, form))
