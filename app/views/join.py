"""The page of a device that is not enrolled: where the hub is and its code, then six digits until somebody said yes.

Nobody can be logged in here yet. Once the device is enrolled these addresses only lead to the login.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import enrol, messages
from app.enrol_link import is_link
from app.errors import AppError, CommandFailed
from app.permissions import public
from app.views import shell

pages = Blueprint("join", __name__, url_prefix="/join")


@pages.get("")
@public
def show() -> ResponseReturnValue:
    if shell.node().enrolled:
        return redirect(url_for("login.show"))
    kept = enrol.waiting(shell.node())
    if kept is None or not kept.said:
        return _form({}, "")
    return render_template("join/waiting.html", waiting=kept, trouble="")


@pages.post("")
@public
def begin() -> ResponseReturnValue:
    typed = request.form
    if shell.node().enrolled:
        return redirect(url_for("login.show"), 303)
    code = typed.get("code", "").strip()
    try:
        enrol.enrol(shell.node(), None if is_link(code) else typed.get("hub", ""), code)
    except AppError as error:
        return _form(typed, messages.enrolment_words(error.code)), 422
    return redirect(url_for("login.first" if shell.node().enrolled else ".show"), 303)


@pages.get("/state")
@public
def state() -> ResponseReturnValue:
    """Ask the hub again; the page comes back here every two seconds."""
    if not shell.node().enrolled:
        try:
            enrol.go_on(shell.node())
        except CommandFailed as error:
            kept = enrol.waiting(shell.node())
            if kept is not None and kept.said:  # only out of reach: it is asked again
                words = messages.enrolment_words(error.code)
                return render_template("join/_waiting.html", waiting=kept, trouble=words)
            return _to(url_for(".ended", code=error.code))
        except AppError:
            return _to(url_for(".show"))
    if shell.node().enrolled:
        return _to(url_for("login.first"))
    return render_template("join/_waiting.html", waiting=enrol.waiting(shell.node()), trouble="")


@pages.get("/ended")
@public
def ended() -> ResponseReturnValue:
    if shell.node().enrolled:
        return redirect(url_for("login.show"))
    return _form({}, messages.enrolment_words(request.args.get("code", "")))


@pages.post("/stop")
@public
def stop() -> ResponseReturnValue:
    if not shell.node().enrolled:
        enrol.give_up(shell.node())
    return redirect(url_for(".show"), 303)


def _form(typed: Any, fault: str) -> str:
    return render_template("join/show.html", typed=typed, fault=fault)


def _to(address: str) -> Response:
    return Response(status=204, headers={"HX-Redirect": address})
