"""Where the system's Chromium lies, and how it is started for a test."""

from __future__ import annotations

import os
import shutil

# The system's Chromium: no download of a browser, no talk with its maker.
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync "
    "--use-fake-device-for-media-stream --use-fake-ui-for-media-stream"  # a microphone that beeps
)
NAMES = ("chromium", "chromium-browser", "google-chrome")


def headless_program() -> str | None:
    """The same engine without a browser's own windows, where it is there: a page costs it less than half."""
    return os.environ.get("TOMOSHIBI_CHROMIUM") or shutil.which("chromium-headless-shell") or chromium_program()


def chromium_program() -> str | None:
    """TOMOSHIBI_CHROMIUM, else what the system calls it; None where there is none."""
    return os.environ.get("TOMOSHIBI_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
