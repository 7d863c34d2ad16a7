"""The window: one page of the node, without a browser's address bar. It keeps nothing on disk.

Comes after `server`; `open_window` returns when the person has closed the window.
"""

import os
import sys
from types import ModuleType

from desktop.errors import WindowUnavailable

TITLE = "灯 Tomoshibi"
SIZE = (1440, 900)
SIZE_MIN = (800, 600)


def require_window() -> None:
    """Fail early, before a node is started, when this machine cannot show a window."""
    _webview()
    # Qt does not raise without a display, it aborts the process
    on_x11_or_wayland = sys.platform.startswith(("linux", "freebsd"))
    displays = ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    if on_x11_or_wayland and not any(os.environ.get(name) for name in displays):
        raise WindowUnavailable(
            "there is no display (DISPLAY and WAYLAND_DISPLAY are empty)",
            hint="run this in a desktop session, or use `tomoshibi serve` and a browser",
        )


def open_window(url: str) -> None:
    """Show the page and return when the window has been closed."""
    webview = _webview()
    webview.settings["ALLOW_DOWNLOADS"] = True  # exports and printed forms are saved from the page
    webview.create_window(TITLE, url, width=SIZE[0], height=SIZE[1], min_size=SIZE_MIN, text_select=True, zoomable=True)
    try:
        # private_mode: no cookie or page of the window stays on the disk outside the encrypted store
        webview.start(gui=_toolkit(), private_mode=True)
    except webview.errors.WebViewException as error:
        raise WindowUnavailable(f"the window could not be opened: {error}") from error


def _toolkit() -> str | None:
    """Return Qt on Linux, which the extra installs; elsewhere pywebview takes the system's own."""
    if not sys.platform.startswith("linux"):
        return None
    os.environ.setdefault("QT_API", "pyside6")
    return "qt"


def _webview() -> ModuleType:
    try:
        # imported late: servers and tablets run without the extra
        import webview
        import webview.errors
    except ImportError as error:
        raise WindowUnavailable(f"the desktop extra is not installed ({error})") from error
    module: ModuleType = webview
    return module
