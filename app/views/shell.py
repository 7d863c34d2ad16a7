"""What every page stands in: the node, the incident it belongs to, the sync badge, palette, text size, language.

Before: ``factory.py`` registers this. After: the views of the nouns, whose templates extend ``base.html``.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import uuid
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, flash, g, redirect, request, session, url_for
from flask_babel import get_locale
from flask_login import current_user
from markupsafe import Markup, escape

from app import catalog, permissions, words
from app.errors import NotFound
from app.messages import error_words, hub_fault
from app.queries import (
    bulletins,
    conflicts,
    doubles,
    handover_notes,
    incidents,
    joins,
    ladder,
    nodes,
    orders,
    patrols,
    report_rows,
    talk,
    teams,
    users,
)
from app.queries import musters as muster_queries
from app.queries.row import Record
from app.queries.sync_status import SyncState, sync_state
from app.views import saying

PALETTES = ("standard", "night", "outdoor")
TEXT_SIZES = ("100", "125", "150", "200")
LANGUAGES = ("ja", "en")
KEYS = ("on", "off")
COOKIE_SECONDS = 400 * 24 * 3600
RECEIVED_KNOWN_MAX = 5000
SEALED_AT_ALL_TIMES = ("damage-report-people", "muster-safety", "staff-contacts", "sealed-reads")


def node() -> Any:
    """The node this process runs, or, where an earlier time is shown, the node as it was then."""
    return g.get("past") or present()


def present() -> Any:
    """The node as it is now."""
    return current_app.extensions["tomoshibi"]


def db() -> Any:
    """A connection to read from, for this request."""
    return node().reader()


def asked_words() -> str:
    """The words that a list is searched for."""
    return words.unseal(node().keys.data_key, request.args.get("words", ""))


def browser_key() -> str:
    """What the signed-in person's browser seals with whatever it keeps; the browser itself keeps no key."""
    whose = b"tomoshibi browser key\0" + current_user.id.encode()
    return base64.b64encode(hashlib.blake2b(whose, key=node().keys.data_key, digest_size=32).digest()).decode()


def write(*changes: Any, local: Any = None) -> Any:
    """Record what the signed-in person wrote; returns when it is durable. ``local`` runs in the same transaction."""
    return node().write(list(changes), current_user.id, local)


def sent(form: str) -> None:
    """The next page tells the browser that this form was taken: what it keeps of it is gone."""
    flash(form, "draft")


def may(action: Any, collection: str) -> bool:
    """Whether the signed-in person's role allows this (buttons are drawn by it; the gate in factory.py refuses)."""
    return bool(current_user.is_authenticated) and _may_of(current_user.role, "past" in g)(action, collection)


def _may_of(role: str, past: bool) -> Any:
    """``may`` of one role, for the templates: rows ask it, some hundred times a page."""

    def may(action: Any, collection: str) -> bool:
        if past and (action != "read" or collection in SEALED_AT_ALL_TIMES):
            return False  # nothing is written into the past, and nothing sealed is opened in it
        return permissions.allowed(role, action, collection)

    return may


def incident_here(incident_id: uuid.UUID) -> Record:
    """The incident in the path; the page is drawn as one of it (drill band, menu)."""
    incident = incidents.get(db(), str(incident_id))
    if incident is None:
        if "past" in g:
            hint = "Choose a later time."
            raise NotFound("not_known_then", "This incident was not known at that time.", hint)
        abort(404)
    g.incident = incident
    if session.get("incident_id") != incident.id:  # a cookie written for nothing brings back what another answer took
        session["incident_id"] = incident.id
    return incident


def of_incident(incident: Record, found: Record) -> bool:
    """Whether a record is of the incident in the path. One of an incident that is the same is asked for there instead:

    what is written to it stays in its own scope, also when the two are parted again. 308 keeps a form's content.
    """
    if found.incident_id == incident.id:
        return True
    if not joins.covers(db(), incident.id, found):
        return False
    path = url_for(str(request.endpoint), **{**(request.view_args or {}), "incident_id": found.incident_id})
    query = request.query_string.decode("ascii", "replace")
    abort(redirect(f"{path}?{query}" if query else path, 308))


