"""The past on the usual pages: which of them can show it, the band over them, and the way to another time.

Before: `replay/prefix` read the time from the address. After: the views ask the past where they ask the node.
"""

from __future__ import annotations

import uuid
from typing import Any

from flask import Blueprint, Flask, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.errors import Conflict, Invalid
from app.permissions import permission
from app.queries.row import Record
from app.replay.moment import moment
from app.replay.past import Past, View, refusal
from app.replay.prefix import KEY, Prefix, prefix_of
from app.views import shell
from app.views.session import is_own_door

# The pages, lists and fragments that are drawn from the past, by blueprint. A new list is one more name here, if all
# that it shows comes through `shell.db()` and `shell.node()`.
REPLAYED = {
    "front": "show counts feed menu waiting unread",
    "damage_reports": "index show",
    "attachments": "photo",
    "instructions": "index show calls",
    "musters": "index show",
    "staff": "index",
    "shelters": "index show",
    "head_counts": "posts",
    "bulletins": "index show pinned",
    "hq_meetings": "index show printed",
    "chronicle": "index printed",
    "chat_messages": "index show listing groups",
    "conflicts": "index",
    "contradictions": "index",
    "handover_notes": "index show",
    "teams": "index show",
    "search": "index go",
    "patrols": "index show",
    "patrol_tracks": "rounds card",
    "map": "show data report shelter patrol_point",
    "hazard": "here place",
}
# What is of the node and the person, whatever time is shown: answered as always, and a page of it leads to the present.
TIMELESS = ("attachments", "incidents", "lock", "login", "map", "more", "replay", "settings", "sync_status")
OF_THE_PERSON = ("lock", "login", "settings", "sync_status")  # also what is sent: it writes no record
STEP_MS = 60_000
JUMPS_MIN = (-60, -10, 10, 60)

pages = Blueprint("replay", __name__, url_prefix="/incidents/<uuid:incident_id>/replay")


@pages.get("")
@permission("replay", "read")
def show(incident_id: uuid.UUID) -> str:
    incident = shell.incident_here(incident_id)
    return _choice(incident)


@pages.get("/go")
@permission("replay", "read")
def go(incident_id: uuid.UUID) -> ResponseReturnValue:
    """To the page that was looked at, at the time that was chosen; the future is the present."""
    incident = shell.incident_here(incident_id)
    now = shell.present().clock()
    try:
        at = min(moment(request.args.get("at", "")), now)
    except Invalid:
        return _choice(incident, fault=request.args.get("at", "")[:40]), 422
    view = View(at, "hub" if request.args.get("of") == "hub" and not shell.present().is_hub else "node")
    path = shell.own_path(request.args.get("path"), url_for("front.show", incident_id=incident.id))
    return redirect(prefix_of(view) + path, 303)


def _choice(incident: Record, fault: str = "") -> str:
    now = shell.present().clock()
    return render_template(
        "replay/show.html", now=now, end=_end(now), begun=_begun(incident), step=STEP_MS, fault=fault
    )


def register_replay(app: Flask) -> None:
    app.wsgi_app = Prefix(app.wsgi_app)  # type: ignore[method-assign, assignment]
    app.context_processor(lambda: {"replayed": replayed()})

    @app.before_request
    def show_the_past() -> ResponseReturnValue | None:
        view = request.environ.get(KEY)
        if view is None or request.endpoint is None or request.endpoint == "static":
            return None
        if is_replayed(request.endpoint):
            g.past = shell.present().shelf.past(view, words=bool(request.args.get("words")))
            return None
        if request.method in ("GET", "HEAD"):
            return _timeless()
        if request.blueprint not in OF_THE_PERSON:
            raise refusal()
        return None


def _timeless() -> ResponseReturnValue | None:
    """What is the same at any time is answered; a page of it leads to the present."""
    if request.blueprint not in TIMELESS or is_own_door(request.blueprint):
        hint = "Go back to the present, and open it there."
        raise Conflict("not_replayed", "This page is not shown as it was at an earlier time.", hint)
    is_part = request.blueprint in ("attachments", "map") or "HX-Request" in request.headers
    return None if is_part else redirect(request.full_path.rstrip("?"))


def is_replayed(endpoint: str) -> bool:
    blueprint, _, name = endpoint.partition(".")
    return name in REPLAYED.get(blueprint, "").split()


def replayed() -> dict[str, Any] | None:
    """What the band stands on; None where the present is shown."""
    past: Past | None = g.get("past")
    incident = getattr(g, "incident", None)
    if past is None or incident is None:
        return None
    now = shell.present().clock()
    path = request.full_path.rstrip("?") if request.method == "GET" else f"/incidents/{incident.id}"
    stands = past.view.at - past.view.at % STEP_MS
    begun = min(_begun(incident), stands)
    return {
        "at": past.view.at,
        "of": past.view.of,
        "missing": past.missing,
        "path": path,
        "begun": begun,
        "end": _end(now),
        "step": STEP_MS,
        "stands": stands,
        "jumps": [(minutes, _at(past.view, minutes, begun, now) + path) for minutes in JUMPS_MIN],
        "go": shell.address("replay.go", incident_id=incident.id),
        "show": shell.address("replay.show", incident_id=incident.id),
    }


def _at(view: View, minutes: int, begun: int, now: int) -> str:
    return prefix_of(View(min(max(view.at + minutes * 60_000, begun), now), view.of))


def _begun(incident: Record) -> int:
    """When there was something to be seen first: a full minute, as all that the slider stops at."""
    begun = min(int(incident["opened_at"] or incident.created_at), incident.created_at)
    return begun - begun % STEP_MS


def _end(now: int) -> int:
    """The slider's end: the full minute that is not over yet, which leads to the present."""
    return now + -now % STEP_MS
