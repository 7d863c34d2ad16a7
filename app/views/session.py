"""Who is at this browser, and the one gate that every page passes.

Before: ``factory.py`` hangs it. A view carries its row of ``permissions``; one without a row is never shown. After: the
views find the person in Flask-Login's ``current_user``. A session that is locked, or waits for its second factor, is
nobody's to the gate: it is led to the page that opens it.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user

from app import accounts, permissions
from app.errors import Unauthenticated
from app.people import sessions
from app.people.sessions import Session

OWN_DOORS = ("api", "enrol")  # blueprints that prove the caller themselves, without a cookie
BACKGROUND = "X-Tomoshibi-Background"  # on what a page asks by itself: nobody touched it, so it keeps nothing alive


def know_people(app: Flask, node: Any) -> None:
    """The cookie holds a token of this node's session table; the gate asks the view's row in ``permissions``."""
    manager = LoginManager(app)
    manager.session_protection = None
    app.extensions["accounts"] = people = accounts.Accounts(node)

    @manager.request_loader
    def person(_: Any) -> Any:
        here = session_here()
        found = people.roster.person(here.user_id) if here is not None and here.open else None
        return SignedIn(found) if found else None

    @app.before_request
    def gate() -> ResponseReturnValue | None:
        if request.endpoint is None or is_own_door(request.blueprint) or request.endpoint == "static":
            return None
        mark = permissions.mark_of(app.view_functions.get(request.endpoint))
        if mark == permissions.PUBLIC:
            return None
        if not current_user.is_authenticated:
            return _ask_to_log_in()
        if mark is None:
            raise LookupError(f"{request.endpoint} declares no permission")
        collection, action = mark
        permissions.require(current_user, action, collection)  # type: ignore[arg-type]
        return None


class SignedIn:
    """A Person, as Flask-Login wants one."""

    is_authenticated = is_active = True
    is_anonymous = False

    def __init__(self, person: Any) -> None:
        self.id, self.name, self.role, self.team = person.id, person.name, person.role, person.team

    def get_id(self) -> str:
        return str(self.id)


def session_here() -> Session | None:
    """The session of this request's cookie, whatever its stage; asked once a request."""
    if "people_session" not in g:
        token = session.get("token")
        people, touch = current_app.extensions["accounts"], BACKGROUND not in request.headers
        g.people_session = (
            people.sessions.find(token, touch=touch, peer=sessions.peer_of(request.environ)) if token else None
        )
    found: Session | None = g.people_session
    return found


def door_of(here: Session | None) -> str:
    """The endpoint of the page that opens a session of this stage."""
    if here is None:
        return "login.show"
    if here.stage == sessions.SECOND:
        return "second_factor.ask"
    if here.stage == sessions.ENROL:
        return "second_factor.setup"
    return "lock.show" if here.locked else "login.show"


def _ask_to_log_in() -> ResponseReturnValue:
    """A page is asked again after the login; a fragment tells the page to go there."""
    door = door_of(session_here())
    if request.headers.get("HX-Request"):
        # A fragment that was under way while somebody handed over must not take the names away from who comes next.
        door = "login.people" if door == "login.show" and "switching_at" in session else door
        return Response(status=401, headers={"HX-Redirect": url_for(door)})
    if request.method != "GET":
        if door == "lock.show":
            raise Unauthenticated("locked", "The screen is locked.", "Unlock it first.")
        raise Unauthenticated("unauthenticated", "Log in first.", "Open the login page.")
    return redirect(url_for(door, back=request.script_root + request.full_path.rstrip("?")))


def is_own_door(blueprint: str | None) -> bool:
    return (blueprint or "").partition(".")[0] in OWN_DOORS
