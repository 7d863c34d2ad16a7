"""Bodies with files in them: how large each address takes them, and that nothing of them touches the disk.

Before: ``factory`` hangs it in front of every request. After: views ask ``files_of`` or ``only_file``.
"""

from __future__ import annotations

import io
from typing import IO, Any

from flask import Request, request
from werkzeug.exceptions import RequestEntityTooLarge

from app.errors import Invalid, UnsupportedMedia
from app.intake.receive import FILE_BYTES_MAX, too_large

FRAME_BYTES = 64 * 1024  # of the multipart body around the file
# Without scripts a form brings its photos with it; with them each photo comes alone, as soon as it was taken.
FORM_BYTES_MAX = 2 * FILE_BYTES_MAX + FRAME_BYTES
BODY_BYTES_MAX = {
    "api.attachments_create": FILE_BYTES_MAX + FRAME_BYTES,
    "attachments.create": FILE_BYTES_MAX + FRAME_BYTES,
    "damage_reports.create": FORM_BYTES_MAX,
    "chat_messages.create": FORM_BYTES_MAX,
    "damage_report_edits.save": FORM_BYTES_MAX,
    "patrol_points.create": FORM_BYTES_MAX,
    "patrol_points.clear": FORM_BYTES_MAX,
}
FILES_MAX = 10
_HINT = "Send multipart/form-data with one part named file."


class MemoryRequest(Request):
    """Werkzeug would write parts over 500 kB to a temporary file: a photo in clear beside the encrypted store."""

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()


def allow_files() -> None:
    """Before anything reads the body: the addresses that take files have a limit of their own."""
    limit = BODY_BYTES_MAX.get(request.endpoint or "")
    if limit is not None:
        request.max_content_length = limit


def only_file() -> bytes:
    """The one file of the request. Raises Invalid, TooLarge, UnsupportedMedia."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia("not_multipart", "The body is not multipart/form-data.", _HINT)
    try:
        parts = request.files.getlist("file")
    except RequestEntityTooLarge as error:
        raise too_large() from error
    if len(parts) != 1 or len(request.files) != 1:
        raise Invalid("required", "file is needed, once", _HINT, "file")
    return parts[0].stream.read()


def files_of(name: str) -> list[bytes]:
    """The files that a form brought with it; an input that was left empty sends an empty part without a name."""
    parts = request.files.getlist(name)
    if len(parts) > FILES_MAX:
        raise Invalid("too_many_files", "More files than a report takes.", f"Send at most {FILES_MAX}.", "attachments")
    return [data for part in parts if (data := part.stream.read()) or part.filename]
