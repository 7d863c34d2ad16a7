"""The process behind `serve`: socket, lock, node, pages, control socket; and their end, in the reverse order.

Before: ``__main__`` patched the standard library for gevent. Everything that can refuse does so before the
node is opened, so that a busy port changes nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from typing import Any

import gevent
from gevent.event import Event

from app import locked, logs
from app.commands.job import open_node, perform
from app.config import Settings
from app.control import ControlServer
from app.errors import CommandFailed
from app.slow_clients import Server
from app.store.ballast import Ballast
from app.store.folder import DataFolder
from app.store.keys import is_locked

log = logging.getLogger(__name__)

BACKLOG = 1_024
STOP_SECONDS = 3


def serve(settings: Settings) -> None:
    """Run a node until SIGTERM or SIGINT."""
    logs.start(settings.log_level)
    logs.hear_background_failures(gevent.get_hub())
    _refuse_half_a_pair(settings)
    folder = DataFolder(settings.home)
    folder.require_node()
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    slot_key = None
    with contextlib.ExitStack() as opened:
        listener = None
        if not settings.serves_tls or not _waits_for_pin(folder, settings):
            listener = opened.enter_context(_listen(settings.host, settings.port))
        if _waits_for_pin(folder, settings):
            with folder.lock():
                slot_key = locked.wait(settings, listener, stop)
            if slot_key is None:
                return
        if listener is None:
            listener = opened.enter_context(_listen(settings.host, settings.port))
        with open_node(settings, slot_key) as node:
            _run(node, settings, listener, stop)


def _waits_for_pin(folder: DataFolder, settings: Settings) -> bool:
    return settings.passphrase_file is None and is_locked(folder.keys)


def _run(node: Any, settings: Settings, listener: socket.socket, stop: Event) -> None:
    from app.factory import create_app

    _refuse_clear_text(node, settings)
    flask_app, _ = create_app(node)
    server = _server(node, settings, listener, flask_app)
    server.start()
    control = ControlServer(
        DataFolder(settings.home).control, lambda command, arguments: perform(node, command, arguments)
    )
    try:
        if not Ballast(node.folder.ballast, settings.ballast_mb).take():
            log.warning("the disk has no room for the ballast of %d MB", settings.ballast_mb)
        node.start()
        print(f"listening on {_url(settings, listener)}", flush=True)
        stop.wait()
    finally:
        control.close()
        server.stop(timeout=STOP_SECONDS)


def _refuse_half_a_pair(settings: Settings) -> None:
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise CommandFailed("tls_incomplete", "tls_cert and tls_key go together", "Set both, or neither.")
    for path in (settings.tls_cert, settings.tls_key):
        if path is not None and not os.access(path, os.R_OK):
            raise CommandFailed("tls_unreadable", f"{path} cannot be read", "Check the path and its rights.")


def _refuse_clear_text(node: Any, settings: Settings) -> None:
    """Beyond loopback nothing is served but TLS: with the node's own leaf, which an issuer renews at its start."""
    if not settings.serves_tls:
        return
    node.tls.renew_own()
    if settings.tls_cert is None and node.tls.held.chain is None:
        how = "run `tomoshibi pki init` with the recovery file" if node.is_hub else "enrol this node with its hub"
        raise CommandFailed(
            "tls_needed",
            f"this node does not listen on {settings.host} in clear, and has no certificate yet",
            f"To get one, {how}; or set tls_cert and tls_key; or listen on 127.0.0.1.",
        )


def _server(node: Any, settings: Settings, listener: socket.socket, application: Any) -> Server:
    if not settings.serves_tls:
        return Server(listener, application)
    from app.tls.server import TlsServer, given

    if not node.tls.has_authority:  # a hub that an older release made, until `pki init`
        log.warning("this city has no TLS authority: callers are not asked for certificates; see `tomoshibi pki init`")
        return Server(listener, application, ssl_context=given(settings))
    return TlsServer(listener, application, node.tls, settings)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise CommandFailed("bad_address", f"cannot listen on {host}: {error.strerror}", "Check --host.") from error
    try:
        if os.name != "nt":  # there it would let a second process take the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by each connection: without it an event and its answer took 44 ms, with it 0.55 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        hint = "Stop what uses it, or choose another with --port."
        raise CommandFailed("port_in_use", f"cannot listen on {host}:{port}: {error.strerror}", hint) from error
    return listener


def _url(settings: Settings, listener: socket.socket) -> str:
    scheme = "https" if settings.serves_tls else "http"
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"
