"""その他: every page that the bar of a tablet has no room for, what is set up now and then, and the way out."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.permissions import permission

pages = Blueprint("more", __name__)


@pages.get("/more")
@permission("settings", "read")
def show() -> str:
    return render_template("more/show.html")
