"""Every search form posts here: the words go sealed into the address of the page that lists what was found."""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.routing import BuildError

from app import words
from app.permissions import permission
from app.views import shell

LISTS = ("damage_reports.index", "shelters.index", "chronicle.index")

pages = Blueprint("search", __name__, url_prefix="/incidents/<uuid:incident_id>/search")


@pages.post("")
@permission("incidents", "read")
def go(incident_id: uuid.UUID) -> ResponseReturnValue:
    """To the list that the form names, with everything else that it was narrowed to."""
    incident = shell.incident_here(incident_id)
    asked: dict[str, Any] = {
        name: values for name, values in request.form.lists() if name not in ("csrf_token", "list", "words")
    }
    typed = request.form.get("words", "").strip()
    if typed:
        asked["words"] = [words.seal(shell.node().keys.data_key, typed)]
    wanted = request.form.get("list", "")
    endpoint = wanted if wanted in LISTS else LISTS[0]
    try:
        address = url_for(endpoint, incident_id=incident.id, **asked)
    except BuildError:
        address = url_for(LISTS[0], incident_id=incident.id)
    return redirect(address, 303)
