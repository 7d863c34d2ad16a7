"""Logging in on this node: name and passphrase, or for the first time a one-time code that sets the passphrase.

After: a session, open at once or at the stage that ``accounts.stage_for`` says. 交代 ends the one before and shows who
has a login on this device.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import messages
from app.errors import Conflict, Invalid, RateLimited, Unauthenticated
from app.people import sessions
from app.permissions import public
from app.views import shell
from app.views.session import door_of, session_here

pages = Blueprint("login", __name__)
SWITCH_MS_MAX = 10 * 60_000  # so long the names are shown to a browser in which somebody was logged in


@pages.get("/login")
@public
def show() -> ResponseReturnValue:
    if current_user.is_authenticated:
        return redirect(url_for("incidents.home"))
    if _people().codes.is_first_start() and "name" not in request.args:
        return redirect(url_for(".first"))
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
    return begin(person)


@pages.get("/login/first")
@public
def first() -> str:
    return _first_page(request.args)


@pages.post("/login/first")
@public
def redeem() -> ResponseReturnValue:
    """The code came from HQ or an envelope, works once, and makes the verifier on this device only."""
    typed = request.form
    try:
        person = _people().redeem_login_code(
            typed.get("code", "").strip(), typed.get("name", "").strip(), typed.get("passphrase", "")
        )
    except RateLimited:
        return _again(typed, str(messages.LOGIN_WAIT), 429, True)
    except Unauthenticated:
        return _again(typed, str(messages.LOGIN_CODE_WRONG), 401, True)
    except Conflict:
        return _again(typed, str(messages.NAME_TAKEN), 409, True)
    except Invalid as error:
        return _again(typed, next(iter(messages.faults_of(error).values())), 422, True)
    return begin(person)


@pages.post("/logout")
@public
def leave() -> ResponseReturnValue:
    _end()
    flash(messages.LOGGED_OUT, "plain")
    return _without_a_trace(redirect(url_for(".show"), 303))


@pages.post("/switch")
@public
def switch() -> ResponseReturnValue:
    """交代: the first tap. The one before is logged out before a name is shown."""
    was_here = session_here() is not None
    _end()
    if was_here:
        session["switching_at"] = _people().clock.now()
    return _without_a_trace(redirect(url_for(".people"), 303))


@pages.get("/login/people")
@public
def people() -> ResponseReturnValue:
    """The second tap: a name. Shown only where somebody has just handed over, not to whoever finds the address."""
    since = session.get("switching_at")
    if since is None or not 0 <= _people().clock.now() - since <= SWITCH_MS_MAX:
        return redirect(url_for(".show"))
    return render_template("login/people.html", people=_people().roster.known_here())


def begin(person: Any, *, passed: bool = False) -> ResponseReturnValue:
    """A new cookie for a new person: nothing of the one before is kept. ``passed``: the second factor, too."""
    last, back = session.get("incident_id"), session.get("back") or request.form.get("back")
    _end()
    stage = None if passed else _people().stage_for(person)
    session["token"] = _people().open_session(person.id, stage=stage, peer=sessions.peer_of(request.environ))
    if last:
        session["incident_id"] = last
    session.permanent = False
    if stage is not None:
        session["back"] = back
        found = _people().sessions.find(session["token"], touch=False)
        return redirect(url_for(door_of(found)), 303)
    return redirect(shell.own_path(back, url_for("incidents.home")), 303)


def _end() -> None:
    token = session.get("token")
    if token:
        _people().end_session(token)
        current_app.extensions["live"].cut(token)
    session.clear()


def _without_a_trace(answer: Any) -> ResponseReturnValue:
    # Pages of the one before must not come back by the button of the browser; what is typed and unsent stays.
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


def _people() -> Any:
    return current_app.extensions["accounts"]


def _first_page(typed: Any, faults: dict[str, str] | None = None) -> str:
    founding = _people().codes.is_first_start()
    return render_template("login/show.html", typed=typed, faults=faults or {}, first_time=True, founding=founding)


def _again(typed: Any, why: str, status: int, first_time: bool = False) -> ResponseReturnValue:
    if first_time:
        return _first_page(typed, {"name": why}), status
    return render_template("login/show.html", typed=typed, faults={"name": why}, first_time=False), status
