"""Shift envelopes (封筒): sheets of one-time codes for this device, printed once, with what was used of them."""

from __future__ import annotations

import uuid
from typing import Any

import uuid6
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions
from app.errors import Conflict, Invalid
from app.people import envelopes
from app.permissions import permission

pages = Blueprint("envelopes", __name__, url_prefix="/envelopes")


@pages.get("")
@permission("envelopes", "read")
def index() -> str:
    return _page({"_id": str(uuid6.uuid7()), "count": "10", "days": "3"}, {})


@pages.post("")
@permission("envelopes", "create")
def create() -> ResponseReturnValue:
    """The sheet is the answer: its codes are shown this once, and a page that is sent again makes no second one."""
    typed = request.form
    try:
        envelope_id = str(uuid.UUID(typed.get("_id", "")))
        codes = _envelopes().make(
            envelope_id, current_user, typed.get("title", ""), typed.get("role", ""), _number(typed, "count"),
            _number(typed, "days"),
        )  # fmt: skip
    except Conflict:
        return redirect(url_for(".index"), 303)
    except (Invalid, ValueError) as error:
        return _page(typed, messages.faults_of(error)), 422
    return render_template("envelopes/sheet.html", envelope=_envelopes().get(envelope_id), codes=codes)


@pages.post("/<uuid:envelope_id>/end")
@permission("envelopes", "create")
def end(envelope_id: uuid.UUID) -> ResponseReturnValue:
    if _envelopes().get(str(envelope_id)) is None:
        abort(404)
    _envelopes().end(str(envelope_id))
    flash(messages.ENVELOPE_ENDED, "ok")
    return redirect(url_for(".index"), 303)


def _envelopes() -> Any:
    return current_app.extensions["accounts"].envelopes


def _number(typed: Any, name: str) -> int:
    text = typed.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 3 else 0


def _page(typed: Any, faults: dict[str, str]) -> str:
    roles = [role for role in envelopes.ROLES if permissions.may_vouch(current_user.role, role)]
    return render_template(
        "envelopes/index.html", envelopes=_envelopes().listed(), typed=typed, faults=faults, roles=roles
    )
