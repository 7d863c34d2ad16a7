"""What every request passes before a view, and every answer on its way out: whose name was called, what a browser may.

Before: ``factory`` hangs it on the application. Who the person is and what they may is asked later, in
``views/session`` and ``api/security``.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, request
from flask.typing import ResponseReturnValue

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(self), camera=(), microphone=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TLS_ONLY = "max-age=31536000"  # a year: whoever came over TLS once never speaks in clear to this name again
FOREIGN_PAGE = "This request comes from a page of another site, and such requests are refused.\n"
READING = frozenset({"GET", "HEAD", "OPTIONS"})
UNKNOWN_NAME = "This node does not answer to that name. Use its own address, or add the name to the setting `names`.\n"


def guard(app: Flask, settings: Any) -> None:
    """Refuse a foreign name; harden what is answered."""
    over_tls = settings.serves_tls
    own = own_names(settings)

    @app.before_request
    def refuse_foreign_name() -> ResponseReturnValue | None:
        if own is None or is_own_name(request.host, own):
            return None
        return Response(UNKNOWN_NAME, status=421, mimetype="text/plain")

    @app.before_request
    def refuse_foreign_page() -> ResponseReturnValue | None:
        if not is_from_elsewhere(request, over_tls):
            return None
        return Response(FOREIGN_PAGE, status=403, mimetype="text/plain")

    @app.after_request
    def harden(answer: Response) -> Response:
        for name, value in HEADERS.items():
            answer.headers.setdefault(name, value)
        if over_tls:
            answer.headers.setdefault("Strict-Transport-Security", TLS_ONLY)
        if answer.mimetype == "text/html":
            answer.headers.setdefault("Cache-Control", "no-store")
        return answer


def own_names(settings: Any) -> frozenset[str] | None:
    """The names beside loopback's that a node answers to; None where its certificate is what tells.

    In clear a page of elsewhere could give its own name the address 127.0.0.1 and so become "the same origin".
    """
    if settings.serves_tls:
        return None
    return frozenset(name.strip().lower() for name in settings.names.split(",") if name.strip())


def is_own_name(host: str, own: frozenset[str]) -> bool:
    """Whether the ``Host`` of a request, with or without a port, is loopback's or one of the node's own."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() and not host.endswith("]") else host
    name = name.strip("[]").lower()
    if name == "localhost" or name in own:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_from_elsewhere(asked: Request, over_tls: bool) -> bool:
    """Whether a browser says that a page of another origin made this request; programs say nothing.

    A link from elsewhere may be followed. All else that crosses origins is refused before any view, the doors that
    need no cookie included: a form, a script's request, an image.
    """
    site = asked.headers.get("Sec-Fetch-Site", "none")
    origin = asked.headers.get("Origin")
    if asked.method in READING:
        return site not in ("none", "same-origin") and asked.headers.get("Sec-Fetch-Mode") != "navigate"
    return site not in ("none", "same-origin") or (origin is not None and not _is_own_origin(origin, asked, over_tls))


def _is_own_origin(origin: str, asked: Request, over_tls: bool) -> bool:
    """A node in clear may stand behind a machine that speaks TLS for it, so there either scheme is its own."""
    try:
        told = urlsplit(origin)
    except ValueError:
        return False
    schemes = ("https",) if over_tls else ("http", "https")
    return told.scheme in schemes and told.netloc.lower() == asked.host.lower()
