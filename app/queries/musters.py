"""Call-outs with who has answered them: everybody whom the level calls, who said nothing first, and counts per team."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app import catalog
from app.queries import row, staff, users
from app.queries.row import Record, Where

NAME, REPLIES, SAFETY = "musters", "muster-replies", "muster-safety"
LISTED_MAX = 100
WAITING = "waiting"


@dataclass(frozen=True, slots=True)
class Line:
    """One person of a call-out with the newest that is known. ``called``: by its level, not only by an answer."""

    person: Record
    reply: Record | None
    called: bool

    @property
    def state(self) -> str | None:
        return self.reply["state"] if self.reply else None

    @property
    def group(self) -> str:
        return catalog.table("muster_states").group(self.state) or WAITING


@dataclass(frozen=True, slots=True)
class TeamCount:
    team: str | None
    counts: Counter[str]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Board:
    """A call-out and its people, who has not answered first."""

    muster: Record
    lines: list[Line]

    @property
    def counts(self) -> Counter[str]:
        return Counter(line.group for line in self.lines)

    @property
    def total(self) -> int:
        return len(self.lines)

    def teams(self) -> list[TeamCount]:
        """Counts of each team, the one with the most silent people first."""
        found: dict[str | None, Counter[str]] = {}
        for line in self.lines:
            found.setdefault(line.person["team"], Counter())[line.group] += 1
        return sorted((TeamCount(*pair) for pair in found.items()), key=lambda one: (-one.counts[WAITING], -one.total))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call-out that stands. ``mine``: it calls whoever looks, and has no answer from them yet."""

    muster: Record
    mine: bool

    @property
    def id(self) -> str:
        return self.muster.id


def called_at(muster: Record) -> int:
    return muster["called_at"] or muster.created_at


def get(db: Any, muster_id: str) -> Record | None:
    return row.get(db, NAME, muster_id)


def listed(db: Any, incident_id: str, *, standing: bool = False) -> list[Record]:
    """Newest first; ``standing``: only those that were not lifted."""
    where = Where().also("incident_id = ?", incident_id)
    where = where.also("lifted_at IS NULL") if standing else where
    return row.select(db, row.kind_of(NAME), where, f"ORDER BY created_at DESC, id DESC LIMIT {LISTED_MAX}")


def boards(db: Any, musters: Sequence[Record]) -> list[Board]:
    """Each with its people: three queries, however many call-outs there are."""
    if not musters:
        return []
    everybody = staff.listed(db, resting=True)
    answers = _newest(_names(db, everybody), replies(db, [muster.id for muster in musters]))
    return [Board(muster, _lines(muster, everybody, answers.get(muster.id, {}))) for muster in musters]


def replies(db: Any, muster_ids: Sequence[str]) -> list[Record]:
    """The answers to these call-outs, oldest first."""
    marks = ", ".join("?" for _ in muster_ids)
    where = Where().also(f"muster_id IN ({marks})", *muster_ids)
    return row.select(db, row.kind_of(REPLIES), where, "ORDER BY order_key, origin, seq")


def of_person(db: Any, muster: Record, person: Record) -> list[Record]:
    """All that is known of one person in a call-out, the newest first."""
    names = _names(db, staff.listed(db, resting=True))
    return [one for one in reversed(replies(db, [muster.id])) if names.get(one["user"]) == person.id]


def waiting(db: Any, incident_id: str, user: Record | None) -> list[Waiting]:
    """The call-outs that stand, for the menu and the bell."""
    musters = listed(db, incident_id, standing=True)
    if not musters:
        return []
    everybody = staff.listed(db)
    me = staff.of_user(everybody, user)
    if me is None:
        return [Waiting(muster, False) for muster in musters]
    names, given = _names(db, everybody), replies(db, [muster.id for muster in musters])
    answered = {one["muster_id"] for one in given if names.get(one["user"]) == me.id}
    return [Waiting(muster, muster.id not in answered and is_called(muster, me)) for muster in musters]


def is_called(muster: Record, person: Record) -> bool:
    return bool(staff.called_at([person], muster["level"], muster["teams"] or ()))


def safety(db: Any, replies_shown: Iterable[Record]) -> dict[str, Record]:
    """What was opened here of these answers, by answer. Whoever asks has written the read down before."""
    wanted = [reply.id for reply in replies_shown]
    found: dict[str, Record] = {}
    for first in range(0, len(wanted), 500):
        some = wanted[first : first + 500]
        where = Where().also(f"id IN ({', '.join('?' for _ in some)})", *some)
        found |= {one.id: one for one in row.select(db, row.kind_of(SAFETY), where)}
    return found


def _newest(names: dict[str, str], found: list[Record]) -> dict[str, dict[str, Record]]:
    """By call-out and person the newest answer: the ledger's order decides, not a clock."""
    newest: dict[str, dict[str, Record]] = {}
    for reply in found:
        person = names.get(reply["user"])
        if person is not None:
            newest.setdefault(reply["muster_id"], {})[person] = reply
    return newest


def _names(db: Any, everybody: list[Record]) -> dict[str, str]:
    """As whom somebody answers: by the entry in the register, or by their login."""
    return staff.logins(everybody, users.listed(db)) | {person.id: person.id for person in everybody}


def _lines(muster: Record, everybody: list[Record], answers: dict[str, Record]) -> list[Line]:
    active = [person for person in everybody if person["active"] is not False]
    called = {person.id for person in staff.called_at(active, muster["level"], muster["teams"] or ())}
    order = catalog.table("muster_groups").codes
    lines = [
        Line(person, answers.get(person.id), person.id in called)
        for person in everybody
        if person.id in called or person.id in answers
    ]
    return sorted(lines, key=lambda line: order.index(line.group) if line.group in order else 0)
