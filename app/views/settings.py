"""Language, text size, palette, whether keys work: in cookies of this browser, so that the server draws pages right."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.permissions import public
from app.views import shell

pages = Blueprint("settings", __name__)

_CHOICES = {
    "palette": ("tomoshibi_palette", shell.PALETTES),
    "text_size": ("tomoshibi_text", shell.TEXT_SIZES),
    "language": ("tomoshibi_language", shell.LANGUAGES),
    "keys": ("tomoshibi_keys", shell.KEYS),
}


@pages.get("/settings")
@public
def show() -> str:
    return render_template("settings/show.html")


@pages.post("/settings")
@public
def save() -> ResponseReturnValue:
    """One tap changes one thing; a palette of "auto" follows the device again."""
    answer = redirect(shell.own_path(request.form.get("back"), url_for(".show")), 303)
    for name, (cookie, allowed) in _CHOICES.items():
        value = request.form.get(name)
        if value in allowed:
            answer.set_cookie(
                cookie, value, max_age=shell.COOKIE_SECONDS, samesite="Lax", httponly=True, secure=request.is_secure
            )
        elif value == "auto":
            answer.delete_cookie(cookie)
    return answer
