"""Devices (端末): who has one, how each stands, and taking one out of the city."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, records, revoking
from app.errors import Invalid
from app.permissions import permission
from app.queries import nodes
from app.queries.nodes import Device
from app.records import etag, shape
from app.views import saying, shell

OWNED = ("owner", "call_by")

pages = Blueprint("nodes", __name__, url_prefix="/devices")


@pages.get("")
@permission("nodes", "edit")
def index() -> str:
    return render_template("nodes/index.html", devices=nodes.devices(shell.node()), issues=_issues())


@pages.get("/list")
@permission("nodes", "edit")
def listing() -> str:
    return render_template("nodes/_list.html", devices=nodes.devices(shell.node()))


@pages.get("/<uuid:node_id>")
@permission("nodes", "edit")
def show(node_id: uuid.UUID) -> str:
    found = _device(node_id)
    held = nodes.held(shell.db(), found.node_id)
    return render_template("nodes/show.html", device=found, held=held, issues=_issues(), faults={}, typed={})


@pages.post("/<uuid:node_id>/owner")
@permission("nodes", "edit")
def save_owner(node_id: uuid.UUID) -> ResponseReturnValue:
    """Only what was changed on this page is written: what somebody else has filled in meanwhile stays."""
    _device(node_id)
    typed = request.form
    changed = [name for name in OWNED if name in typed and typed[name].strip() != typed.get(f"_was_{name}", "")]
    if form := {name: typed[name].strip() or None for name in changed}:
        seen = etag.read_versions(request.form.get("versions", ""))
        shell.write(records.nodes.edit(node_id, records.CITY, form, seen))
        flash(messages.saved_here(shell.node()), "ok")
    else:
        flash(messages.NOTHING_CHANGED, "plain")
    return redirect(url_for(".show", node_id=node_id), 303)


@pages.get("/<uuid:node_id>/revocation")
@permission("nodes", "edit")
def ask_revocation(node_id: uuid.UUID) -> str:
    return _revocation(_device(node_id), {}, {})


@pages.post("/<uuid:node_id>/revocation")
@permission("nodes", "edit")
def revoke(node_id: uuid.UUID) -> ResponseReturnValue:
    """Out at once; what still counts of it is what the form says."""
    found, typed = _device(node_id), request.form
    faults = {name: messages.fault_in(name)[name] for name in _wrong(found, typed)}
    if faults:
        return _revocation(found, typed, faults), 422
    until = _moment(typed.get("until", "")) if typed.get("keep") == "until" else None
    reason = shape.text(shape.LINE_CHARS_MAX, lines=False)("reason", typed.get("reason", ""))
    revoking.revoke(shell.node(), found.node_id, until, reason, current_user.id)
    flash(messages.REVOKED, "ok")
    return redirect(url_for(".show", node_id=node_id), 303)


@pages.post("/<uuid:node_id>/acceptance")
@permission("nodes", "edit")
def accept(node_id: uuid.UUID) -> ResponseReturnValue:
    """What came of a revoked device since then counts after all: honest reports of a tablet that was found."""
    found = _device(node_id)
    revoking.accept(shell.node(), found.node_id, current_user.id)
    flash(messages.ACCEPTED, "ok")
    return redirect(url_for(".show", node_id=node_id), 303)


def _device(node_id: uuid.UUID) -> Device:
    found = nodes.device(shell.node(), str(node_id))
    if found is None:
        abort(404)
    return found


def _issues() -> bool:
    """Whether this node may let devices in and take them out."""
    certificate = shell.node().certificate
    return certificate is not None and "enrol" in certificate.capabilities


def _revocation(found: Device, typed: Any, faults: dict[str, str]) -> str:
    held = nodes.held(shell.db(), found.node_id)
    return render_template("nodes/revocation.html", device=found, held=held, typed=typed, faults=faults)


def _wrong(found: Device, typed: Any) -> list[str]:
    """The fields of the form that are missing or wrong."""
    wrong = [] if typed.get("keep") in ("all", "until") else ["keep"]
    if typed.get("keep") == "until" and _moment(typed.get("until", "")) is None:
        wrong.append("until")
    try:
        shape.text(shape.LINE_CHARS_MAX, lines=False)("reason", typed.get("reason", ""))
    except Invalid:
        wrong.append("reason")
    if typed.get("label", "").strip().upper() != found.node["label"].upper():
        wrong.append("label")
    return wrong


def _moment(text: str) -> int | None:
    """A time of the form, which is Japan's."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return int(moment.replace(tzinfo=saying.JST).timestamp() * 1000)
