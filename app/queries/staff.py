"""The staff register as lists show it. What is sealed of a person is asked for by itself, after it was noted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app import catalog
from app.queries import grants, row
from app.queries.row import Record, Where
from app.records import search
from app.records.noun import CITY

NAME, CONTACTS = "staff", "staff-contacts"


def get(db: Any, person_id: str) -> Record | None:
    return row.get(db, NAME, person_id)


def listed(db: Any, *, resting: bool = False) -> list[Record]:
    """Everybody who may be called out, by name; ``resting``: also who was taken out of the register."""
    where = Where() if resting else Where().also("active IS NOT 0")
    return row.select(db, row.kind_of(NAME), where, "ORDER BY kana IS NULL, kana, name, id")


def narrowed(people: Iterable[Record], words: str = "", team: str | None = None) -> list[Record]:
    """Those of a team in whose entry each of the words stands, whatever its width."""
    wanted = search.words_of(words)
    return [
        person
        for person in people
        if (team is None or person["team"] == team) and search.speaks_of(_text(person), wanted)
    ]


def contact(db: Any, person_id: str) -> Record | None:
    """How a person is reached, where this node can open it. Whoever asks has written the read down before."""
    found = row.select(db, row.kind_of(CONTACTS), Where().also("id = ?", person_id), "LIMIT 1")
    return found[0] if found else None


def contacts(db: Any) -> dict[str, Record]:
    """How everybody is reached whom this node can open, by person."""
    return {one.id: one for one in row.select(db, row.kind_of(CONTACTS), Where())}


def sealed(db: Any, person: Record) -> bool:
    """Whether anything is sealed of a person, whoever can open it."""
    return grants.sealed_here(db, CONTACTS, CITY.hex(), person.id)


def called_at(people: Iterable[Record], level: str | None, teams: Iterable[str] = ()) -> list[Record]:
    """Whom a call-out of this level is for; ``teams`` narrows it. 応援職員 are there already, and are not called."""
    table, wanted = catalog.table("staffing_levels"), set(teams)
    chosen = table.get(level)
    if chosen is None:
        return []
    order = table.in_group("staff")
    reached = order.index(chosen.code) if chosen.group == "staff" else -1

    def is_called(person: Record) -> bool:
        if person["support"] or (wanted and person["team"] not in wanted):
            return False
        if chosen.group == "flood":
            return bool(person["role"] == "flood")
        return order.index(_level_of(person, order)) <= reached

    return [person for person in people if is_called(person)]


def of_user(people: Iterable[Record], user: Record | None) -> Record | None:
    """Who of the staff somebody is that has logged in."""
    listed = list(people)
    found = logins(listed, [user]) if user is not None else {}
    return next((person for person in listed if user is not None and found.get(user.id) == person.id), None)


def logins(people: Iterable[Record], users: Iterable[Record]) -> dict[str, str]:
    """Of each login the person in the register: by the entry, else by a name that only one of both has."""
    entered, named = dict[str, str](), dict[str, list[str]]()
    for person in people:
        if person["user"]:
            entered[person["user"]] = person.id
        else:
            named.setdefault(joined(person["name"]), []).append(person.id)
    found = {user.id: same[0] for user in users if len(same := named.get(joined(user["name"]), [])) == 1}
    return found | entered


def joined(text: str | None) -> str:
    """A name as it is compared, without its spaces: 山田 太郎 and 山田太郎 are one."""
    return "".join(search.folded(text or "").split())


def _text(person: Record) -> str:
    told = (person["name"], person["kana"], person["department"], person["place"], person["employee_number"])
    return " ".join(filter(None, (*told, joined(person["name"]))))


def _level_of(person: Record, order: tuple[str, ...]) -> str:
    return person["from_level"] if person["from_level"] in order else order[-1]
