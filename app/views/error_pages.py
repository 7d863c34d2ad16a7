"""The one place where errors become HTTP: RFC 9457 problems for machines, a page for people.

Before: anything raised in a view. An error that nobody foresaw is logged with its trace and said plainly;
wrong input never ends here as a 5xx.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, json, render_template, request
from jinja2 import TemplateNotFound
from werkzeug.exceptions import HTTPException

from app.errors import AppError
from sync.errors import BadChange, NotEnrolled, StoreFailed, StoreFull, SyncError, WriterStopped

PROBLEM = "application/problem+json"
MACHINE_PATHS = ("/api/", "/healthz", "/enrol/")
_TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Wrong value",
    428: "Precondition required",
    429: "Too many requests",
    500: "Internal error",
    503: "Not available now",
    507: "Disk full",
}
_SYNC_STATUS: dict[type[SyncError], int] = {
    BadChange: 422,
    NotEnrolled: 409,
    StoreFull: 507,
    StoreFailed: 503,
    WriterStopped: 503,
}


def register_error_pages(app: Flask) -> None:
    app.register_error_handler(AppError, _of_app)
    app.register_error_handler(SyncError, _of_sync)
    app.register_error_handler(HTTPException, _of_http)
    app.register_error_handler(Exception, _of_bug)


def respond(status: int, code: str, message: str, hint: str, field: str | None = None) -> Response:
    """The answer for whoever asked: a problem document, or a page."""
    if request.path.startswith(MACHINE_PATHS):
        return problem(status, code, message, hint, field)
    return _page(status, code, message, hint, field)


def problem(status: int, code: str, message: str, hint: str, field: str | None = None) -> Response:
    """An RFC 9457 problem document with our ``code``, ``field`` and ``hint``."""
    title = _TITLES.get(status, "Error")
    members = {
        "type": f"urn:tomoshibi:problem:{code}",
        "title": title,
        "status": status,
        "detail": message or title,
    }
    members |= {"code": code, "field": field, "hint": hint}
    response = Response(json.dumps(members), status, mimetype=PROBLEM)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _page(status: int, code: str, field: str | None = None) -> ResponseReturnValue:
    return render_template("errors/error.html", status=status, code=code, field=field), status
