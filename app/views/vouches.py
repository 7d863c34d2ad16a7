"""Vouching (保証): somebody who is logged in lets a colleague in who stands beside them, on this device only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages, permissions
from app.errors import Conflict, Invalid, RateLimited, Unauthenticated
from app.permissions import permission

pages = Blueprint("vouches", __name__, url_prefix="/vouches")


@pages.get("/new")
@permission("vouches", "create")
def new() -> str:
    return _page(request.args, {})


@pages.post("")
@permission("vouches", "create")
def create() -> ResponseReturnValue:
    """Two passphrases: of the one who vouches, and the new one of the colleague."""
    typed = request.form
    try:
        people: Any = current_app.extensions["accounts"]
        people.vouch(
            current_user, typed.get("own_passphrase", ""), typed.get("name", "").strip(), typed.get("role", ""),
            typed.get("passphrase", ""),
        )  # fmt: skip
    except RateLimited:
        return _page(typed, {"own_passphrase": str(messages.LOGIN_WAIT)}), 429
    except Unauthenticated:
        return _page(typed, messages.fault_in("own_passphrase")), 422
    except Conflict as error:
        return _page(typed, {"name": str(messages.NAME_TAKEN)}), error.status
    except Invalid as error:
        return _page(typed, messages.faults_of(error)), error.status
    flash(messages.VOUCHED_FOR, "ok")
    return redirect(url_for(".new"), 303)


def _page(typed: Any, faults: dict[str, str]) -> str:
    roles = permissions.VOUCHES.get(current_user.role, ())
    return render_template("vouches/new.html", typed=typed, faults=faults, roles=roles)