def own_path(path: str | None, otherwise: str) -> str:
    """A path of this node to go back to, never another site's address."""
    parts = urlsplit(path or "")
    if not path or parts.scheme or parts.netloc or not path.startswith("/") or path.startswith(("//", "/\\")):
        return otherwise
    return path


def address(endpoint: str, **values: Any) -> str:
    """The address of what is the same at any time, also on a page that shows an earlier one."""
    return url_for(endpoint, **values).removeprefix(request.script_root)


def this_page() -> str:
    """The address of the page that is drawn, to come back to it; the first page where it was no question."""
    if request.method != "GET":
        return address("incidents.home")
    return request.script_root + request.full_path.rstrip("?")


def register_shell(app: Flask) -> None:
    app.context_processor(_context)
    saying.register(app, lambda: node().clock())


def _context() -> dict[str, Any]:
    signed_in = bool(current_user and current_user.is_authenticated)
    incident = getattr(g, "incident", None) or (_last_incident() if signed_in else None)
    return {
        "node": node(),
        "incident": incident,
        "is_drill": bool(incident and incident["mode"] != "real"),
        "sync": sync_here() if signed_in else None,
        "browser_key": browser_key() if signed_in else "",
        "names": names_here() if signed_in else None,
        "menu": _menu_counts(incident) if signed_in and incident else {},
        "patrol_now": patrol_now() if signed_in else None,
        "palette": chosen_palette(),
        "text_size": _cookie("tomoshibi_text", TEXT_SIZES),
        "keys": _cookie("tomoshibi_keys", KEYS) or "on",
        "language": str(get_locale() or "ja"),
        "vendor": vendor,
        "asset": asset,
        "icon": icon,
        "mark": mark,
        "catalog": catalog,
        "error_words": error_words,
        "hub_fault": hub_fault,
        "may": _may_of(current_user.role, "past" in g) if signed_in else may,
        "now_ms": node().clock(),
        "report_number": lambda report_id: doubles.number(db(), str(report_id)),
        "present_ms": present().clock(),
        "this_page": this_page,
    }


def sync_here() -> SyncState:
    if "sync_state" not in g:
        g.sync_state = sync_state(present())
    return g.sync_state


@dataclass(frozen=True, slots=True)
class Names:
    """Names of people, teams and nodes for the rows of a page: small tables, read once a page."""

    users: dict[str, Record]
    teams: dict[str, str]
    nodes: dict[str, Record]
    me: str

    def user(self, user_id: str | None) -> str:
        user = self.users.get(user_id or "")
        return user["name"] if user else ""

    def role(self, user_id: str | None) -> str:
        user = self.users.get(user_id or "")
        return (user["role"] or "") if user else ""

    def people(self) -> list[tuple[str, str]]:
        """(id, name) of those who can be given something."""
        return [(id_, user["name"]) for id_, user in self.users.items() if user["active"] is not False]

    def team(self, team_id: str | None) -> str:
        return self.teams.get(team_id or "", "")

    def channel(self, channel: Record) -> str:
        """The name of a channel as this person sees it: of two persons' channel, the other's."""
        standing, members = channel["standing"], channel["members"]
        if standing == "direct":
            return "・".join(name for one in members if one != self.me and (name := self.user(one))) or channel["name"]
        if standing == "team":
            return self.team(next(iter(members), None)) or channel["name"]
        return saying.word(standing, "standing_channels") if standing in ("all", "hq") else channel["name"] or ""

    def label(self, node_id: str | None) -> str:
        """The short name of a node, as on its number plate: ``T07``."""
        node = self.nodes.get(node_id or "")
        return (node["label"] if node else None) or (node_id or "")[:4]


def names_here() -> Names:
    if "names" not in g:
        here = db()
        g.names = Names(
            {user.id: user for user in users.listed(here)},
            teams.names(here),
            {uuid.UUID(node.id).hex: node for node in nodes.listed(here)},
            current_user.id,
        )
    return g.names


