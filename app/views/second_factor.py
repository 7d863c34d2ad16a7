"""The second factor of HQ (二要素認証): asked after the passphrase, set up once on each machine, ten codes on paper."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from app import messages
from app.errors import Conflict, Invalid, RateLimited, Unauthenticated
from app.people import sessions
from app.permissions import permission, public
from app.views.login import begin
from app.views.session import door_of, session_here

pages = Blueprint("second_factor", __name__, url_prefix="/second-factor")


@pages.get("")
@public
def ask() -> ResponseReturnValue:
    if _waiting(sessions.SECOND) is None:
        return _elsewhere()
    return render_template("second_factor/ask.html", fault="")


@pages.post("")
@public
def check() -> ResponseReturnValue:
    person = _waiting(sessions.SECOND)
    if person is None:
        return _elsewhere()
    try:
        _people().second_factor.check(person.id, request.form.get("code", ""))
    except (Unauthenticated, RateLimited) as error:
        return _wrong(error)
    return begin(person, passed=True)


@pages.get("/setup")
@public
def setup() -> ResponseReturnValue:
    """The QR code that waits to be confirmed; for who has set it up, what is there."""
    person = _whose()
    if person is None:
        return _elsewhere()
    return _setup_page(person, "")


@pages.post("/setup")
@public
def confirm() -> ResponseReturnValue:
    person = _whose()
    if person is None:
        return _elsewhere()
    enrolling = _waiting(sessions.ENROL) is not None
    try:
        codes = _people().second_factor.confirm(person.id, request.form.get("code", ""))
    except (Invalid, Conflict):
        return _setup_page(person, str(messages.SECOND_WRONG)), 422
    except RateLimited:
        return _setup_page(person, str(messages.SECOND_WAIT)), 429
    if enrolling:
        begin(person, passed=True)
    flash(messages.SECOND_DONE, "ok")
    return _sheet(person, codes)


@pages.post("/renewal")
@permission("second-factor", "edit")
def renew() -> ResponseReturnValue:
    """Another authenticator, or ten new codes: only for who still has one that works."""
    person = _whose()
    if person is None:
        return _elsewhere()
    factor = _people().second_factor
    try:
        factor.check(person.id, request.form.get("code", ""))
    except (Unauthenticated, RateLimited) as error:
        return _setup_page(person, _words(error)), 429 if error.status == 429 else 422
    if request.form.get("what") == "device":
        factor.begin(person.id, person.name)
        return redirect(url_for(".setup"), 303)
    return _sheet(person, factor.new_recovery_codes(person.id))


def _people() -> Any:
    return current_app.extensions["accounts"]


def _waiting(stage: str) -> Any:
    """The person whose session waits at this stage."""
    here = session_here()
    return _people().roster.person(here.user_id) if here is not None and here.stage == stage else None


def _whose() -> Any:
    """Whose second factor is set up here: of a session that waits for it, or of one that is open."""
    here = session_here()
    if here is None or here.locked or here.stage == sessions.SECOND:
        return None
    person = _people().roster.person(here.user_id)
    if person is not None and not _people().second_factor.may_have(person.role):
        abort(404)
    return person


def _elsewhere() -> ResponseReturnValue:
    here = session_here()
    return redirect(url_for("incidents.home" if here is not None and here.open else door_of(here)), 303)


def _wrong(error: Any) -> ResponseReturnValue:
    """After ten in a row the session has ended, too: then the passphrase is asked again."""
    token = session.get("token", "")
    if error.code == "wrong_second" and not _people().sessions.count_try(token):
        session.clear()
        flash(messages.LOCKED_OUT, "danger")
        return redirect(url_for("login.show"), 303)
    return render_template("second_factor/ask.html", fault=_words(error)), error.status


def _words(error: Any) -> str:
    words = {"clock_set_back": messages.CLOCK_SET_BACK, "too_many_tries": messages.SECOND_WAIT}
    return str(words.get(error.code, messages.SECOND_WRONG))


def _setup_page(person: Any, fault: str) -> str:
    factor = _people().second_factor
    there = factor.is_set_up(person.id)
    if there and not factor.is_pending(person.id):
        left = factor.codes_left(person.id)
        return render_template("second_factor/there.html", left=left, fault=fault)
    pending = factor.begin(person.id, person.name)
    return render_template(
        "second_factor/setup.html", pending=pending, picture=_qr(pending.address), fault=fault,
        needed=factor.must_have(person.role) and not there,
    )  # fmt: skip


def _sheet(person: Any, codes: list[str]) -> str:
    return render_template("second_factor/codes.html", codes=codes, person=person)


def _qr(text: str) -> Markup:
    """Drawn by us, as part of the page: no address that would have to be fetched."""
    import segno

    drawn = segno.make(text, error="m").svg_inline(scale=5, border=4, dark="#000", light="#fff", omitsize=True)
    # Numbers of squares: the text itself is not in it.
    return Markup(drawn)  # nosec B704
