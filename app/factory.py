"""How requests are joined: one page that shows every door of a node and the order in which they are hung.

Before: ``commands/serve.py`` opened the node. After: views, API and sockets, each of which asks ``permissions``.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Flask
from flask_babel import Babel
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_socketio import SocketIO
from flask_wtf import CSRFProtect

import app.live as live
from app import compiled_templates, edges, rates, socket_guard, sync_socket
from app.api import register_api
from app.enrol_door import Door
from app.intake import upload
from app.intake.receive import Intake
from app.own_files import Site
from app.tls import gate
from app.version import VERSION
from app.views import enrol, muster_answers, register_views, shell, translations
from app.views.session import know_people

BODY_BYTES_MAX = 1 << 20
SOCKET_BYTES_MAX = 2 << 20
LOGIN_TRIES = "20 per minute"


def create_app(node: Any) -> tuple[Flask, SocketIO]:
    """The web application of a node, and the socket server that has wrapped it."""
    app = Site(__name__)
    app.request_class = upload.MemoryRequest
    app.before_request(upload.allow_files)
    _configure(app, node)
    edges.guard(app, node.settings)
    rates.limit(app, rates.Rates())
    app.extensions["tomoshibi"] = node
    app.extensions["tomoshibi_received"] = {}
    app.extensions["intake"] = intake = Intake(node)
    intake.sweep()
    _speak_languages(app)
    know_people(app, node)
    csrf = CSRFProtect(app)
    register_views(app)
    csrf.exempt(register_api(app, node))
    app.extensions["enrol_door"] = Door(node)
    door = enrol.blueprint_for(app.extensions["enrol_door"])
    app.register_blueprint(door)
    csrf.exempt(door)
    _limit(app)
    socketio = _sockets(app)
    app.extensions["live"] = live.register_live(socketio, node, app.extensions["accounts"])
    sync_socket.attach(node, socketio)
    socket_guard.attach(socketio.server, lambda transport: _is_known(node, socketio.server.manager, transport))
    gate.guard(app, node)
    return app, socketio


def _configure(app: Flask, node: Any) -> None:
    """Nodes on one host have cookies of their own; the key outlives a restart, so that nobody is logged out by one."""
    app.config.update(
        RELEASE=VERSION,
        SECRET_KEY=hashlib.blake2b(b"tomoshibi session cookie", key=node.keys.data_key[:64]).digest(),
        SESSION_COOKIE_NAME=f"tomoshibi_{node.node_id[:12]}",
        SESSION_COOKIE_HTTPONLY=True,
        # Not Strict: a link from the city's groupware would come without the cookie, and the login page that it then
        # gets would put a new cookie in the old one's place. What changes anything has a token and an Origin check.
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=node.settings.serves_tls,
        MAX_CONTENT_LENGTH=BODY_BYTES_MAX,
        WTF_CSRF_TIME_LIMIT=None,  # a form may lie open all night
        SEND_FILE_MAX_AGE_DEFAULT=31_536_000,  # every address of a file carries its version
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    compiled_templates.keep(app)


def _speak_languages(app: Flask) -> None:
    app.config.update(BABEL_DEFAULT_LOCALE="ja", BABEL_TRANSLATION_DIRECTORIES="translations")
    Babel(app, locale_selector=shell.choose_language)
    translations.speak(app)


def _limit(app: Flask) -> None:
    limiter = Limiter(get_remote_address, app=app, storage_uri="memory://", default_limits=[])
    for endpoint in ("login.enter", "login.redeem", "lock.unlock", "second_factor.check", "second_factor.confirm"):
        limited: Any = limiter.limit(LOGIN_TRIES)(app.view_functions[endpoint])
        app.view_functions[endpoint] = limited
    for endpoint in ("muster_answers.show", "muster_answers.answer"):
        each: Any = limiter.limit(muster_answers.TRIES, key_func=muster_answers.link_of_request)
        together: Any = limiter.limit(muster_answers.TRIES_OF_ADDRESS)
        app.view_functions[endpoint] = together(each(app.view_functions[endpoint]))


def _sockets(app: Flask) -> SocketIO:
    """Event order is kept (``async_handlers``); polling is closed, so one link is one ordered stream."""
    from gevent.monkey import is_module_patched

    return SocketIO(
        app,
        async_mode="gevent" if is_module_patched("socket") else "threading",
        async_handlers=False,
        transports=["websocket"],
        max_http_buffer_size=SOCKET_BYTES_MAX,
        manage_session=False,
        namespaces=["/live", "/sync"],  # without this the namespace "/" would open to anybody
        ping_interval=5,
        ping_timeout=5,
    )


def _is_known(node: Any, manager: Any, transport: str) -> bool:
    """Whether a person who is logged in, or a device of the city, is at the other end of a connection."""
    if manager.sid_from_eio_sid(transport, live.SPACE) is not None:
        return True
    socket = manager.sid_from_eio_sid(transport, sync_socket.NAMESPACE)
    return socket is not None and bool(node.links.hub_side.knows(socket))
