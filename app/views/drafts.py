"""Drafts of forms, saved by a script while a person types; one's own, a form.

Before: ``static/js/draft.js``. After: the view of the form reads it back with ``queries/drafts``.
"""

from __future__ import annotations

import re

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.api import strict_json
from app.errors import Invalid, NotFound
from app.permissions import permission
from app.queries import drafts
from app.views import shell

FIELDS_MAX, VALUES_MAX, CHARS_MAX = 64, 16, 4_000
_FORM = re.compile(r"[0-9a-f-]{36}:[a-z:0-9-]{1,60}", re.ASCII)

pages = Blueprint("drafts", __name__, url_prefix="/drafts/<form>")


@pages.post("")
@permission("drafts", "edit")
def save(form: str) -> ResponseReturnValue:
    """Durable when it answers; without values the draft is gone."""
    values = _values(strict_json.read_object(request))
    node, who = shell.node(), current_user.id
    if not _FORM.fullmatch(form):
        raise NotFound("not_found", "No form has this name.", "Open the form again.")
    if any(name != "_id" for name in values):
        kept = node.local_write(lambda connection: drafts.save(connection, who, form, values, node.clock()))
    else:
        kept = node.local_write(lambda connection: drafts.clear(connection, who, form)) is not None
    return jsonify(kept=kept)


def _values(body: dict[str, object]) -> dict[str, list[str]]:
    """{field: [value]}, within limits."""
    values: dict[str, list[str]] = {}
    if len(body) > FIELDS_MAX:
        raise Invalid("too_many_fields", "More fields than any form has.", "Send the form's own fields.")
    for name, given in body.items():
        listed = given if isinstance(given, list) else [given]
        texts = [text for text in listed if isinstance(text, str) and text]
        if len(listed) > VALUES_MAX or len(texts) != len([one for one in listed if one != ""]):
            raise Invalid("wrong_type", "A field is no text and no list of texts.", "Send texts.", name[:64])
        if any(len(text) > CHARS_MAX for text in texts) or len(name) > 64:
            raise Invalid("too_long", "A field is too long.", "Shorten the text.", name[:64])
        if texts:
            values[name] = texts
    return values
