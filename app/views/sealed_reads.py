"""閲覧記録: who has opened what is sealed, and the alarm where one person has opened very much."""

from __future__ import annotations

import uuid

from flask import Blueprint, render_template

from app.permissions import permission
from app.queries import sealed_reads as queries
from app.views import shell

KIND = "sealed-reads"

pages = Blueprint("sealed_reads", __name__, url_prefix="/incidents/<uuid:incident_id>/sealed-reads")


@pages.get("")
@permission(KIND, "read")
def index(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    now = shell.node().clock()
    return render_template(
        "sealed_reads/index.html",
        reads=queries.listed(shell.db(), incident.id),
        alarms=queries.alarms(shell.db(), incident.id, now),
        numbers=queries.numbers(shell.db(), incident.id),
    )


@pages.get("/alarm")
@permission(KIND, "read")
def alarm(incident_id: uuid.UUID) -> str:
    """The strip for pages that are open anyway: it comes by itself."""
    incident = shell.incident_here(incident_id)
    return render_template(
        "sealed_reads/_alarm.html", alarms=queries.alarms(shell.db(), incident.id, shell.node().clock())
    )
