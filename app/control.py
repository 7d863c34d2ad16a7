"""The control socket: a command given beside a running `serve` is carried out by that process.

One request a connection, one line of JSON each way: ``{"command", "arguments"}`` → ``{"result"}`` or
``{"error": {"code", "message", "hint"}}``. The socket lies in the data folder, for its owner only. Plain
sockets and threads: gevent turns them into greenlets in `serve`.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from app.errors import AppError, CommandFailed
from sync.errors import SyncError

log = logging.getLogger(__name__)

LINE_BYTES_MAX = 4 * 1024 * 1024
CONNECT_SECONDS = 2.0
REQUEST_SECONDS = 10.0
ANSWER_SECONDS = 600.0  # a digest or an export of a large city
PATH_BYTES_MAX = 100  # of a socket's name; the kernel allows 107

Handler = Callable[[Mapping[str, Any]], Any]


def call(path: Path, command: str, arguments: Mapping[str, Any]) -> Any:
    """The running node's result, or None when nothing answers. Raises CommandFailed for what it refused."""
    if not hasattr(socket, "AF_UNIX") or not path.exists():
        return None
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as connection:
        connection.settimeout(CONNECT_SECONDS)
        try:
            with _address(path) as address:
                connection.connect(address)
        except (ConnectionError, FileNotFoundError):
            return None  # left behind by a process that was killed
        connection.settimeout(ANSWER_SECONDS)
        try:
            connection.sendall(_line({"command": command, "arguments": dict(arguments)}))
            answer = json.loads(_read_line(connection))
        except (OSError, ValueError) as error:
            hint = "See the log of `tomoshibi serve`."
            raise CommandFailed("no_answer", f"the running node did not answer: {error}", hint) from error
    if "error" in answer:
        raise CommandFailed(**answer["error"])
    return answer["result"]


class ControlServer:
    """Answers commands in the process that holds the data folder's lock, until it is closed."""

    def __init__(self, path: Path, handler: Callable[[str, Mapping[str, Any]], Any]) -> None:
        self._path = path
        self._handler = handler
        self._closed = False
        if not hasattr(socket, "AF_UNIX"):
            self._listener = None  # Windows: commands take the lock, and say so when `serve` holds it
            return
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # The lock is ours, so a socket that lies here was left by a process that is gone.
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        with _address(path) as address:
            old = os.umask(0o177)
            try:
                self._listener.bind(address)
            finally:
                os.umask(old)
        self._listener.listen(16)
        threading.Thread(target=self._accept, name="control", daemon=True).start()

    def close(self) -> None:
        self._closed = True
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()

    def _accept(self) -> None:
        assert self._listener is not None
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.closing(connection):
            connection.settimeout(REQUEST_SECONDS)
            try:
                answer = self._answer(_read_line(connection))
                connection.settimeout(ANSWER_SECONDS)
                connection.sendall(answer)
            except OSError:
                log.info("a command went away before its answer")

    def _answer(self, line: bytes) -> bytes:
        try:
            request = json.loads(line)
            return _line({"result": self._handler(str(request["command"]), dict(request["arguments"]))})
        except (AppError, SyncError) as error:
            return _error(error.code, str(error), error.hint)
        except (ValueError, KeyError, TypeError) as error:
            log.exception("a command could not be carried out")
            return _error("bad_command", f"the running node could not read the command: {error}", "")
        except Exception:
            log.exception("a command failed")
            return _error("internal_error", "the running node failed at this command", "See its log.")


def _error(code: str, message: str, hint: str) -> bytes:
    return _line({"error": {"code": code, "message": message, "hint": hint}})


def _line(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"


def _read_line(connection: socket.socket) -> bytes:
    data = bytearray()
    while not data.endswith(b"\n"):
        part = connection.recv(65_536)
        if not part or len(data) > LINE_BYTES_MAX:
            raise ConnectionError("the line was cut off")
        data += part
    return bytes(data)


@contextlib.contextmanager
def _address(path: Path) -> Iterator[str]:
    """The socket's name for the kernel: a long one is reached through its open folder."""
    if len(os.fsencode(path)) <= PATH_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)
