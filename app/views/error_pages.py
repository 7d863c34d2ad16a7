"""The one place where errors become HTTP: RFC 9457 problems for machines, a page for people.

Before: anything raised in a view. An error that nobody foresaw is logged with its trace and said plainly;
wrong input never ends here as a 5xx.
"""

from __future__ import annotations

from typing import Any

from flask import Flask, Response, current_app, json, render_template, request
from werkzeug.exceptions import HTTPException

from app.errors import AppError
from app.store import engine
from sync.errors import (
    BadChange,
    NoScopeKey,
    NotEnrolled,
    StoreFailed,
    StoreFull,
    SyncError,
    WriterBusy,
    WriterStopped,
    is_disk_error,
)

PROBLEM = "application/problem+json"
MACHINE_PATHS = ("/api/", "/healthz", "/enrol/", "/drafts")
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
}
_SYNC_STATUS: dict[type[SyncError], int] = {
    BadChange: 422,
    NotEnrolled: 409,
    NoScopeKey: 409,
    StoreFull: 409,  # the state of this node, which its people can change; the node itself works as it should
    StoreFailed: 503,
    WriterStopped: 503,
    WriterBusy: 503,
}


def register_error_pages(app: Flask) -> None:
    app.register_error_handler(AppError, _of_app)
    app.register_error_handler(SyncError, _of_sync)
    app.register_error_handler(HTTPException, _of_http)
    for kind in engine.DATABASE_ERRORS:
        app.register_error_handler(kind, _of_store)
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


def _page(status: int, code: str, message: str, hint: str, field: str | None) -> Response:
    told = {"status": status, "code": code, "message": message, "hint": hint, "field": field}
    try:
        return Response(render_template("errors/error.html", **told), status, mimetype="text/html")
    except Exception:  # what broke the page may break this one too; the words still have to come out
        return Response(f"{status} {code}\n{message}\n{hint}\n", status, mimetype="text/plain")


def _of_app(error: AppError) -> Response:
    if error.status >= 500:
        current_app.logger.error("%s: %s", error.code, error)
    return respond(error.status, error.code, error.message, error.hint, error.field)


def _of_sync(error: SyncError) -> Response:
    status = next((number for kind, number in _SYNC_STATUS.items() if isinstance(error, kind)), 500)
    if status >= 500:
        current_app.logger.error("%s: %s", error.code, error)
    return respond(status, error.code, str(error), error.hint)


def _of_store(error: Exception) -> Response:
    """A page of the store that cannot be read: the disk's fault, which people can mend."""
    if not is_disk_error(error):
        return _of_bug(error)
    current_app.logger.error("the store cannot be read: %s", error)
    current_app.extensions["tomoshibi"].forget_reader()
    hint = "Run `tomoshibi doctor` on this node: it says what is damaged and how to mend it."
    return respond(503, "store_unavailable", f"The store of this node cannot be read: {error}", hint)


def _of_http(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error
    code = (error.name or "error").lower().replace(" ", "_")
    response = respond(status, code, _TITLES.get(status, error.name), _http_hint(status))
    for name, value in error.get_headers(request.environ):
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _http_hint(status: int) -> str:
    if status == 404:
        return "Check the address."
    return "See the header Allow." if status == 405 else "Check the request."


def _of_bug(error: Exception) -> Response:
    rule = request.url_rule.rule if request.url_rule else "no address of ours"
    current_app.logger.exception("a request failed: %s %s", request.method, rule)
    hint = "What was saved before is safe. Run `tomoshibi doctor` on this node; its log has the details."
    return respond(500, "internal_error", "Something went wrong in this node.", hint)
