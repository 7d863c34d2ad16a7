"""Asks a furnished hub as somebody who means harm, byte for byte as the server would hand it over; what must hold."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.test import run_wsgi_app

from tests.hostile.corpus import Asked
from tests.house import House


@dataclass
class Asker:
    """What came out of line: a 5xx, a refusal that changed something, an error in the log."""

    house: House
    faults: list[str] = field(default_factory=list)
    asked: int = 0
    answers: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._heard: list[str] = []
        self._cookies = {role: self._cookie(role) for role in self.house.tokens}
        self._last = self._written()

    def __enter__(self) -> Asker:
        handler = logging.Handler(logging.ERROR)
        handler.emit = lambda record: self._heard.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger().addHandler(handler)
        self._handler = handler
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)

    def ask(self, asked: Asked, role: str | None) -> int:
        headers = {**self._own(asked, role), **asked.headers}
        answer, status, _ = run_wsgi_app(self.house.app, _environ(asked, headers), buffered=True)
        if hasattr(answer, "close"):
            answer.close()
        return self.judge(f"{asked} as {role}", int(status[:3]))

    def judge(self, what: str, status: int) -> int:
        self.asked += 1
        self.answers[status] = self.answers.get(status, 0) + 1
        written = self._written()
        if status >= 500:
            self.faults.append(f"{status}: {what}")
        if status >= 400 and written != self._last:
            self.faults.append(f"refused with {status}, and written: {what}")
        if self._heard:
            self.faults.append(f"{self._heard[0]}: {what}")
            self._heard.clear()
        self._last = written
        return status

    def _own(self, asked: Asked, role: str | None) -> dict[str, str]:
        if role is None:
            return {}
        if asked.path.startswith("/api/"):
            return {"Authorization": f"Bearer {self.house.tokens[role]}"}
        return {"Cookie": self._cookies[role]}

    def _cookie(self, role: str) -> str:
        cookie = self.house.browser(role).get_cookie(self.house.app.config["SESSION_COOKIE_NAME"])
        assert cookie is not None
        return f"{cookie.key}={cookie.value}"

    def _written(self) -> int:
        return int(self.house.node.reader().execute("SELECT coalesce(max(no), 0) FROM op").fetchone()[0])


def _environ(asked: Asked, headers: dict[str, str]) -> dict[str, Any]:
    path, _, query = asked.path.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": asked.method, "SCRIPT_NAME": "", "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query, "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8400", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8400", "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.errors": io.StringIO(), "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        "wsgi.input": io.BytesIO(asked.body or b""), "wsgi.input_terminated": True,
    }  # fmt: skip
    if asked.body is not None:
        environ["CONTENT_LENGTH"] = str(len(asked.body))
    for name, value in headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    return environ
