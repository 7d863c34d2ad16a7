"""The program's own files as browsers get them: under an address that changes with what is in them.

A browser keeps a file for a year, so a file that was changed has another address. The mark of the content stands
in the path and not behind it: modules that ask for their neighbours by ``./name.js`` then ask for the same release,
and for the same file as the page did. The page's styles come as one sheet: some forty files would each wait for one
of a browser's six connections.
"""

from __future__ import annotations

import hashlib
import io
from functools import cache
from pathlib import Path

from flask import Flask, Response, send_file

FOLDER = Path(__file__).parent / "static"
SHEET = "css/all.css"
IN_SHEET = (
    *("tokens", "base", "layout", "header", "nav", "badge", "drill", "buttons", "tiles", "counts", "rows", "map"),
    *("map_marks", "hazard", "patrols"),
    *("status", "forms", "conflict", "dots", "chat", "toast", "notice", "report", "photos", "front", "shelters"),
    *("instructions", "chronicle", "musters", "bulletins", "hq_meetings"),
    "replay",
    *("people", "devices", "sealed", "keys", "print"),
)


class Site(Flask):
    """A Flask application whose files have such addresses."""

    def __init__(self, import_name: str) -> None:
        super().__init__(import_name, static_url_path=f"/static/{fingerprint()}")

    def send_static_file(self, filename: str) -> Response:
        if filename != SHEET:
            return super().send_static_file(filename)
        content, age = io.BytesIO(sheet()), self.get_send_file_max_age(filename)
        return send_file(content, mimetype="text/css", max_age=age, etag=fingerprint())


@cache
def fingerprint() -> str:
    """Twelve hexadecimal digits of what our own files hold; vendored packages have their version in their path."""
    told = hashlib.blake2b(digest_size=6)
    for folder in sorted(one for one in FOLDER.iterdir() if one.name != "vendor"):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                told.update(f"{path.relative_to(FOLDER).as_posix()} {path.stat().st_size}\n".encode())
                told.update(path.read_bytes())
    return told.hexdigest()


@cache
def sheet() -> bytes:
    """The styles of every page, in their order: what stands later wins."""
    return b"\n".join((FOLDER / "css" / f"{name}.css").read_bytes() for name in IN_SHEET)