def _last_incident() -> Record | None:
    """Pages outside an incident (sync, settings) keep the menu, and the band, of the one last seen."""
    last = session.get("incident_id")
    if not last or request.endpoint in ("incidents.index", "incidents.new", "incidents.create"):
        return None
    return incidents.get(db(), last)


def patrol_now() -> Record | None:
    """The running round whose way this browser records for the person who is signed in."""
    patrol_id, whose = session.get("patrol") or (None, None)
    if patrol_id is None or whose != current_user.id or "past" in g:
        return None
    found = patrols.get(db(), patrol_id)
    return found if found is not None and patrols.state_of(found) == "running" else None


def _menu_counts(incident: Record) -> dict[str, Any]:
    here = db()
    me = orders.Me.of(current_user.id, current_user.team, node().node_id)
    return {
        "orders": orders.waiting(here, incident.id, me),
        **(_stuck(incident) if may("create", "instructions") else {"unheard": [], "refused": []}),
        "musters": muster_queries.waiting(here, incident.id, users.get(here, current_user.id)),
        "open": report_rows.total(here, incident.id, report_rows.Narrowed(groups=("open",))),
        "bulletins": bulletins.unread(here, incident.id, current_user.id),
        "unread": talk.unread_count(here, incident.id, current_user),
        "handovers": handover_notes.waiting(here, incident.id, me),
        "conflicts": conflicts.counted(
            here, incident.id, conflicts.Sight(current_user.id, current_user.team, current_user.role)
        ),
    }


def _stuck(incident: Record) -> dict[str, Any]:
    """Instructions that HQ must call or decide about: somebody has not acknowledged them, or can't."""
    settings, now = node().settings, node().clock()
    urgent, normal = (now - minutes * 60_000 for minutes in (settings.call_after_urgent, settings.call_after_normal))
    return {
        "unheard": orders.unheard(db(), incident.id, urgent, normal),
        "refused": [one.instruction for one in ladder.refused(db(), incident.id, node().here())],
    }


def _cookie(name: str, allowed: tuple[str, ...]) -> str | None:
    value = request.cookies.get(name)
    return value if value in allowed else None


def chosen_palette() -> str | None:
    return _cookie("tomoshibi_palette", PALETTES)


def choose_language() -> str:
    return _cookie("tomoshibi_language", LANGUAGES) or "ja"


@cache
def _vendor_manifest() -> dict[str, str]:
    path = Path(__file__).parent.parent / "static" / "vendor" / "manifest.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


def vendor(name: str) -> str:
    """The address of a fetched package's file; its version stands in the path."""
    return address("static", filename=f"vendor/{_vendor_manifest()[name]}")


def asset(filename: str) -> str:
    """The address of a file of our own."""
    known: dict[str, str] = current_app.extensions.setdefault("tomoshibi_assets", {})
    if filename not in known:  # a page asks for some 150 icons, and each address would be built anew
        known[filename] = address("static", filename=filename)
    return known[filename]


def icon(name: str, classes: str = "") -> Markup:
    return _use(name, f"icon {classes}")


def mark(name: str, classes: str = "") -> Markup:
    return _use(f"m-{name}", f"mark {classes}")


def _use(name: str, classes: str) -> Markup:
    return _drawing(name, classes.strip(), asset("icons.svg"))


@functools.lru_cache(maxsize=1_000)
def _drawing(name: str, classes: str, sheet: str) -> Markup:
    return Markup('<svg class="{}" viewBox="0 0 24 24" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        escape(classes), sheet, name
    )


def unsent_ids() -> set[str]:
    """Ids of own records that the hub has not receipted: rows of a list are marked by it."""
    if "unsent_ids" not in g:
        g.unsent_ids = {record["id"] for record in node().unsent_records()}
    return g.unsent_ids


def received_at(kind: str, scope: bytes, record_id: str) -> int | None:
    """When an entry came to this node (ms). It never changes, so it is asked of the log once."""
    known: dict[str, int | None] = current_app.extensions["tomoshibi_received"]
    if record_id not in known:
        if len(known) >= RECEIVED_KNOWN_MAX:
            known.clear()
        lines = node().history(kind, scope, record_id)
        known[record_id] = lines[0].get("received_at") if lines else None
    return known[record_id]
