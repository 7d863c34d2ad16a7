"""What every noun does with a form: check its fields, make a Change. Pure: ids, times and modes are handed
in.

Before: a view or the API parsed the request. After: ``node.write`` stamps, signs and applies the Change. A
module of a noun holds a ``NOUN``; where the noun has rules of its own it wraps ``NOUN.create`` and
``NOUN.edit``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.errors import Invalid, MethodRefused
from app.records import shape
from sync.kinds import Kind
from sync.operation import CITY, ENTRY, SET, Change, Version, incident_scope

Elements = Mapping[str, Sequence[Sequence[Any]]]  # of each set field, the live [origin, seq, element]


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind with the checks of its fields.

    ``needed``: fields without which no record is made, and which can never be emptied. ``given``: fields
    that the node or the server fills, never a form. ``fixed``: set when the record is made and never changed.
    """

    kind: Kind
    checks: Mapping[str, shape.Check]
    needed: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    numbered: str | None = None

    @property
    def writable(self) -> tuple[str, ...]:
        return tuple(name for name in self.kind.fields if name not in self.given)

    def create(self, record_id: uuid.UUID, scope: bytes, form: Mapping[str, Any], **given: Any) -> Change:
        """A new record. ``given`` are fields that do not come from the form."""
        fields = {name: value for name, value in self.clean(form).items() if value is not None}
        for name in self.needed:
            if fields.get(name) is None:
                shape.refuse("required", name, "is needed", "Send a value for this field.")
        sets = {name: {"add": value, "drop": []} for name, value in fields.items() if self._is_set(name)}
        return Change(
            kind=self.kind.name,
            record=record_id.bytes,
            scope=scope,
            fields={**fields, **sets, **{name: value for name, value in given.items() if value is not None}},
            type=ENTRY if self.kind.entry else SET,
            expects="absent",
            numbered=self.numbered,
        )

    def edit(
        self,
        record_id: uuid.UUID,
        scope: bytes,
        form: Mapping[str, Any],
        seen: tuple[Version, ...] | None,
        elements: Elements | None = None,
        **given: Any,
    ) -> Change:
        """A change of a record whose versions ``seen`` stood before the writer; None: whatever this node
        shows now.

        ``elements`` are the live elements of its sets: what the form leaves out of a set is dropped from it.
        """
        if self.kind.entry:
            raise MethodRefused("ledger", "An entry is never changed.", "Write another entry that corrects it.")
        fields = self.clean(form)
        for name in fields:
            if name in self.fixed:
                shape.refuse("set_once", name, "is set once", "Open a new record instead.")
            if name in self.needed and fields[name] is None:
                shape.refuse("required", name, "is needed", "Send a value for this field.")
        if not fields:
            raise Invalid("nothing_to_change", "No field is given.", "Send at least one field to change.")
        for name in fields:
            if self._is_set(name):
                fields[name] = _set_change(fields[name], (elements or {}).get(name, ()))
        return Change(
            kind=self.kind.name,
            record=record_id.bytes,
            scope=scope,
            fields={**fields, **given},
            replaces=seen,
            expects="present",
        )

    def clean(self, form: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the form as they are written. Raises Invalid for the first that is wrong."""
        fields: dict[str, Any] = {}
        for name, value in form.items():
            if name in self.given:
                shape.refuse("read_only", name, "is read only", "Leave this field out.")
            check = self.checks.get(name)
            if check is None:
                shape.refuse(
                    "unknown_field",
                    name[:64],
                    "is no field of this record",
                    "Known: " + ", ".join(self.writable),
                )
            fields[name] = None if value is None and not self._is_set(name) else check(name, value)
        return fields

    def _is_set(self, name: str) -> bool:
        return self.kind.fields[name].merge == "set"


def _set_change(wanted: list[Any], live: Sequence[Sequence[Any]]) -> dict[str, list[Any]]:
    present = {element for _, _, element in live}
    return {
        "add": [element for element in wanted if element not in present],
        "drop": [list(tag) for tag in live if tag[2] not in wanted],
    }


def scope_of(mode: str, incident_id: str) -> bytes:
    """The scope of an incident's records."""
    return incident_scope(mode, uuid.UUID(incident_id).bytes)


__all__ = ["CITY", "Noun", "scope_of"]
