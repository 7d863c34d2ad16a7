"""Photos and voice memos on pages: taken in from a form by a script, shown inline, or asked for where not here.

Before: ``static/js/photos.js`` sends what was just taken. After: the form names the hash when it is sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from app import messages
from app.errors import AppError
from app.intake import naming, upload
from app.permissions import permission
from app.queries import attachments, damage_reports, doubles
from app.queries.row import Record
from app.records import shape
from app.views import ranges, shell
from app.views.error_pages import problem

pages = Blueprint("attachments", __name__, url_prefix="/attachments")
_SHOWN = ("sha256", "size", "media_type", "view", "thumb", "width", "height", "duration_ms", "exif_location")

FAR_M = 200  # a photo from further away than this was perhaps taken elsewhere


@dataclass(frozen=True, slots=True)
class ShownFile:
    """A photo or a voice memo of a record, with what this node knows and holds of it."""

    sha256: str
    facts: dict[str, Any] | None  # None: its description has not arrived
    thumb_here: bool
    view_here: bool
    here: bool
    have: int
    holders: tuple[str, ...]  # node ids
    at_hub: bool
    far_m: int | None  # from the record's position to the photo's own, where that is far

    @property
    def is_voice(self) -> bool:
        return bool(self.facts and str(self.facts["media_type"]).startswith("audio/"))

    @property
    def size(self) -> int:
        return int((self.facts or {}).get("size") or 0)

    @property
    def view(self) -> str:
        return str((self.facts or {}).get("view") or self.sha256)

    @property
    def thumb(self) -> str:
        return str((self.facts or {}).get("thumb") or self.sha256)


def files_of_record(record: Record) -> list[ShownFile]:
    """Its photos first, then its voice memos, each in the order they were taken."""
    return shown_files(record.fields.get("attachments") or (), record.fields.get("location"))


def shown_files(named: Iterable[str], place: Any = None, *, only_known: bool = False) -> list[ShownFile]:
    """``only_known``: without hashes of a form that are no file of this node."""
    found = [_shown(sha256, place) for sha256 in named if not only_known or naming.facts_of(shell.db(), sha256)]
    return sorted(found, key=lambda file: (file.is_voice, (file.facts or {}).get("taken_at") or 0, file.sha256))


def pictures_of(shown: Sequence[Record]) -> dict[str, str]:
    """Of each record the thumbnail of its first photo that is here; one question for all of them."""
    named = {one.id: [name for name in one.fields.get("attachments") or () if shape.is_sha256(name)] for one in shown}
    known = attachments.described_all(shell.db(), [name for names in named.values() for name in names])
    thumbs = {
        record_id: [known[name]["thumb"] for name in names if name in known and known[name]["thumb"]]
        for record_id, names in named.items()
    }
    here = {record_id: next(filter(shell.node().blobs.has, found), None) for record_id, found in thumbs.items()}
    return {record_id: thumb for record_id, thumb in here.items() if thumb}


def _shown(sha256: str, place: Any) -> ShownFile:
    blobs, facts = shell.node().blobs, naming.facts_of(shell.db(), sha256)
    told = facts or {}
    state = blobs.state(sha256)
    own = told.get("exif_location")
    metres = doubles.metres_between(place, own) if place and own else 0
    return ShownFile(
        sha256,
        facts,
        thumb_here=bool(told.get("thumb") and blobs.has(told["thumb"])),
        view_here=blobs.has(told.get("view") or sha256),
        here=state.here,
        have=state.have,
        holders=state.holders,
        at_hub=state.at_hub or (state.here and shell.node().is_hub),
        far_m=round(metres) if metres > FAR_M else None,
    )


@pages.post("")
@permission("attachments", "create")
def create() -> ResponseReturnValue:
    """Durable when it answers; a refusal carries the sentence that the page shows."""
    try:
        taken = current_app.extensions["intake"].take(upload.only_file())
    except AppError as error:
        answer = problem(error.status, error.code, error.message, error.hint, error.field)
        return jsonify({**answer.get_json(force=True), "words": messages.file_words(error.code)}), error.status
    return jsonify({name: taken.facts.get(name) for name in _SHOWN}), 201 if taken.fresh else 200


@pages.get("/<sha256>")
@permission("attachments", "read")
def show(sha256: str) -> Response:
    return ranges.attachment(shell.node(), sha256, inline=True)


@pages.get("/of/<uuid:incident_id>/<uuid:report_id>/<sha256>")
@permission("damage-reports", "read")
def photo(incident_id: uuid.UUID, report_id: uuid.UUID, sha256: str) -> str:
    """One file of a report, large; what is not here is asked for now, before what is only wished for."""
    incident = shell.incident_here(incident_id)
    report = damage_reports.get(shell.db(), str(report_id))
    files = files_of_record(report) if report is not None and shell.of_incident(incident, report) else []
    place = next((place for place, file in enumerate(files) if file.sha256 == sha256), None)
    if place is None:
        abort(404)
    file, asked_original = files[place], request.args.get("original") == "1"
    blobs = shell.node().blobs
    if not file.view_here:
        blobs.want(file.view)
    if asked_original and not file.here:
        blobs.want(file.sha256)
    return render_template(
        "damage_reports/photo.html",
        report=report,
        file=file,
        asked_original=asked_original,
        before=files[place - 1] if place else None,
        after=files[place + 1] if place + 1 < len(files) else None,
        number=place + 1,
        total=len(files),
    )
