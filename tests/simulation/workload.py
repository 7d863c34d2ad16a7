"""What people do in a typhoon night: the application's own forms become changes, from what their node shows them.

A form can stay open while others save: its versions are those that stood there when it was opened.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app import catalog
from app.records import (
    attachments,
    channel_reads,
    channels,
    chat_messages,
    damage_reports,
    head_counts,
    incidents,
    patrol_points,
    shape,
    shelter_openings,
    shelters,
    users,
)
from app.records.noun import CITY
from sync import merge
from sync.operation import REMOVE, Change, RecordKey, Version
from tests.simulation import city
from tests.simulation.machine import Machine
from tests.simulation.world import World

REPORTS, OPENINGS, CHANNELS = "damage-reports", "shelter-openings", "channels"
WORDS = ("冠水", "倒木", "土砂", "停電", "通行止め", "救助要請", "水位上昇", "橋の欄干が流失", "避難者多数")
STATUSES = ("open", "accepted", "in_progress", "done", "watching")
REPORT_FIELDS = (
    "summary", "description", "response_status", "urgency", "certainty", "passability", "water_depth_cm",
    "rescue_needed", "casualties", "location", "attachments", "address",
)  # fmt: skip
DANGERS = ("urgency", "passability", "rescue_needed", "casualties")
FORMS_MAX = 6


@dataclass(frozen=True)
class Form:
    """An edit page that somebody has open."""

    key: RecordKey
    seen: tuple[Version, ...]
    elements: dict[str, list[list[Any]]]
    photos: list[str]


class People:
    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self.forms: dict[str, list[Form]] = {}
        self.deeds: list[tuple[int, Callable[[Machine], None]]] = [
            (20, self.report), (22, self.edit_report), (10, self.clash), (8, self.open_form), (8, self.save_form),
            (13, self.say), (10, self.count_heads), (9, self.shelter_state), (4, self.patrol), (4, self.mark_read),
            (4, self.change_members), (5, self.remove), (3, self.bring_back), (3, self.edit_incident),
            (2, self.edit_shelter), (2, self.edit_user), (2, self.drill_report), (2, self.photo_again),
        ]  # fmt: skip

    def act(self, machine: Machine) -> None:
        """Somebody at this node does something."""
        weights = [weight for weight, _ in self.deeds]
        deed = self.chance.choices([deed for _, deed in self.deeds], weights)[0]
        deed(machine)

    def _write(self, machine: Machine, *changes: Change) -> None:
        author = self.chance.choice((None, *city.PEOPLE))
        self.world.write(machine, *changes, author=author.bytes if author else None)

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    def _words(self) -> str:
        return "".join(self.chance.sample(WORDS, 2)) + str(self.chance.randrange(1_000))

    # -- damage reports --------------------------------------------------------------------------

    def report(self, machine: Machine, scope: bytes = city.REAL_SCOPE) -> None:
        form = {"category": "road", "summary": self._words(), "response_status": "open"}
        for name in self.chance.sample(REPORT_FIELDS[3:-2], self.chance.randrange(5)):
            form[name] = self._value(name)
        changes = []
        if self.chance.random() < 0.3 and "attachments" in machine.kinds.by_name:
            changes.append(self._photo(scope, self._sha()))
            form["attachments"] = [changes[0].fields["sha256"]]
        changes.append(damage_reports.create(self._id(), scope, form, reporter_role="patrol"))
        if machine.release == "older":
            changes = [_as_older(machine, change) for change in changes]
        self._write(machine, *changes)

    def drill_report(self, machine: Machine) -> None:
        self.report(machine, city.DRILL_SCOPE)

    def edit_report(self, machine: Machine) -> None:
        """Save at once what the page shows."""
        form = self._form(machine, REPORTS)
        if form is not None:
            self._save(machine, form)

    def clash(self, machine: Machine) -> None:
        """Two people judge one danger at the same moment, each on a node of their own."""
        other = self.chance.choice(self.world.awake)
        shared = [key for key in machine.known.get(REPORTS, ())[-6:] if key in other.known.get(REPORTS, ())]
        if not shared:
            return
        key, name = self.chance.choice(shared), self.chance.choice(DANGERS)
        for each in (machine, other):
            form = form_of(each, key)
            if form is not None:
                self._save(each, form, (name,))

    def open_form(self, machine: Machine) -> None:
        form = self._form(machine, REPORTS)
        if form is not None:
            listed = self.forms.setdefault(machine.name, [])
            listed.append(form)
            del listed[:-FORMS_MAX]

    def save_form(self, machine: Machine) -> None:
        listed = self.forms.get(machine.name)
        if listed:
            self._save(machine, listed.pop(self.chance.randrange(len(listed))))

    def _save(self, machine: Machine, form: Form, names: Sequence[str] = ()) -> None:
        names = names or self.chance.sample(REPORT_FIELDS, self.chance.choice((1, 1, 2, 3)))
        values = {name: self._value(name) for name in names}
        changes = []
        if "attachments" in values:
            photos = list(form.photos)
            if photos and self.chance.random() < 0.5:
                photos.pop(self.chance.randrange(len(photos)))
            if not photos or self.chance.random() < 0.7:
                photos.append(self._sha())
            values["attachments"] = photos
        change = damage_reports.edit(uuid.UUID(bytes=form.key[2]), form.key[1], values, form.seen, form.elements)
        changes.append(change if machine.release == "this" else _as_older(machine, change))
        if changes[0].fields:
            self._write(machine, *changes)

    def _form(self, machine: Machine, kind: str) -> Form | None:
        key = self._some(machine, kind)
        return form_of(machine, key) if key is not None else None

    def _some(self, machine: Machine, kind: str) -> RecordKey | None:
        """A record that this node knows; the newest of all most often, so that people clash."""
        listed = machine.known.get(kind)
        if not listed:
            return None
        return self.chance.choice(listed[-4:] if self.chance.random() < 0.7 else listed)

    def _value(self, name: str) -> Any:
        chance = self.chance
        if name in DANGERS:
            order = catalog.danger_order(name)
            return chance.choice(order[-3:] if chance.random() < 0.6 else order)
        return {
            "summary": self._words(),
            "description": chance.choice((None, self._words())),
            "response_status": chance.choice(STATUSES),
            "certainty": chance.choice(("unconfirmed", "hearsay", "seen")),
            "water_depth_cm": chance.choice((None, 0, 20, 50)),
            "location": chance.choice((None, [139.6 + chance.randrange(9) / 100, 35.8])),
            "address": chance.choice(("本町1", "新曽", None)),
            "attachments": [],
        }[name]

    def _sha(self) -> str:
        return f"{self.chance.randrange(6):064x}" if self.chance.random() < 0.5 else self.chance.randbytes(32).hex()

    def _photo(self, scope: bytes, sha256: str) -> Change:
        return attachments.described(scope, {"sha256": sha256, "size": 40_000, "media_type": "image/jpeg"})

    def photo_again(self, machine: Machine) -> None:
        """The same picture is described on two nodes: one record."""
        if machine.release == "this":
            self._write(machine, self._photo(city.REAL_SCOPE, f"{self.chance.randrange(6):064x}"))

    def remove(self, machine: Machine) -> None:
        form = self._form(machine, REPORTS)
        if form is not None:
            self._write(machine, Change(*_key(form.key), {}, REMOVE, form.seen, "present"))

    def bring_back(self, machine: Machine) -> None:
        """An edit of something that was removed, by somebody who saw the removal."""
        form = self._form(machine, REPORTS)
        if form is not None:
            self._write(machine, Change(*_key(form.key), {"summary": self._words()}, replaces=None, expects="present"))

    # -- talk, counts, shelters --------------------------------------------------------------------

    def say(self, machine: Machine) -> None:
        form = {"channel_id": str(city.CHANNEL), "text": self._words()}
        self._write(machine, chat_messages.create(self._id(), city.REAL_SCOPE, form))

    def count_heads(self, machine: Machine) -> None:
        total = self.chance.randrange(200)
        form: dict[str, Any] = {"shelter_id": str(self.chance.choice(city.SHELTERS)), "total": total}
        if machine.release == "this" and self.chance.random() < 0.4:
            form["post"] = self.chance.choice(("正門", "体育館"))
        self._write(machine, head_counts.create(self._id(), city.REAL_SCOPE, form))

    def shelter_state(self, machine: Machine) -> None:
        """Open a shelter, or say what has become of it."""
        shelter = str(self.chance.choice(city.SHELTERS))
        status = self.chance.choice(tuple(value for value in catalog.danger_order("opening_status") if value))
        change = shelter_openings.first(city.REAL_SCOPE, str(city.INCIDENT), shelter, status)
        if any(key[2] == change.record for key in machine.known.get(OPENINGS, ())):
            form = {"opening_status": status, "opened_at": city.DUSK + self.chance.randrange(1_000)}
            change = shelter_openings.edit(uuid.UUID(bytes=change.record), city.REAL_SCOPE, form, None)
        self._write(machine, change)

    def patrol(self, machine: Machine) -> None:
        if machine.release == "this":
            form = {"status": self.chance.choice(("safe", "caution", "cleared")), "note": self._words()}
            self._write(machine, patrol_points.create(self._id(), city.REAL_SCOPE, form))

    def mark_read(self, machine: Machine) -> None:
        if machine.release == "this":
            who, upto = str(self.chance.choice(city.PEOPLE)), self.chance.randrange(1 << 40)
            self._write(machine, channel_reads.mark(city.REAL_SCOPE, str(city.CHANNEL), who, upto))

    def change_members(self, machine: Machine) -> None:
        """Take people into the channel and out of it."""
        form = form_of(machine, (CHANNELS, city.REAL_SCOPE, city.CHANNEL.bytes))
        if form is not None:
            wanted = [str(person) for person in self.chance.sample(city.PEOPLE, self.chance.randrange(4))]
            change = channels.edit(city.CHANNEL, city.REAL_SCOPE, {"members": wanted}, form.seen, form.elements)
            self._write(machine, change)

    # -- the city ----------------------------------------------------------------------------------

    def edit_incident(self, machine: Machine) -> None:
        values = {
            "phase": self.chance.choice(("発災前", "発災", "応急")),
            "closed_at": self.chance.choice((None, city.DUSK)),
        }
        name = self.chance.choice(tuple(values))
        self._write(machine, incidents.edit(city.INCIDENT, CITY, {name: values[name]}, None))

    def edit_shelter(self, machine: Machine) -> None:
        """Master data: of a device that may not command it does not count, and says so."""
        form = {"note": self._words()}
        self._write(machine, shelters.edit(self.chance.choice(city.SHELTERS), CITY, form, None))

    def edit_user(self, machine: Machine) -> None:
        id_ = city.id_of(f"user of {machine.name}")
        form = {"name": self._words(), "role": "patrol"}
        change = users.create(id_, CITY, form, home_node=machine.node.hex())
        self._write(machine, replace(change, expects=None, replaces=None))


def form_of(machine: Machine, key: RecordKey) -> Form | None:
    """What a page of this record holds: its live versions, and those of its lists' elements."""
    found = machine.replica.projector.show(key)
    machine.replica.projector.leave()
    if found is None:
        return None
    _, state = found
    elements = {name: [list(element) for element in alive] for name, alive in state.sets.items()}
    photos = sorted({element for _, _, element in state.sets.get("attachments", ()) if shape.is_sha256(element)})
    return Form(key, tuple(sorted(merge.live(state))), elements, photos)


def _key(key: RecordKey) -> tuple[str, bytes, bytes]:
    kind, scope, record = key
    return kind, record, scope


def _as_older(machine: Machine, change: Change) -> Change:
    """Without the fields that an older release has no form for."""
    known = machine.kinds.by_name[change.kind].fields
    return replace(change, fields={name: value for name, value in change.fields.items() if name in known})
