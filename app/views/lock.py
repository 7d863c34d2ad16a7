"""The locked screen: by itself after five minutes without a touch, or by one tap. The node goes on receiving.

A locked session sees only how much waits and whether it is urgent. It is opened by the person's own passphrase, within
ten tries; 交代 ends it (``views/login``).
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, current_app, flash, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from app import messages
from app.errors import RateLimited
from app.people.roster import Person
from app.permissions import permission, public
from app.queries import lock as queries
from app.queries import orders
from app.views import shell
from app.views.session import door_of, session_here

pages = Blueprint("lock", __name__, url_prefix="/lock")


@pages.post("/now")
@permission("settings", "edit")
def now() -> ResponseReturnValue:
    """One tap in the header."""
    token = session["token"]
    _people().sessions.lock(token)
    current_app.extensions["live"].lock(token)
    session["back"] = shell.own_path(request.form.get("back"), url_for("incidents.home"))
    answer = redirect(url_for(".show"), 303)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@pages.post("/alive")
@permission("settings", "edit")
def alive() -> ResponseReturnValue:
    """Somebody touches a page that asks for nothing: the request itself keeps the session alive."""
    return "", 204


@pages.get("/state")
@public
def state() -> Response:
    """For the page's timer: whether it is locked, else in how many seconds it will be."""
    here = session_here()
    open_here = here is not None and here.open
    left = here.locks_in_ms // 1000 if here is not None and here.locks_in_ms is not None else None
    return jsonify(locked=not open_here, locks_in_s=left if open_here else None)


@pages.get("")
@public
def show() -> ResponseReturnValue:
    here = session_here()
    if here is None or not here.locked:
        return redirect(url_for("incidents.home" if here is not None and here.open else door_of(here)))
    if "back" in request.args:
        session["back"] = shell.own_path(request.args["back"], url_for("incidents.home"))
    current_app.extensions["live"].lock(session["token"])
    return _page(here, "")


@pages.get("/waiting")
@public
def waiting() -> ResponseReturnValue:
    """How much waits, without a word of it; asked again at each doorbell."""
    here = session_here()
    person = _people().roster.person(here.user_id) if here is not None else None
    if here is None or person is None or not here.locked:
        return Response(status=401, headers={"HX-Redirect": url_for(".show")})
    return render_template("lock/_waiting.html", waiting=_waiting(person))


@pages.post("")
@public
def unlock() -> ResponseReturnValue:
    here, token = session_here(), session.get("token")
    if here is None or token is None or not here.locked:
        return redirect(url_for(".show"), 303)
    person = _people().roster.person(here.user_id)
    try:
        fits = person is not None and _people().unlocks(person, request.form.get("passphrase", ""))
    except RateLimited:
        return _page(here, str(messages.LOGIN_WAIT)), 429
    if person is not None and fits:
        _people().sessions.unlock(token)
        current_app.extensions["live"].cut(token)  # its pages come back with sockets of their own
        return redirect(shell.own_path(session.pop("back", None), url_for("incidents.home")), 303)
    if person is not None and _people().sessions.count_try(token):
        return _page(here, str(messages.UNLOCK_WRONG)), 401
    current_app.extensions["live"].cut(token)
    session.clear()
    flash(messages.LOCKED_OUT, "danger")
    return redirect(url_for("login.show"), 303)


def _people() -> Any:
    return current_app.extensions["accounts"]


def _waiting(person: Person) -> queries.Waiting:
    me = orders.Me.of(person.id, person.team, shell.node().node_id)
    return queries.waiting(shell.db(), person, me)


def _page(here: Any, fault: str) -> str:
    person = _people().roster.person(here.user_id)
    counted = _waiting(person) if person else None
    return render_template("lock/show.html", person=person, waiting=counted, fault=fault, live_page=True)
