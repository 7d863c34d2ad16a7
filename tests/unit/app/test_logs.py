"""The log tells what happened and nothing of what people wrote: every door is driven with canaries."""

from __future__ import annotations

import contextlib
import io
import logging
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gevent
import pytest

from app import logs
from app.store import engine
from app.views import login
from tests.house import WRITES, House, built, doors, path_of

CANARY = "カナリア福祉センター前の田中"
SECRETS = ("tmb_" + "Ab9-" * 10, "7KQ2-9XWM-0A1B-C3D4-E5F6-G7H8-J9KA-MNPQ", "ab" * 32)
LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (DEBUG|INFO|WARNING|ERROR|CRITICAL) [\w.]+ \S.*")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(tmp_path_factory.mktemp("house"))


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What a node that serves would write to its log, at the level where most is said."""
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    logs.start("debug", stream)
    try:
        yield stream
    finally:
        logging.captureWarnings(False)
        sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
        root.handlers[:], root.level = before


def lines_of(stream: io.StringIO) -> list[str]:
    lines = stream.getvalue().splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    return lines


@pytest.mark.deep
def test_every_door_with_canaries_leaves_none_in_the_log(house: House, written: io.StringIO) -> None:
    asked = 0
    for method, rule, _ in doors(house.app):
        for path in (path_of(house, rule), re.sub(r"<[^>]+>", quote(CANARY), rule)):
            role = (None, "commander", "commander")[asked % 3]
            answer = house.ask(role, method, f"{path}?q={quote(CANARY)}&since={quote(CANARY)}", bodies(method))
            answer.close()
            asked += 1
            if "<" not in rule:
                break
    assert asked > 150
    assert CANARY not in written.getvalue() and quote(CANARY) not in written.getvalue()
    lines_of(written)


def bodies(method: str) -> Any:
    names = ("name", "text", "summary", "passphrase", "code", "title", "note", "category", "incident_id", "mode")
    return dict.fromkeys(names, CANARY) if method in WRITES else None


@pytest.mark.parametrize(
    "failure",
    [
        ValueError(f"cannot read {CANARY}"),
        KeyError(CANARY),
        engine.DATABASE_ERRORS[0](f"no such column: {CANARY}"),
        OSError(5, "Input/output error", f"/photos/{CANARY}.jpg"),
        UnicodeDecodeError("utf-8", CANARY.encode(), 0, 1, CANARY),
    ],
)
def test_a_view_that_fails_leaves_its_place_and_no_value(
    house: House, written: io.StringIO, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise failure

    monkeypatch.setattr(login, "_people", fails)
    assert house.ask(None, "POST", f"/login?q={quote(CANARY)}", {"name": CANARY}).status_code >= 500
    (line,) = [line for line in lines_of(written) if " ERROR " in line]
    assert type(failure).__name__ in line and "/login" in line and "in fails" in line
    assert CANARY not in line and quote(CANARY) not in line


def test_an_event_is_one_line_whatever_is_in_it(written: io.StringIO) -> None:
    log = logging.getLogger("app.anything")
    log.warning("a name with\r\n2026-01-01T00:00:00+0900 ERROR app forged\x1b[2J\u2028 and \u202e")
    log.warning("%s", "x" * 100_000)
    lines = lines_of(written)
    assert len(lines) == 2 and "\\u000d\\u000a" in lines[0] and max(map(len, lines)) < 2_200


@pytest.mark.parametrize("secret", SECRETS)
def test_what_looks_like_a_secret_is_left_out(written: io.StringIO, secret: str) -> None:
    logging.getLogger("sync.anything").warning("refused %s", secret)
    assert secret not in written.getvalue() and "[left out]" in written.getvalue()


def test_libraries_are_heard_by_the_place_that_speaks_and_only_from_a_warning_on(written: io.StringIO) -> None:
    for name in ("urllib3.connectionpool", "engineio.server", "werkzeug", "py.warnings"):
        logging.getLogger(name).debug("GET /?q=%s", CANARY)
        logging.getLogger(name).error(f"bad packet {CANARY}")
    lines = lines_of(written)
    assert len(lines) == 4 and all("said something at test_logs.py:" in line for line in lines)


def test_what_nobody_caught_is_an_event_as_well(written: io.StringIO) -> None:
    def fails(value: str) -> None:
        raise LookupError(value)

    thread = threading.Thread(target=fails, args=(CANARY,))
    thread.start()
    thread.join()
    hub = gevent.get_hub()
    logs.hear_background_failures(hub)
    try:
        gevent.spawn(fails, CANARY).join()
    finally:
        del hub.print_exception
    with contextlib.suppress(LookupError):
        fails(CANARY)
    lines = lines_of(written)
    assert len(lines) == 2 and all("LookupError at" in line and "in fails" in line for line in lines)
    assert CANARY not in written.getvalue()


def test_nothing_in_the_product_prints_a_trace_beside_the_log() -> None:
    rooms = [Path(logs.__file__).parent, Path(logs.__file__).parents[1] / "sync"]
    texts = {path: path.read_text("utf-8") for room in rooms for path in room.rglob("*.py")}
    assert [path.name for path, text in texts.items() if "print_exc" in text and path.name != "logs.py"] == []
