"""The ETag of a record: its live versions. Pure.

A client that edits sends back the ETag of what it saw, and the edit replaces exactly those versions:
whoever wrote in the meantime keeps a value (a conflict that people see), nobody is overwritten.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable

import msgspec

from app.errors import BadRequest, PreconditionFailed, PreconditionRequired
from sync.limits import INT64_MAX, NAMES_MAX
from sync.operation import Version

HEADER_CHARS_MAX = 16_384
ANY = "*"
# Stands as a field, true, in an operation whose writer named whatever the node showed: the history says 上書き.
OVERWRITES = "overwrites"

_HINT = "Send the ETag of the record as you last read it, in double quotes, or * for what is shown now."


def make_etag(versions: Iterable[Version]) -> str:
    """The header's value, quotes included; the same for the same versions in any order."""
    packed = msgspec.msgpack.encode(sorted([origin, seq] for origin, seq in versions))
    return '"' + base64.urlsafe_b64encode(packed).rstrip(b"=").decode() + '"'


def read_if_match(header: str | None) -> tuple[Version, ...] | None:
    """The versions that the client saw; None for ``*``. Raises where there is no ETag of ours."""
    if header is None or not header.strip():
        raise PreconditionRequired("if_match_required", "If-Match is needed to change a record.", _HINT)
    value = header.strip()
    if value == ANY:
        return None
    if len(value) > HEADER_CHARS_MAX or len(value) < 2 or value[0] != '"' or value[-1] != '"' or '"' in value[1:-1]:
        raise BadRequest("bad_if_match", "If-Match is not one strong ETag.", _HINT)
    return _unpack(value[1:-1])


def read_versions(tag: str) -> tuple[Version, ...]:
    """The versions in a form's hidden field: an ETag with or without its quotes."""
    return _unpack(tag.strip().strip('"'))


def _unpack(tag: str) -> tuple[Version, ...]:
    try:
        packed = base64.b64decode(tag + "=" * (-len(tag) % 4), altchars=b"-_", validate=True)
        versions = msgspec.msgpack.decode(packed, type=list[tuple[bytes, int]])
    except (binascii.Error, ValueError, msgspec.MsgspecError, RecursionError) as error:
        raise _unknown() from error
    if not 0 < len(versions) <= NAMES_MAX:
        raise _unknown()
    if any(len(origin) != 16 or not 1 <= seq <= INT64_MAX for origin, seq in versions):
        raise _unknown()
    return tuple(versions)


def _unknown() -> PreconditionFailed:
    return PreconditionFailed("if_match_unknown", "If-Match names nothing that this record ever was.", _HINT)
