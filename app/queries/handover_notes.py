"""What stands open when somebody goes off shift, and the notes that hand it over.

Before: instructions, chat, conflicts and contradictions as everybody's pages ask for them. After: ``views`` and the API
write the lists into a note; whoever takes over sees each as it stands by then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.queries import conflicts, contradictions, instructions, joins, ladder, orders, row, talk
from app.queries.arrivals import Here
from app.queries.conflicts import Sight
from app.queries.contradictions import Contradiction
from app.queries.ladder import Ladder
from app.queries.orders import Me
from app.queries.row import Record, Where
from app.queries.talk import ChannelLine
from app.records.handover_notes import LISTED_MAX

NAME = "handover-notes"
ROWS_MAX = 100


@dataclass(frozen=True, slots=True)
class Open:
    """What is open for one person."""

    instructions: list[Ladder]
    channels: list[ChannelLine]
    conflicts: list[Record]
    contradictions: list[Contradiction]

    @property
    def unread(self) -> int:
        return sum(line.unread for line in self.channels)

    def fields(self) -> dict[str, Any]:
        """As a note keeps it."""
        return {
            "instructions": [one.instruction.id for one in self.instructions][:LISTED_MAX],
            "channels": [line.channel.id for line in self.channels][:LISTED_MAX],
            "unread": self.unread,
            "in_conflict": [f"{one.kind} {one.id}" for one in self.conflicts][:LISTED_MAX],
            "contradictions": [f"{one.rule} {one.record.id}" for one in self.contradictions][:LISTED_MAX],
        }


@dataclass(frozen=True, slots=True)
class Handed:
    """A list of a note as it stands now: what is still there, and how many were listed."""

    instructions: list[Ladder]
    channels: list[Record]
    conflicts: list[Record]
    contradictions: list[Contradiction]


def get(db: Any, note_id: str) -> Record | None:
    return row.get(db, NAME, note_id)


def listed(db: Any, incident_id: str, limit: int = ROWS_MAX) -> list[Record]:
    """Those that nobody has taken over first, then the newest."""
    where = Where().also("incident_id = ?", incident_id)
    return row.select(
        db, row.kind_of(NAME), where, f"ORDER BY taken_at IS NOT NULL, created_at DESC, id DESC LIMIT {int(limit)}"
    )


def waiting(db: Any, incident_id: str, me: Me) -> int:
    """Notes that others have left for me, my team or anybody, and that nobody has taken over."""
    found = joins.ask(
        db,
        "SELECT count(*) FROM handover_notes WHERE incident_id = ? AND hidden = 0 AND taken_at IS NULL"
        " AND author IS NOT ? AND (team IS NULL OR team IS ?)",
        (incident_id, me.user, me.team),
    )
    return int(found.fetchone()[0])


def open_for(db: Any, incident_id: str, me: Me, sight: Sight, here: Here, now: int, *, commands: bool) -> Open:
    """``commands``: whoever gives instructions hands over all that are not done, others those given to them."""
    unread = talk.channel_lines(db, incident_id, sight)
    return Open(
        _instructions(db, incident_id, me, here, commands),
        [line for line in unread if line.unread],
        conflicts.listed(db, incident_id, LISTED_MAX, sight),
        contradictions.waiting(contradictions.found(db, incident_id, now)),
    )


def handed(db: Any, note: Record, here: Here, now: int) -> Handed:
    """What a note lists, each as it stands now; what is settled, done or read is left out of the last three."""
    about = {tuple(one.split(" ", 1)) for one in note["in_conflict"] or ()}
    found = [
        record
        for kind, record_id in sorted(about)
        if (record := row.get(db, kind, record_id)) is not None and record.conflicts
    ]
    incident_id = note.incident_id or ""
    broken = set(note["contradictions"] or ())
    still = [
        one
        for one in (contradictions.found(db, incident_id, now) if broken else ())
        if one.aside is None and f"{one.rule} {one.record.id}" in broken
    ]
    channels = [one for name in note["channels"] or () if (one := row.get(db, "channels", name)) is not None]
    given = _by_id(db, list(note["instructions"] or ()))
    return Handed(ladder.ladders(db, given, here), channels, found, still)


def _instructions(db: Any, incident_id: str, me: Me, here: Here, commands: bool) -> list[Ladder]:
    if commands:
        every = ladder.ladders(db, instructions.listed(db, incident_id), here)
        return [one for one in every if one.group != "done"]
    mine = ladder.ladders(db, orders.mine(db, incident_id, me), here)
    return [one for one in mine if one.instruction["withdrawn_at"] is None and not _is_done(one, me)]


def _is_done(found: Ladder, me: Me) -> bool:
    return any(one.state in ("done", "cannot") for one in found.recipients if one.id in me.names)


def _by_id(db: Any, ids: list[str]) -> list[Record]:
    if not ids:
        return []
    where = Where().also(f"id IN ({', '.join('?' for _ in ids)})", *ids)
    return row.select(db, row.kind_of("instructions"), where, "ORDER BY created_at DESC")
