"""The people of a list against the register: new ones are written, equal ones are not, people's words are kept.

Before: ``work`` read the list in a child (``staff_list``). After: changes of the city's scope, some hundred a write.
Who is missing from a list is not taken out of the register: only a person does that.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from uuid6 import uuid7

from app.errors import Invalid
from app.imports.said import without_what_people_said
from app.imports.staff_list import NAMED_ELSEWHERE, key_of
from app.queries import staff as queries
from app.queries import teams, users
from app.queries.row import Record
from app.records import CITY, staff, staff_contacts
from app.records import teams as team_records
from maps.layers import Fault

if TYPE_CHECKING:
    from app.node import Node
    from sync.operation import Change

CHANGES_A_WRITE = 200


def take(node: Node, rows: list[dict[str, Any]], *, dry_run: bool = False) -> dict[str, Any]:
    """Write the rows: {created, changed, unchanged, faults}."""
    taking = _Taking(node)
    counts = {"created": 0, "changed": 0, "unchanged": 0}
    for given in rows:
        try:
            counts[taking.row(given)] += 1
        except Invalid as error:
            taking.faults.append(Fault(given["line"], error.field, None, error.message.rstrip("."), error.hint))
    if not dry_run:
        for first in range(0, len(taking.changes), CHANGES_A_WRITE):
            node.write(taking.changes[first : first + CHANGES_A_WRITE], None)
    return {**counts, "faults": [fault.as_dict() for fault in taking.faults]}


class _Taking:
    """One import: what the node knows already, and what is to be written."""

    def __init__(self, node: Node) -> None:
        db = node.reader()
        self._node = node
        self._people = {key_of(person.fields): person for person in queries.listed(db, resting=True)}
        self._teams = {name: id_ for id_, name in teams.names(db).items()}
        self._users = {queries.joined(user["name"]): user.id for user in users.listed(db)}
        self._opens = node.sealing.holds()
        self._contacts = queries.contacts(db) if self._opens else {}
        self.changes: list[Change] = []
        self.faults: list[Fault] = []

    def row(self, given: dict[str, Any]) -> str:
        """created, changed or unchanged; what is to be written is put behind the changes. Raises Invalid."""
        contacts = {name: given[name] for name in staff_contacts.FIELDS if name in given}
        form = {name: value for name, value in given.items() if name not in ("line", *contacts, *NAMED_ELSEWHERE)}
        form |= self._named(given)
        here = self._people.get(key_of(given))
        if here is None:
            record_id = uuid.UUID(str(uuid7()))
            self.changes.append(staff.NOUN.create(record_id, CITY, form, home_node=self._node.node_id))
            self.changes += staff_contacts.beside(record_id, contacts)
            return "created"
        changed = self._edited(here, form, given["line"]) + self._reached(here, contacts, given["line"])
        self.changes += changed
        return "changed" if changed else "unchanged"

    def _named(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Team and login by their names; a team that nobody knows yet is made."""
        found: dict[str, Any] = {}
        if name := given.get("team"):
            found["team"] = self._teams.get(name) or self._new_team(name)
        if name := given.get("user"):
            user = self._users.get(queries.joined(name))
            if user is None:
                told = "is no login of this city; the person was taken without it"
                self.faults.append(Fault(given["line"], "user", name, told, "Add the login, then import again."))
            else:
                found["user"] = user
        return found

    def _new_team(self, name: str) -> str:
        record_id = uuid.UUID(str(uuid7()))
        self.changes.append(team_records.create(record_id, CITY, {"name": name}))
        self._teams[name] = str(record_id)
        return self._teams[name]

    def _edited(self, here: Record, form: dict[str, Any], line: int) -> list[Change]:
        wanted = {name: value for name, value in staff.NOUN.clean(form).items() if value != here[name]}
        if not wanted:
            return []
        told, wanted = without_what_people_said(self._node, here, wanted, line)
        self.faults += told
        if not wanted:
            return []
        seen = self._node.versions(here.kind, CITY, here.id)
        return [staff.NOUN.edit(uuid.UUID(here.id), CITY, wanted, seen, home_node=self._node.node_id)]

    def _reached(self, here: Record, contacts: dict[str, Any], line: int) -> list[Change]:
        """What is new of how a person is reached. Who cannot open what stands there cannot compare it."""
        if not contacts:
            return []
        if not self._opens:
            told = "was left as it is: this node cannot open what is sealed"
            self.faults.append(Fault(line, next(iter(contacts)), None, told, "Import at the hub."))
            return []
        known = self._contacts.get(here.id)
        wanted = {name: value for name, value in contacts.items() if known is None or value != known[name]}
        return [staff_contacts.edited(uuid.UUID(here.id), wanted, None)] if wanted else []
