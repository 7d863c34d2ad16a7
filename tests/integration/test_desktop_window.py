"""The real window on a virtual display: it shows the node's page, and closing it ends the node.

Needs the `desktop` extra and Xvfb (Debian: xvfb libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1). Xvfb keeps its
screen in a file, so the picture needs no other tool.
"""

import importlib.util
import os
import shutil
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import requests

from tests.integration.cluster import NodeProcess, eventually, http

MISSING = [name for name in ("webview", "PySide6", "qtpy") if importlib.util.find_spec(name) is None]
MISSING += [] if shutil.which("Xvfb") else ["Xvfb"]

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(bool(MISSING), reason=f"missing for the desktop window: {', '.join(MISSING)}"),
]

WIDTH, HEIGHT = 1600, 1000
COLOURS_MIN = 8  # an empty window has one or two
PAGE_BLUE = (0x00, 0x17, 0xC1)
PAGE = """<!doctype html><html lang="ja"><meta charset="utf-8"><title>灯</title>
<body style="margin:0;font:48px sans-serif;background:#fff">
<div style="background:#0017c1;color:#fff;padding:60px">葦原市 災害対策本部</div>
<div style="background:#f7f5a9;padding:60px">訓練 この記録は実災害と混ざりません</div>
<div style="background:#ff9191;padding:60px">避難者 3,849 人</div>"""

# A small server stands in for the node; the window program is the real one. A line on its stdin closes it.
NODE = """
import http.server, pathlib, sys, os
page = pathlib.Path(sys.argv[2]).read_bytes()
pathlib.Path(sys.argv[3]).write_text(str(os.getpid()))
class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Page).serve_forever()
"""
PROGRAM = """
import sys, threading
from desktop.server import NodeProcess
from desktop.window import open_window, require_window
script, page, pid_file = sys.argv[1:]
def close_when_told():
    sys.stdin.readline()
    import webview
    webview.windows[0].destroy()
require_window()
with NodeProcess(lambda port: [sys.executable, script, str(port), page, pid_file]) as node:
    threading.Thread(target=close_when_told, daemon=True).start()
    open_window(node.url)
"""


class Display(NamedTuple):
    """A virtual screen: its name for DISPLAY, and the file that holds its pixels."""

    name: str
    screen: Path


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    read_end, write_end = os.pipe()
    command = [
        "Xvfb",
        "-displayfd",
        str(write_end),
        "-screen",
        "0",
        f"{WIDTH}x{HEIGHT}x24",
        "-nolisten",
        "tcp",
    ]
    server = subprocess.Popen([*command, "-fbdir", str(tmp_path)], pass_fds=[write_end], stderr=subprocess.DEVNULL)
    os.close(write_end)
    try:
        with os.fdopen(read_end) as answer:
            number = answer.readline().strip()
        assert number, "Xvfb did not start"
        yield Display(f":{number}", tmp_path / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait(10)


def test_the_window_shows_the_page_and_closing_it_ends_the_node(display: Display, tmp_path: Path) -> None:
    window, pid_file = start_window(display, tmp_path)
    with window:
        try:
            wait_for(lambda: drawn(display.screen), window)
            picture = pixels(display.screen)
            path = tmp_path / "desktop-window.png"
            path.write_bytes(png(picture))
            print(f"screenshot: {path}")
            node = int(pid_file.read_text())
            assert window.stdin is not None
            window.stdin.write(b"close\n")
            window.stdin.flush()
            assert window.wait(30) == 0
            with pytest.raises(ProcessLookupError):
                os.kill(node, 0)
        finally:
            window.kill()


def test_the_desktop_program_shows_the_login_of_the_node_that_it_starts(display: Display, tmp_path: Path) -> None:
    hub = NodeProcess("hub", tmp_path / "hub")
    hub.command("init", "--role", "hub", "--name", "葦原市 災害対策本部", "--json")
    command = [sys.executable, "-m", "desktop", "--home", str(hub.home), "--port", str(hub.port)]
    with subprocess.Popen(command, env=window_environment(display)) as window:
        try:
            wait_for(lambda: PAGE_BLUE in colours(pixels(display.screen)), window)  # the button of the login
            path = tmp_path / "desktop-login.png"
            path.write_bytes(png(pixels(display.screen)))
            print(f"screenshot: {path}")
            eventually(hub.answers, 15, "the node behind the window answers")
        finally:
            window.kill()
    eventually(lambda: not _is_up(hub.url), 15, "the node ended with its window")


def _is_up(url: str) -> bool:
    try:
        return http().get(f"{url}/healthz", timeout=1).ok
    except requests.RequestException:
        return False


def start_window(display: Display, folder: Path) -> tuple[subprocess.Popen[bytes], Path]:
    script, page, pid_file = folder / "node.py", folder / "page.html", folder / "pid"
    script.write_text(NODE, encoding="utf-8")
    page.write_text(PAGE, encoding="utf-8")
    arguments = [str(script), str(page), str(pid_file)]
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=window_environment(display)), pid_file


def window_environment(display: Display) -> dict[str, str]:
    environment = os.environ | {"DISPLAY": display.name, "QT_QPA_PLATFORM": "xcb"}
    environment["QTWEBENGINE_CHROMIUM_FLAGS"] = "--disable-gpu"
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses its sandbox to root, which only test machines are
        environment["QTWEBENGINE_DISABLE_SANDBOX"] = "1"
        environment["QTWEBENGINE_CHROMIUM_FLAGS"] += " --no-sandbox"
    return environment


def wait_for(holds: Callable[[], bool], window: subprocess.Popen[bytes], limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while not holds():
        assert window.poll() is None, f"the window program ended with status {window.returncode}"
        assert time.monotonic() < deadline, "the page was not drawn in time"
        time.sleep(0.2)


def drawn(screen: Path) -> bool:
    """The page with its button and letters, not half of it."""
    found = colours(pixels(screen))
    return PAGE_BLUE in found and len(found) >= COLOURS_MIN


def pixels(screen: Path) -> list[bytes]:
    """Return the rows of the screen as RGB; the file is an X window dump with 4 bytes a pixel, blue first."""
    dump = screen.read_bytes()
    header = struct.unpack(">25I", dump[:100])
    start, row_bytes = header[0] + 12 * header[19], header[12]
    assert (header[4], header[5], header[11]) == (WIDTH, HEIGHT, 32), "another screen layout than expected"
    rows = []
    for row in range(HEIGHT):
        line = dump[start + row * row_bytes :][: 4 * WIDTH]
        rgb = bytearray(3 * WIDTH)
        rgb[0::3], rgb[1::3], rgb[2::3] = line[2::4], line[1::4], line[0::4]
        rows.append(bytes(rgb))
    return rows


def colours(rows: list[bytes]) -> set[tuple[int, ...]]:
    """Return the colours of every fifth row, which is enough for areas and letters."""
    return {pixel for row in rows[::5] for pixel in zip(row[0::3], row[1::3], row[2::3], strict=True)}


def png(rows: list[bytes]) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0))
    body = zlib.compress(b"".join(b"\0" + row for row in rows), 6)
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")
