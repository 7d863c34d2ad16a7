"""The people themselves: who is known here, who may log in here, and the operations that say so.

Names, roles and teams are operations. That somebody was vouched for, or lost a login and got a new one, is noted on
the person (``access``), by whoever did it: the history of a person names both.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import catalog
from app.errors import Conflict, Invalid, NotFound
from app.people import names
from app.people.local import Keep
from app.people.passphrases import Passphrases
from app.queries import nodes, users
from app.records import CITY
from app.records import users as user_records
from sync.authoring import Recorded
from sync.errors import NotEnrolled
from sync.operation import Version


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    name: str
    role: str
    team: str | None
    home_node: str | None


class Roster:
    def __init__(self, node: Any, passphrases: Passphrases) -> None:
        self._node, self._passphrases = node, passphrases

    # -- who --------------------------------------------------------------------------------------

    def person(self, user_id: str) -> Person | None:
        record = users.get(self._node.reader(), user_id)
        if record is None or record["active"] in (False, 0):
            return None
        return Person(record.id, record["name"], record["role"], record["team"], record["home_node"])

    def here(self, name: str) -> Person | None:
        """The active person of that name who may log in here: of twins, the one who has a login here."""
        wanted = [self.person(record.id) for record in users.by_name(self._node.reader(), names.clean(name))]
        found = [person for person in wanted if person is not None and self.at_home(person)]
        known = [person for person in found if self._passphrases.of(person.id)]
        return next(iter((*known, *found)), None)

    def known_here(self) -> list[Person]:
        """Those who have a login on this device."""
        people = (self.person(user_id) for user_id in self._passphrases.known())
        return sorted((p for p in people if p is not None and self.at_home(p)), key=lambda person: person.name)

    def at_home(self, person: Person) -> bool:
        # A user made on a device with `field` alone can log in on that device only: whoever holds a lost
        # tablet could otherwise make themselves a commander on every other node.
        if person.home_node in (None, self._node.node_id):
            return True
        home = nodes.get(self._node.reader(), person.home_node)
        return home is not None and "command" in (home["capabilities"] or ())

    # -- writing ----------------------------------------------------------------------------------

    def add(
        self, user_id: uuid.UUID, name: str, role: str, author: str | None, keep: Keep,
        team: str | None = None, access: str | None = None,
    ) -> Person:  # fmt: skip
        """Write a new person, and what is kept beside. Raises NotEnrolled on a bare terminal."""
        if not self._node.enrolled:
            raise NotEnrolled("this terminal is not enrolled, and writes nothing before it is")
        if role not in catalog.table("roles").codes:
            known = "Known: " + ", ".join(catalog.table("roles").codes)
            raise Invalid("unknown_code", f"{role} is not a role", known, field="role")
        self._refuse_twin(name)
        form = {"name": name, "role": role, "team": team, "active": True}
        given = {"home_node": self._node.node_id, "access": _note(access)}
        change = user_records.create(user_id, CITY, form, **given)
        if not isinstance(self._node.write([change], author, local=keep), Recorded):
            raise Conflict("not_written", f"{name} could not be written", "Try again.")
        return Person(str(user_id), change.fields["name"], role, team, self._node.node_id)

    def change(
        self, person_id: str, form: Mapping[str, Any], seen: tuple[Version, ...] | None, author: str | None
    ) -> None:
        """Role, team, active or not."""
        record = users.get(self._node.reader(), person_id)
        if record is None:
            raise NotFound("unknown_user", "There is no such person.", "Open the list again.")
        own = {"home_node": record["home_node"]} if record["home_node"] == self._node.node_id else {}
        self._node.write([user_records.edit(uuid.UUID(person_id), CITY, form, seen, **own)], author)

    def note(self, person_id: str, access: str, author: str | None, keep: Keep) -> None:
        """Keep something on this node, and note on the person who did it."""
        change = user_records.noted(uuid.UUID(person_id), CITY, f"{access} {self._node.node_id}")
        self._node.write([change], author, local=keep)

    def _refuse_twin(self, name: str) -> None:
        alike = names.likeness(name)
        for record in users.listed(self._node.reader()):
            if names.likeness(record["name"] or "") == alike and self.person(record.id) is not None:
                hint = "Add a team or a number to the name."
                raise Conflict("name_taken", f"{name} is taken by {record['name']}", hint, field="name")


def _note(access: str | None) -> dict[str, list[Any]] | None:
    return None if access is None else {"add": [access], "drop": []}
