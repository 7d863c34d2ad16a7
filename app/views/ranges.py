"""The bytes of a blob as an answer: whole, or the range that was asked for. Named by their hash, they never change.

Before: a view has checked the permission and the kind of the file. After: the browser, which must not guess the type.
"""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.errors import NotFound
from app.intake import naming
from app.records import shape

SANDBOX = "default-src 'none'; sandbox"
MEDIA_TYPES = ("image/jpeg", "image/png", "audio/webm")  # what the intake makes; nothing else is an attachment
KEPT_SECONDS = 31_536_000


def attachment(node: Any, sha256: str, *, inline: bool) -> Response:
    """The file, its view or its thumbnail. Raises NotFound, which says who holds it where a record names it."""
    shape.sha256("sha256", sha256)
    media_type = node.blobs.media_type(sha256) if node.blobs.has(sha256) else None
    if media_type in MEDIA_TYPES:
        return blob(node, sha256, media_type, inline=inline)
    state = node.blobs.state(sha256)
    if media_type is None and (state.holders or naming.facts_of(node.reader(), sha256) is not None):
        node.blobs.want(sha256)
        held = ", ".join(holder[:12] for holder in state.holders) or "nobody known"
        hint = "It was asked for now; try again when a node that holds it is connected."
        raise NotFound("attachment_not_here", f"The file is not on this node yet; held by: {held}.", hint)
    raise NotFound("not_found", "No file has this hash here.", "Check the hash; its record may not have arrived yet.")


def blob(node: Any, sha256: str, media_type: str, *, inline: bool) -> Response:
    """The blob, which is here. 304 for who has it, 206 for a range, 416 for one beyond the end."""
    size = int(node.blobs.size(sha256) or 0)
    start, end, status = _wanted(sha256, size)
    if status in (304, 416):
        answer = Response(status=status)
    else:
        answer = Response(node.blobs.read(sha256, start, end - start), status, mimetype=media_type)
    if status == 206:
        answer.headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    if status == 416:
        answer.headers["Content-Range"] = f"bytes */{size}"
    answer.set_etag(sha256)
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Content-Disposition"] = "inline" if inline else "attachment"
    answer.headers["Cache-Control"] = f"private, max-age={KEPT_SECONDS}, immutable"
    return answer


def _wanted(sha256: str, size: int) -> tuple[int, int, int]:
    """(first byte, byte after the last, status)"""
    if request.if_none_match.contains(sha256):
        return 0, 0, 304
    asked = request.range
    fresh = request.if_range.etag in (None, sha256)
    if asked is None or asked.units != "bytes" or len(asked.ranges) != 1 or not fresh:
        return 0, size, 200
    found = asked.range_for_length(size)
    return (*found, 206) if found else (0, 0, 416)
