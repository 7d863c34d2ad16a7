"""Logging in on this node: name and passphrase, or for the first time a one-time code that sets the passphrase."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages
from app.errors import Invalid, RateLimited, Unauthenticated
from app.permissions import public
from app.views import shell

pages = Blueprint("login", __name__)


@pages.get("/login")
@public
def show() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("incidents.home"))
    if not shell.node().enrolled:  # nobody can have an account here yet
        return redirect(url_for("join.show"))
    return render_template("login/show.html", typed=request.args, faults={}, first_time=False)


@pages.post("/login")
@public
def enter() -> ResponseReturnValue:
    typed = request.form
    try:
        person = _people().login(typed.get("name", "").strip(), typed.get("passphrase", ""))
    except RateLimited:
        return _again(typed, str(messages.LOGIN_WAIT), 429)
    except (Unauthenticated, Invalid):
        return _again(typed, str(messages.LOGIN_WRONG), 401)
    return _begin(person)


@pages.get("/login/first")
@public
def first() -> str:
    return render_template("login/show.html", typed=request.args, faults={}, first_time=True)


@pages.post("/login/first")
@public
def redeem() -> ResponseReturnValue:
    """The code came from HQ or the administrator, works once, and makes the verifier on this device only."""
    typed = request.form
    try:
        person = _people().redeem_login_code(
            typed.get("code", "").strip(), typed.get("name", "").strip(), typed.get("passphrase", "")
        )
    except RateLimited:
        return _again(typed, str(messages.LOGIN_WAIT), 429, True)
    except Unauthenticated:
        return _again(typed, str(messages.LOGIN_CODE_WRONG), 401, True)
    except Invalid as error:
        return _again(typed, next(iter(messages.faults_of(error).values())), 422, True)
    return _begin(person)


@pages.post("/logout")
@public
def leave() -> ResponseReturnValue:
    token = session.pop("token", None)
    if token:
        _people().end_session(token)
        current_app.extensions["live"].cut(token)
    session.clear()
    flash(messages.LOGGED_OUT, "plain")
    answer = redirect(url_for(".show"), 303)
    # Pages of the one before must not come back by the button of the browser; what is typed and unsent stays.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _people() -> Any:
    return current_app.extensions["accounts"]


def _begin(person: Any) -> ResponseReturnValue:
    """A new cookie for a new person: nothing of the one before is kept."""
    last = session.get("incident_id")
    session.clear()
    session["token"] = _people().open_session(person.id)
    if last:
        session["incident_id"] = last
    session.permanent = False
    return redirect(shell.own_path(request.form.get("back"), url_for("incidents.home")), 303)


def _again(typed: Any, why: str, status: int, first_time: bool = False) -> ResponseReturnValue:
    page = render_template("login/show.html", typed=typed, faults={"name": why}, first_time=first_time)
    return page, status
