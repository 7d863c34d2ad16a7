"""Whom a node lets in over TLS: who shows a leaf of the city. Doors for strangers are few, and are named here.

Before: ``server`` puts what the handshake proved into the WSGI environment. After: views, API and sockets, each of
which asks on its own who the person is. On loopback in clear there is no gate: there the machine is the factor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from flask import Flask, Response, render_template, request

from app.pki import peer
from app.pki.authority import BadTlsCertificate
from app.pki.peer import Peer
from app.tls import issued
from app.views import error_pages

KEY = "tomoshibi.tls"
STRANGERS_MAY = frozenset(
    {
        "static",
        "api.healthz",
        "enrol.hello",
        "enrol.ask",
        "enrol.answer",
        "enrol.renew",
        "enrol.locked",
        "muster_answers.show",
        "muster_answers.answer",
    }
)
SOCKETS = "/socket.io"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True, slots=True)
class Seen:
    """The two leaves of one connection, as this end saw them: its own, and what the other showed."""

    own: bytes
    theirs: bytes | None

    @property
    def channel(self) -> bytes:
        return peer.channel_of(self.own, self.theirs) if self.theirs else b""


@dataclass(frozen=True, slots=True)
class Fault:
    code: str
    message: str
    hint: str


NONE_SHOWN = Fault(
    "certificate_needed",
    "This node speaks only to devices and browsers that have a certificate of the city.",
    "A tablet: `tomoshibi enrol`. A browser: ask HQ for the file of `tomoshibi pki issue`, and take it in.",
)
NOT_OURS = Fault("certificate_unknown", "The certificate is not one of a node or a browser of this city.", "Ask HQ.")
ENDED = Fault(
    "certificate_ended",
    "The certificate has ended.",
    "A tablet renews it by itself, or with `tomoshibi pki renew`. A browser: ask HQ for a new one.",
)
REVOKED = Fault(
    "certificate_revoked",
    "HQ has revoked this device or withdrawn this browser.",
    "Bring it to HQ: what it has not sent can still be recovered.",
)


def fault_of(node: Any, seen: Seen) -> Fault | None:
    """Why whoever stands at the other end may not come in; None: may."""
    if seen.theirs is None:
        return NONE_SHOWN
    try:
        who = peer.read(seen.theirs)
    except BadTlsCertificate:
        return NOT_OURS
    if who.has_ended(node.tls.now()):
        return ENDED
    return REVOKED if _is_out(node, who) else None


def node_at(seen: Seen) -> bytes | None:
    """The node that has proved itself at the other end; None for a browser."""
    return peer.read(seen.theirs).node_id if seen.theirs else None


def guard(app: Flask, node: Any) -> None:
    """Refuse strangers at every address but those for them, whether the address exists or not."""

    @app.before_request
    def refuse_stranger() -> Response | None:
        seen = request.environ.get(KEY)
        if seen is None or request.endpoint in STRANGERS_MAY:
            return None
        fault = fault_of(node, seen)
        return None if fault is None else _answer(fault)

    app.before_request_funcs[None].insert(0, app.before_request_funcs[None].pop())
    app.wsgi_app = SocketGate(node, app.wsgi_app)  # type: ignore[method-assign]


class SocketGate:
    """Sockets are taken from the application before any of its requests: they pass here."""

    def __init__(self, node: Any, inner: Wsgi) -> None:
        self._node, self._inner = node, inner

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        seen = environ.get(KEY)
        if seen is not None and environ.get("PATH_INFO", "").startswith(SOCKETS):
            fault = fault_of(self._node, seen)
            if fault is not None:
                return _refuse(fault, environ, start_response)
        return self._inner(environ, start_response)


def _is_out(node: Any, who: Peer) -> bool:
    if who.node_id is not None:
        return bool(node.replica.is_revoked(who.node_id))
    return issued.is_withdrawn(node.reader(), who.serial)


def _answer(fault: Fault) -> Response:
    if request.path.startswith(error_pages.MACHINE_PATHS):
        return error_pages.problem(403, fault.code, fault.message, fault.hint)
    return Response(render_template("errors/certificate.html", fault=fault), 403, mimetype="text/html")


def _refuse(fault: Fault, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    response = error_pages.problem(403, fault.code, fault.message, fault.hint)
    return response(environ, start_response)
