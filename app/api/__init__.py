"""The HTTP API, version 1. ``register_api`` puts it on the Flask app; one module a noun.

Before: ``factory`` made the app and its ``accounts``. A request passes ``security`` (who, and may they),
then its collection; every error becomes a problem document in ``views/error_pages.py``.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask

from app.api import (
    attachments,
    bulletins,
    channels,
    chat_messages,
    chronicle,
    conflicts,
    contradictions,
    damage_reports,
    delivery,
    exports,
    handover_notes,
    hazard,
    head_counts,
    hq_meeting_decisions,
    hq_meetings,
    incidents,
    instruction_replies,
    instructions,
    layers,
    muster_replies,
    musters,
    nodes,
    openapi,
    patrol_points,
    patrol_tracks,
    patrols,
    report_phrases,
    security,
    set_asides,
    shelter_openings,
    shelters,
    staff,
    status,
    teams,
    totals,
    users,
)
from app.api.collection import Collection
from app.permissions import permission

_NOUNS = (
    incidents,
    damage_reports,
    report_phrases,
    channels,
    chat_messages,
    instructions,
    instruction_replies,
    chronicle,
    musters,
    muster_replies,
    teams,
    users,
    staff,
    nodes,
    shelters,
    shelter_openings,
    head_counts,
    patrols,
    patrol_points,
    patrol_tracks,
    bulletins,
    handover_notes,
    set_asides,
    hq_meetings,
    hq_meeting_decisions,
    layers,
)


def register_api(app: Flask, node: Any) -> Blueprint:
    """Every address of the API on ``app``. The blueprint is returned so that forms' CSRF can leave it out."""
    blueprint = Blueprint("api", __name__)
    blueprint.before_request(lambda: security.check_request(app))
    collections = [noun.collection(node) for noun in _NOUNS]
    for collection in collections:
        _add(blueprint, collection)
    exports.register(blueprint, node, collections)
    for module in (attachments, status, conflicts, contradictions, totals, delivery, hazard, openapi):
        module.register(blueprint, node)
    app.register_blueprint(blueprint)
    return blueprint


def _add(blueprint: Blueprint, collection: Collection) -> None:
    name, path = collection.kind.table, f"/api/v1/{collection.name}"
    views: list[tuple[str, str, str, str, Any]] = [
        ("list", path, "GET", "read", collection.list),
        ("show", f"{path}/<record_id>", "GET", "read", collection.show),
        ("history", f"{path}/<record_id>/history", "GET", "read", collection.history),
    ]
    if collection.noun is not None:
        views.append(("create", path, "POST", "create", collection.create))
        if not collection.kind.entry:
            views.append(("change", f"{path}/<record_id>", "PATCH", "edit", collection.change))
    for what, rule, method, action, view in views:
        marked = permission(collection.name, action)(_function(view))  # type: ignore[arg-type]
        blueprint.add_url_rule(rule, f"{name}_{what}", marked, methods=[method])


def _function(method: Any) -> Any:
    """A bound method as a function of its own, which can carry the mark."""
    return lambda **arguments: method(**arguments)
