"""Response instructions with their answers: all of an incident, or those for one person at one node."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.queries import row
from app.queries.row import Record, Where

NAME, REPLIES = "instructions", "instruction-replies"
LISTED_MAX = 500
# That an answer ``a`` counts: its author has not taken it back, and it takes none back itself.
COUNTS = (
    "a.hidden = 0 AND a.takes_back IS NULL AND NOT EXISTS (SELECT 1 FROM instruction_replies t WHERE"
    " t.instruction_id = a.instruction_id AND t.takes_back = a.id AND t.author IS a.author AND t.hidden = 0)"
)


def get(db: Any, instruction_id: str) -> Record | None:
    return row.get(db, NAME, instruction_id)


def listed(db: Any, incident_id: str, limit: int = LISTED_MAX) -> list[Record]:
    """Newest first."""
    where = Where().also("incident_id = ?", incident_id)
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC, id DESC LIMIT {int(limit)}")


def replies(db: Any, instruction_ids: Iterable[str]) -> dict[str, list[Record]]:
    """The answers to these instructions, oldest first, by instruction."""
    found: dict[str, list[Record]] = {one: [] for one in instruction_ids}
    if found:
        marks = ", ".join("?" for _ in found)
        where = Where().also(f"instruction_id IN ({marks})", *found)
        for reply in row.select(db, row.kind_of(REPLIES), where, "ORDER BY order_key, origin, seq"):
            found[reply["instruction_id"]].append(reply)
    return found


def counting(answers: Iterable[Record]) -> list[Record]:
    """Those of the answers to one instruction that count, as ``COUNTS`` says it."""
    listed = list(answers)
    taken = {(one["takes_back"], one.author) for one in listed if one["takes_back"]}
    return [one for one in listed if not one["takes_back"] and (one.id, one.author) not in taken]


def own_answer(db: Any, instruction_id: str, reply_id: str, author: str) -> Record | None:
    """The answer that its author may take back: theirs, to this instruction, and it counts."""
    found = counting(replies(db, [instruction_id])[instruction_id])
    return next((one for one in found if one.id == reply_id and one.author == author), None)


def taken_back(db: Any, reply_ids: Iterable[str]) -> set[str]:
    """Those of these answers that their author has taken back."""
    wanted = list(reply_ids)
    if not wanted:
        return set()
    sql = (
        f"SELECT a.id FROM instruction_replies a WHERE a.id IN ({', '.join('?' for _ in wanted)})"
        f" AND a.takes_back IS NULL AND a.hidden = 0 AND NOT ({COUNTS})"
    )
    return {id_ for (id_,) in db.execute(sql, wanted)}


def sightings(db: Any, instruction_ids: Iterable[str]) -> dict[str, list[tuple[str, str, int]]]:
    """Who has had them on the screen: (user id, node id, first at) by instruction."""
    found: dict[str, list[tuple[str, str, int]]] = {one: [] for one in instruction_ids}
    if found:
        marks = ", ".join("?" for _ in found)
        sql = (
            "SELECT instruction_id, user_id, node, seen_at FROM instruction_sightings"
            f" WHERE hidden = 0 AND seen_at IS NOT NULL AND instruction_id IN ({marks})"
        )
        for instruction, user, node, at in db.execute(sql, tuple(found)):
            found[instruction].append((user, node, at))
    return found
