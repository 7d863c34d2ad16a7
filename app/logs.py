"""The log of a node: what happened, and nothing of what people wrote.

Before: ``server`` starts it. A line is one event: time, level, room, message. What an error says can repeat a value
that somebody typed, so an error is told by its kind and the places it went through. Other people's libraries are
heard from a warning on, by the place that speaks: their messages show requests and packets. A log is copied to whoever
helps, and stays for months where it was copied.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

OURS = ("app", "sync", "maps", "desktop")
PLACES_MAX = 12
MESSAGE_CHARS_MAX = 2_000
# Should one come through all the same: tokens, one-time codes, keys and hashes of keys.
SECRET = re.compile(r"tmb_[\w-]+|\b(?:[0-9A-Z]{4}-){3,}[0-9A-Z]{4}\b|\b[0-9a-f]{40,}\b|[\w+/-]{43,}=*", re.IGNORECASE)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

log = logging.getLogger(__name__)


def start(level: str, stream: TextIO | None = None) -> logging.Handler:
    """Let every log, warning and uncaught error of this process go out as lines without contents."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines())
    handler.addFilter(_is_heard)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    sys.unraisablehook = lambda failed: _uncaught(failed.exc_type, failed.exc_value, failed.exc_traceback)
    return handler


def hear_background_failures(hub: Any) -> None:
    """gevent prints a failed task with its arguments; here it is an event like any other."""
    hub.print_exception = lambda context, kind, error, trace: _uncaught(kind, error, trace)


class Lines(logging.Formatter):
    """``2026-10-12T03:04:05+0900 ERROR app.node message; error: ValueError at app/node.py:12 in write``"""

    def format(self, record: logging.LogRecord) -> str:
        said = _message(record)
        if record.exc_info and record.exc_info[1] is not None:
            said = (
                f"{said}; error: {told(record.exc_info[1])} at {' < '.join(_places(record.exc_info[1])) or 'unknown'}"
            )
        at = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(record.created))
        return f"{at} {record.levelname} {record.name} {_safe(said)}"


def told(error: BaseException) -> str:
    """An error without what it says: its kind, and the code that is one of ours or the system's."""
    kind = type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        return f"{kind} ({error.strerror})"
    code = getattr(error, "code", None) or getattr(error, "sqlite_errorname", None)
    return f"{kind} ({code})" if isinstance(code, str) and code.replace("_", "").isalnum() else kind


def _message(record: logging.LogRecord) -> str:
    if not _is_ours(record.name):
        return f"said something at {Path(record.pathname).name}:{record.lineno}"
    values = record.args if isinstance(record.args, tuple) else (record.args,) if record.args else ()
    plain = tuple(told(value) if isinstance(value, BaseException) else value for value in values)
    return str(record.msg) % plain if plain else str(record.msg)


def _safe(text: str) -> str:
    """One line, whatever is in it."""
    text = SECRET.sub("[left out]", text)
    text = CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    return text if len(text) <= MESSAGE_CHARS_MAX else f"{text[:MESSAGE_CHARS_MAX]}…"


def _places(error: BaseException) -> Iterator[str]:
    """Where it was raised, and what had called that: the innermost first."""
    walked = list(traceback.walk_tb(error.__traceback__))[::-1]
    for frame, line in walked[:PLACES_MAX]:
        path = Path(frame.f_code.co_filename)
        yield f"{path.parent.name}/{path.name}:{line} in {frame.f_code.co_name}"


def _is_heard(record: logging.LogRecord) -> bool:
    return _is_ours(record.name) or record.levelno >= logging.WARNING


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OURS


def _uncaught(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, KeyboardInterrupt | SystemExit):
        return
    log.error("nobody caught an error", exc_info=(kind, error, trace))
