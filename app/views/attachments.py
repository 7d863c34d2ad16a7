"""Photos and voice memos on pages: taken in from a form by a script, shown inline, or asked for where not here.

Before: ``static/js/photos.js`` sends what was just taken. After: the form names the hash when it is sent.
"""

from __future__ import annotations

from flask import Blueprint, Response, current_app, jsonify
from flask.typing import ResponseReturnValue

from app import messages
from app.errors import AppError
from app.intake import upload
from app.permissions import permission
from app.views import ranges, shell
from app.views.error_pages import problem

pages = Blueprint("attachments", __name__, url_prefix="/attachments")
_SHOWN = ("sha256", "size", "media_type", "view", "thumb", "width", "height", "duration_ms", "exif_location")


@pages.post("")
@permission("attachments", "create")
def create() -> ResponseReturnValue:
    """Durable when it answers; a refusal carries the sentence that the page shows."""
    try:
        taken = current_app.extensions["intake"].take(upload.only_file())
    except AppError as error:
        answer = problem(error.status, error.code, error.message, error.hint, error.field)
        return jsonify({**answer.get_json(force=True), "words": messages.file_words(error.code)}), error.status
    return jsonify({name: taken.facts.get(name) for name in _SHOWN}), 201 if taken.fresh else 200


@pages.get("/<sha256>")
@permission("attachments", "read")
def show(sha256: str) -> Response:
    return ranges.attachment(shell.node(), sha256, inline=True)
