"""The sync badge and the sync page: what has not reached HQ, who was last heard, and a retry."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import machine, messages
from app.permissions import permission
from app.queries import sync_status as queries
from app.views import shell

UNSENT_ROWS_MAX = 100
ARRIVED_ROWS_MAX = 30

pages = Blueprint("sync_status", __name__)


@pages.get("/sync")
@permission("sync", "read")
def show() -> str:
    return render_template("sync_status/show.html", **_sheet())


@pages.get("/sync/sheet")
@permission("sync", "read")
def sheet() -> str:
    return render_template("sync_status/_sheet.html", **_sheet())


@pages.get("/sync/badge")
@permission("sync", "read")
def badge() -> str:
    return render_template("sync_status/_badge.html", swap_strip=True)


@pages.post("/sync/attempts")
@permission("sync", "edit")
def try_now() -> ResponseReturnValue:
    shell.node().try_now()
    flash(messages.TRYING, "plain")
    return redirect(shell.own_path(request.form.get("back"), url_for(".show")), 303)


def _sheet() -> dict[str, Any]:
    here = shell.db()
    unsent = sorted(shell.node().unsent_records(), key=lambda record: record.get("saved_at") or 0)
    node = shell.node()
    arrived = [] if node.is_hub else queries.own_arrived(here, node, current_user.id, ARRIVED_ROWS_MAX)
    return {
        "unsent": queries.titled(here, unsent[:UNSENT_ROWS_MAX]),
        "unsent_count": len(unsent),
        "oldest_ms": unsent[0].get("saved_at") if unsent else None,
        "peers": node.peers(),
        "next_try_s": node.links.next_try_s,
        "free_mb": machine.free_mb(node.home),
        "arrived": arrived,
    }
