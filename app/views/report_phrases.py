"""Template sentences of damage reports: HQ adds, changes and retires them; every form offers them on every node."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import messages, records
from app.errors import Invalid
from app.permissions import permission
from app.queries import report_phrases as queries
from app.queries.row import Record
from app.records import CITY, etag
from app.views import shell

KIND = queries.NAME

pages = Blueprint("report_phrases", __name__, url_prefix="/report-phrases")


@pages.get("")
@permission(KIND, "read")
def index() -> str:
    return _page({"_id": str(uuid6.uuid7())}, {})


@pages.post("")
@permission(KIND, "create")
def create() -> ResponseReturnValue:
    """The id was given when the form was drawn, so that a double tap makes one sentence."""
    try:
        record_id = uuid.UUID(request.form.get("_id", ""))
        change = records.report_phrases.create(record_id, CITY, _read() | {"active": True})
    except (Invalid, ValueError) as error:
        return _page(request.form, messages.faults_of(error)), 422
    shell.write(change)
    flash(messages.saved_here(shell.node()), "ok")
    return redirect(url_for(".index"), 303)


@pages.post("/<uuid:phrase_id>")
@permission(KIND, "edit")
def save(phrase_id: uuid.UUID) -> ResponseReturnValue:
    """Only what was changed is written: the sentence, its category, or whether it is still used."""
    phrase = queries.get(shell.db(), str(phrase_id))
    if phrase is None:
        abort(404)
    try:
        wanted = _read() | {"active": request.form.get("active") == "yes"}
        fields = {name: value for name, value in wanted.items() if value != phrase[name]}
        if fields:
            seen = etag.read_versions(request.form.get("versions", ""))
            shell.write(records.report_phrases.edit(phrase_id, CITY, fields, seen))
        flash(messages.saved_here(shell.node()) if fields else messages.NOTHING_CHANGED, "ok" if fields else "plain")
    except Invalid as error:
        flash(next(iter(messages.faults_of(error).values())), "danger")
    return redirect(url_for(".index"), 303)


def _read() -> dict[str, Any]:
    return {name: request.form.get(name, "").strip() or None for name in ("text", "category")}


def _versions(phrase: Record) -> str:
    return etag.make_etag(shell.node().versions(KIND, CITY, phrase.id))


def _page(typed: Any, faults: dict[str, str]) -> str:
    return render_template(
        "report_phrases/index.html",
        phrases=queries.listed(shell.db()),
        offered=queries.offered(shell.db()),
        versions_of=_versions,
        typed=typed,
        faults=faults,
    )
