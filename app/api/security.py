"""Who asks: the bearer token of a request. Before every view of the API; views then ask ``permissions``."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, g, request

from app import permissions
from app.errors import Unauthenticated

TOKEN_CHARS_MAX = 512
_HINT = "Make a token with `tomoshibi token create --user NAME` and send Authorization: Bearer TOKEN."


def check_request(app: Flask) -> None:
    """Know the person and check the row of the table that the view is marked with."""
    view = app.view_functions.get(request.endpoint or "")
    mark = permissions.mark_of(view)
    if mark == permissions.PUBLIC:
        return
    g.person = person_of(request.headers.get("Authorization", ""))
    if mark is not None:
        permissions.require(g.person, mark[1], mark[0])  # type: ignore[arg-type]


def person_of(header: str) -> Any:
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("token_required", "This address needs a bearer token.", _HINT)
    if len(token) > TOKEN_CHARS_MAX or not token.isascii() or not token.isprintable():
        raise Unauthenticated("bad_token", "The token is not known here.", _HINT)
    person = current_app.extensions["accounts"].person_of_token(token)
    if person is None:
        raise Unauthenticated("bad_token", "The token is not known here.", _HINT)
    return person
