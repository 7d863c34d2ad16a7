"""A node that waits for its PIN: one page on loopback, a control socket, a beat to its hub, and nothing else.

Before: ``server`` found that a PIN opens the keys, and no passphrase file was given. After: the slot key, with which
``server`` opens the node in this same process. Beyond loopback nothing is served, for the key of TLS lies in the store.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import gevent
from flask import Flask, Response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import Babel, get_locale
from gevent.event import Event
from gevent.lock import BoundedSemaphore

from app import edges
from app.beacon import Beating
from app.config import Settings
from app.control import ControlServer
from app.errors import CommandFailed, RateLimited
from app.own_files import Site
from app.slow_clients import Server
from app.store import label
from app.store import pin as pins
from app.store.errors import KeyFileDamaged, KeyLocked, PinDestroyed, StoreError, WrongPin
from app.store.folder import DataFolder
from app.store.keys import keys_under
from app.threads import in_native_thread
from app.version import VERSION
from app.views import shell

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 8_192
FREE_TRIES, PAUSE_S = 3, 30.0  # after three wrong PINs each next one waits: ten would else be gone in a minute
STOP_SECONDS = 3


class Lock:
    """What page and command both use: one try at a time, counted on the disk."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder, self._one_at_a_time = folder, BoundedSemaphore()
        self._wrong, self._wrong_at = 0, 0.0
        self.opened, self.slot_key = Event(), b""
        self.name = label.read(folder.label).name

    @property
    def tries_left(self) -> int | None:
        return pins.tries_left(self._folder.keys)

    def wait_s(self) -> float:
        """How long the next try has to wait."""
        if self._wrong < FREE_TRIES:
            return 0.0
        return max(0.0, self._wrong_at + PAUSE_S - time.monotonic())

    def try_pin(self, pin: str) -> None:
        """Raises WrongPin, PinDestroyed, KeyFileDamaged, RateLimited."""
        with self._one_at_a_time:
            if self.opened.is_set():
                return
            if wait := self.wait_s():
                raise RateLimited("too_many_tries", "too many wrong PINs", f"Wait {wait:.0f} s, then try again.")
            try:
                self._open(self._tried(pin))
            except WrongPin:
                self._wrong, self._wrong_at = self._wrong + 1, time.monotonic()
                raise

    def _tried(self, pin: str) -> bytes:
        def try_it() -> bytes | StoreError:
            try:
                return pins.try_pin(self._folder.keys, pin)
            except StoreError as error:  # handed over, not raised there: a native thread would print its stack
                return error

        found = in_native_thread(try_it)
        if isinstance(found, StoreError):
            raise found
        return found

    def new_pin(self, slot_key: bytes, pin: str) -> None:
        """After recovery. Raises BadPin, KeyFileDamaged."""
        with self._one_at_a_time:
            in_native_thread(lambda: pins.set_pin(self._folder.keys, slot_key, pin))
            self._open(slot_key)

    def _open(self, slot_key: bytes) -> None:
        keys_under(self._folder.keys, slot_key)
        self.slot_key = slot_key
        self.opened.set()

    def perform(self, command: str, arguments: Mapping[str, Any]) -> Any:
        """What the control socket may ask of a locked node."""
        if command != "unlock":
            hint = "Type the PIN on its page on this machine, or use `tomoshibi unlock`."
            raise KeyLocked("this node runs, and is locked", hint=hint)
        pin, slot_key = str(arguments["pin"]), arguments.get("slot_key")
        if slot_key is None:
            self.try_pin(pin)
        else:
            self.new_pin(bytes.fromhex(slot_key), pin)
        return {"running": True}


def wait(settings: Settings, listener: socket.socket | None, stop: Event) -> bytes | None:
    """Serve the lock page until the PIN is there: the slot key, or None where the process was told to stop."""
    folder = DataFolder(settings.home)
    lock = Lock(folder)
    # On a socket of its own: whoever asks while the node opens waits in the queue of the other, and is answered.
    own = listener.dup() if listener is not None else _loopback(settings.port)
    server = Server(own, create_app(lock, settings), error_log=None)
    server.start()
    control = ControlServer(folder.control, lock.perform)
    where = f"http://127.0.0.1:{own.getsockname()[1]}"
    print(f"locked; listening on {where}", flush=True)
    beating = Beating(folder, settings)
    beating.start()
    try:
        gevent.wait([lock.opened, stop], count=1)
    finally:
        beating.stop()
        control.close()
        server.stop(timeout=STOP_SECONDS)
        own.close()
    return lock.slot_key if lock.opened.is_set() else None


def _loopback(port: int) -> socket.socket:
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        hint = "Stop what uses it, or choose another with --port."
        raise CommandFailed("port_in_use", f"cannot listen on 127.0.0.1:{port}: {error.strerror}", hint) from error


def create_app(lock: Lock, settings: Settings) -> Flask:
    """The pages of a locked node: of nothing but its lock."""
    app = Site(__name__)
    app.config.update(RELEASE=VERSION, MAX_CONTENT_LENGTH=BODY_BYTES_MAX, SEND_FILE_MAX_AGE_DEFAULT=31_536_000)
    app.config.update(BABEL_DEFAULT_LOCALE="ja", BABEL_TRANSLATION_DIRECTORIES="translations")
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Babel(app, locale_selector=shell.choose_language)
    edges.guard(app, replace(settings, host="127.0.0.1", tls_cert=None))  # in clear, whatever follows
    form_token = secrets.token_urlsafe(24)
    after = "/" if not settings.serves_tls else f"https://localhost:{settings.port}/"

    @app.get("/healthz")
    def healthz() -> ResponseReturnValue:
        return {"ok": False, "state": "locked"}

    @app.get("/")
    def show() -> ResponseReturnValue:
        return _page(lock, form_token, None), 200

    @app.post("/unlock")
    def unlock() -> ResponseReturnValue:
        if not hmac.compare_digest(request.form.get("form_token", "").encode(), form_token.encode()):
            return _page(lock, form_token, KeyLocked("the page was of an earlier start", hint="")), 400
        try:
            lock.try_pin(request.form.get("pin", ""))
        except (StoreError, RateLimited) as error:
            log.warning("the node was not unlocked: %s", error)
            return _page(lock, form_token, error), 429 if isinstance(error, RateLimited) else 403
        return redirect(after, 303)

    @app.errorhandler(404)
    def to_the_lock(error: Exception) -> ResponseReturnValue:
        return redirect("/") if request.method == "GET" else ("locked\n", 503)

    @app.after_request
    def close(answer: Response) -> Response:
        answer.headers["Connection"] = "close"  # the node itself answers what comes next
        return answer

    return app


def _page(lock: Lock, form_token: str, error: Exception | None) -> str:
    return render_template(
        "locked/show.html",
        form_token=form_token,
        error=error,
        wrong=isinstance(error, WrongPin),
        destroyed=isinstance(error, PinDestroyed) or lock.tries_left is None,
        damaged=isinstance(error, KeyFileDamaged),
        wait_s=round(lock.wait_s()),
        tries_left=lock.tries_left,
        language=str(get_locale() or "ja"),
        name=lock.name,
        letters="letters" in request.args,
        palette=shell.chosen_palette(),
        styles=("tokens", "base", "layout", "buttons", "forms", "locked"),
        asset=shell.asset,
        mark=shell.mark,
        vendor=shell.vendor,
    )
