"""The list of what two people wrote without having seen each other (矛盾)."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template

from app.permissions import permission
from app.queries import report_rows, shelters
from app.views import shell

pages = Blueprint("conflicts", __name__)


@pages.get("/incidents/<uuid:incident_id>/conflicts")
@permission("conflicts", "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    reports = report_rows.in_conflict(shell.db(), incident.id)
    lines = shelters.in_conflict(shell.db(), incident.id)
    return render_template("conflicts/index.html", reports=reports, shelters=lines, unsent_ids=shell.unsent_ids())
