"""Letting a device in from a page: a code as QR and in letters, six digits to compare, and a person's yes or no."""

from __future__ import annotations

import uuid
from typing import Any

import segno
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from app import enrol_codes, enrol_link, enrol_requests
from app.enrol_link import Link
from app.permissions import permission
from app.views import shell

pages = Blueprint("enrolments", __name__, url_prefix="/devices/enrolments")


@pages.post("")
@permission("nodes", "create")
def create() -> ResponseReturnValue:
    made = enrol_codes.make_code(shell.node(), author=current_user.id, approval=True)
    return redirect(url_for(".show", code_id=made.id), 303)


@pages.get("/<code_id>")
@permission("nodes", "create")
def show(code_id: str) -> str:
    row = enrol_codes.made(shell.node(), code_id)
    code = enrol_codes.text_of(shell.node(), row)
    link = Link(enrol_link.addresses(shell.node().settings, request.host), code)
    return render_template("enrolments/show.html", link=link, drawing=_drawing(link.text()), **_sheet(code_id))


@pages.get("/<code_id>/state")
@permission("nodes", "create")
def state(code_id: str) -> str:
    return render_template("enrolments/_state.html", **_sheet(code_id))


@pages.post("/<code_id>/approval")
@permission("nodes", "create")
def approve(code_id: str) -> ResponseReturnValue:
    node_id = current_app.extensions["enrol_door"].approve(code_id, request.form.get("short_code", ""), current_user.id)
    return redirect(url_for("nodes.show", node_id=uuid.UUID(hex=node_id)), 303)


@pages.post("/<code_id>/refusal")
@permission("nodes", "create")
def refuse(code_id: str) -> ResponseReturnValue:
    current_app.extensions["enrol_door"].refuse(code_id, current_user.id)
    return redirect(url_for(".show", code_id=code_id), 303)


def _sheet(code_id: str) -> dict[str, Any]:
    asked = enrol_requests.request_of(shell.node(), code_id)
    minutes = max(0, -(-(asked.expires_at - shell.node().clock()) // 60_000))
    device = uuid.UUID(hex=asked.node_id) if asked.state == "approved" else None
    return {"code_id": code_id, "asked": asked, "minutes": minutes, "device": device}


def _drawing(text: str) -> Markup:
    """The QR code as a drawing in the page: nothing is fetched, and no style stands in it."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(scale=4, omitsize=True, svgclass="qr")
    # Numbers of squares: the text itself is not in it.
    return Markup(drawn)  # nosec B704
