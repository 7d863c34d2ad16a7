"""Counting heads at a shelter: one number, reported by one tap. A wrong one is put right by another."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import messages
from app.errors import Invalid
from app.forms import head_count as forms
from app.permissions import permission
from app.queries import head_counts as queries
from app.queries import incidents, row
from app.queries.row import Record
from app.records import head_counts as records
from app.views import shell
from app.views.shelters import shelter_here
from sync.authoring import Exists

KIND = "head-counts"

pages = Blueprint(
    "head_counts", __name__, url_prefix="/incidents/<uuid:incident_id>/shelters/<uuid:shelter_id>/head-counts"
)


@pages.get("/new")
@permission(KIND, "create")
def new(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> str:
    """The counter begins at what was counted last at this post; where nobody has counted it is empty, never 0."""
    incident = shell.incident_here(incident_id)
    shelter = shelter_here(shelter_id)
    posts = _posts(incident, shelter)
    wanted = request.args.get("post", "").strip() or None
    known = [post for post in posts if post.name == wanted] if "post" in request.args else posts[:1]
    last = known[0].entry if known else None
    typed = {"_id": str(uuid6.uuid7()), "post": wanted or (last["post"] if last else None) or "", "ago": "0"}
    if last is not None:
        typed |= {name: str(last[name]) for name in ("total", *forms.PARTS) if last[name] is not None}
    return _form(shelter, posts, typed, {}, last)


@pages.get("/posts")
@permission(KIND, "read")
def posts(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    shelter = shelter_here(shelter_id)
    here = request.args.get("post", "")
    return render_template(
        "head_counts/_posts.html", shelter=shelter, posts=_posts(incident, shelter), typed={"post": here}
    )


@pages.post("")
@permission(KIND, "create")
def create(incident_id: uuid.UUID, shelter_id: uuid.UUID) -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one entry."""
    incident = shell.incident_here(incident_id)
    shelter = shelter_here(shelter_id)
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        fields = forms.read(request.form, shell.node().clock()) | {"shelter_id": shelter.id}
        change = records.create(record_id, incidents.scope(incident), fields)
    except (Invalid, ValueError) as error:
        return _form(shelter, _posts(incident, shelter), request.form, messages.faults_of(error), None), 422
    strange = _strange(incident, shelter, fields)
    if strange:
        typed = {**request.form.to_dict(), "sure": str(fields["total"])}
        return _form(shelter, _posts(incident, shelter), typed, {"total": strange}, None), 422
    if isinstance(shell.write(change), Exists) and not _said_before(record_id, fields):
        # The browser's 「もどる」 shows the old form again: another number in it is another count.
        shell.write(records.create(uuid.UUID(bytes=uuid6.uuid7().bytes), incidents.scope(incident), fields))
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for("shelters.show", incident_id=incident.id, shelter_id=shelter.id), 303)


def _posts(incident: Record, shelter: Record) -> list[queries.Post]:
    return queries.of_shelter(shell.db(), incident.id, shelter.id, shell.node().clock())


def _strange(incident: Record, shelter: Record, fields: dict[str, Any]) -> str:
    """Words that ask once more; empty where nothing has to be asked, or where it was asked for this number."""
    total, capacity = fields.get("total", 0), shelter["capacity"]
    posts = [post for post in _posts(incident, shelter) if post.name == fields.get("post")]
    before = posts[0].entry["total"] if posts else None
    if request.form.get("sure") == str(total) or not forms.is_strange(total, capacity, before):
        return ""
    return messages.strange_count(total, capacity, before)


def _said_before(record_id: uuid.UUID, fields: dict[str, Any]) -> bool:
    entry = row.get(shell.db(), KIND, str(record_id))
    names = ("shelter_id", "post", "total", *forms.PARTS)
    return entry is not None and all(entry[name] == fields.get(name) for name in names)


def _form(shelter: Record, posts: list[queries.Post], typed: Any, faults: dict[str, str], last: Record | None) -> str:
    return render_template("head_counts/new.html", shelter=shelter, posts=posts, typed=typed, faults=faults, last=last)
