"""What two people wrote without having seen each other (食い違い), of whatever kind: the inbox, the strip, settling.

Before: ``queries/conflicts`` says which records. After: ``conflicts/_strip.html`` draws ``splits`` on any record's
page, and one tap posts here; the value that a person chose replaces all that stood on the page.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions
from app.errors import Forbidden, Invalid
from app.permissions import permission
from app.queries import channels, joins, row
from app.queries import conflicts as queries
from app.queries.row import Record
from app.records import CITY, NOUNS, etag, judge
from app.views import links, shell
from sync.kinds import OF_SYNC
from sync.merge import REMOVED
from sync.operation import REMOVE, Change

KIND = "conflicts"
SHOWN_MAX = 30
SETTLED_CHARS_MAX = 16_000

pages = Blueprint("conflicts", __name__, url_prefix="/incidents/<uuid:incident_id>/conflicts")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the values that stand against each other, with who wrote it last."""

    value: Any
    key: str  # as the form sends it back
    author: str | None
    node: str
    at: int
    in_force: bool


@dataclass(frozen=True, slots=True)
class Split:
    """A field with its values, the one in force first. ``danger``: the more dangerous one is shown until then."""

    field: str
    danger: bool
    sides: tuple[Side, ...]


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    sight = queries.Sight(current_user.id, current_user.team, current_user.role)
    template = "conflicts/_list.html" if request.args.get("part") == "list" else "conflicts/index.html"
    counts = queries.counts(shell.db(), incident.id, sight)
    only = request.args.get("kind", "")
    only = only if only in counts else ""
    return render_template(
        template,
        records=queries.listed(shell.db(), incident.id, SHOWN_MAX, sight, only),
        found=counts[only] if only else sum(counts.values()),
        total=sum(counts.values()),
        counts=counts,
        only=only,
        topics=[kind.name if kind.city else f"{kind.name}:{incident.id}" for kind in sight.kinds],
    )


@pages.post("/<kind>/<uuid:record_id>")
@permission(KIND, "edit")
def settle(incident_id: uuid.UUID, kind: str, record_id: uuid.UUID) -> ResponseReturnValue:
    incident = shell.incident_here(incident_id)
    record = _record_here(incident, kind, record_id)
    permissions.require(current_user, "edit", kind, owner=record.author)
    if not device_may(kind):
        raise Forbidden("device_not_capable", f"This device may not write {kind}.", "Settle it on the hub.")
    field, value = request.form.get("field", ""), request.form.get("value", "")
    seen = etag.read_versions(request.form.get("versions", ""))
    shell.write(_settled(record, field, value, seen))
    flash(messages.SETTLED, "ok")
    return redirect(shell.own_path(request.form.get("back"), url_for(".index", incident_id=incident.id)), 303)


@pages.app_context_processor
def _for_templates() -> dict[str, Any]:
    told = {"splits": splits, "versions_of": versions_of, "device_may": device_may}
    return told | {"subject": links.subject, "name_of": links.name_of}


def device_may(kind: str) -> bool:
    """Whether this device is certified for it: what a tablet writes of the city's records would count nowhere."""
    certificate, known = shell.node().certificate, row.kind_of(kind)
    change = Change(kind, bytes(16), CITY, {})
    return certificate is None or judge.capable(known, change, shell.node().node_id, certificate.capabilities)


def splits(record: Record) -> list[Split]:
    """The fields of a record of which people know several values; the log is asked only where the row has some."""
    if not record.conflicts:
        return []
    kind, found = row.kind_of(record.kind), []
    for field, heads in shell.node().heads(record.kind, record.scope, record.id).items():
        danger = field == REMOVED or (field in kind.fields and kind.fields[field].merge == "danger")
        sides = _sides_of_removal(record, heads) if field == REMOVED else _sides(record, field, heads)
        if len(sides) > 1:
            found.append(Split(field, danger, sides))
    return found


def versions_of(record: Record) -> str:
    """What a form of this record was drawn from."""
    return etag.make_etag(shell.node().versions(record.kind, bytes.fromhex(record.scope), record.id))


def _sides(record: Record, field: str, heads: list[dict[str, Any]]) -> tuple[Side, ...]:
    """Equal values of several people stand as one: as the latest."""
    sides: dict[str, Side] = {}
    for head in heads:
        key = json.dumps(head["value"], sort_keys=True)
        in_force = head["value"] == record.fields.get(field)
        sides.setdefault(key, Side(head["value"], key, head["author"], head["node"], head["at"], in_force))
    return tuple(sorted(sides.values(), key=lambda side: not side.in_force))


def _sides_of_removal(record: Record, heads: list[dict[str, Any]]) -> tuple[Side, ...]:
    """Taken back by one while another wrote on: it stays until somebody decides."""
    removal = next((head for head in heads if head["value"]), None)
    if removal is None:
        return ()
    lines = shell.node().history(record.kind, record.scope, record.id)
    kept = next((line for line in reversed(lines) if line["type"] != "remove" and line["counts"]), None)
    if kept is None:
        return ()
    return (
        Side(False, "false", kept["author"], kept["node"], kept["at"], True),
        Side(True, "true", removal["author"], removal["node"], removal["at"], False),
    )


def _record_here(incident: Record, kind: str, record_id: uuid.UUID) -> Record:
    """The record of that kind in this incident, or of the city. What nobody settles here is not here."""
    known = row.kind_of(kind) if kind in NOUNS else None
    if known is None or known.entry or known.sealed or known in OF_SYNC:
        abort(404)
    record = row.get(shell.db(), kind, str(record_id))
    if record is None or not (known.city or joins.covers(shell.db(), incident.id, record)):
        abort(404)
    if kind == "channels" and not channels.visible_to(record, current_user):
        abort(404)
    return record


def _settled(record: Record, field: str, text: str, seen: Any) -> Change:
    """The change that writes the chosen value; raises Invalid for what is no field or no value of it."""
    scope, record_id, noun = bytes.fromhex(record.scope), uuid.UUID(record.id), NOUNS[record.kind]
    try:
        value = json.loads(text) if len(text) <= SETTLED_CHARS_MAX else None
    except ValueError as error:
        raise Invalid("not_json", "the value cannot be read", "Open the record again.", field[:64]) from error
    if field == REMOVED:
        if value is True:
            return Change(record.kind, record_id.bytes, scope, {}, REMOVE, seen, "present")
        return Change(record.kind, record_id.bytes, scope, {REMOVED: False}, replaces=seen, expects="present")
    if field not in noun.writable or noun.kind.fields[field].merge not in ("register", "danger"):
        raise Invalid("unknown_field", "no such field", "Open the record again.", field[:64])
    return noun.edit(record_id, scope, {field: value}, seen)
