"""Attachments (写真・音声): what is known of a file that a record names. The bytes lie beside the log (`sync/blobs`).

Written in one transaction with the record that names the file; many nodes may write the same description. The id of
the record is the first 16 bytes of the file's SHA-256.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change

KIND = Kind(
    "attachments",
    fields={
        "sha256": Field("text"),
        "size": Field("integer"),
        "media_type": Field("text"),
        "view": Field("text"),  # SHA-256 of the picture at 1,600 px; the file itself where that is smaller
        "view_size": Field("integer"),
        "thumb": Field("text"),  # SHA-256 of the thumbnail
        "thumb_size": Field("integer"),
        "width": Field("integer"),
        "height": Field("integer"),
        "duration_ms": Field("integer"),
        "taken_at": Field("integer"),  # EXIF time, ms since 1970; the camera's clock, not ours
        "exif_location": Field("point"),
    },
)

NOUN = Noun(
    KIND,
    checks={
        "sha256": shape.sha256,
        "size": shape.integer(1, 1 << 30),
        "media_type": shape.text(64, lines=False),
        "view": shape.sha256,
        "view_size": shape.integer(1, 1 << 30),
        "thumb": shape.sha256,
        "thumb_size": shape.integer(1, 1 << 30),
        "width": shape.integer(1, 100_000),
        "height": shape.integer(1, 100_000),
        "duration_ms": shape.integer(0, 3_600_000),
        "taken_at": shape.moment,
        "exif_location": shape.point,
    },
    needed=("sha256", "size", "media_type"),
)
create, edit = NOUN.create, NOUN.edit


def record_of(sha256: str) -> uuid.UUID:
    """The one id that every node gives to the description of this file."""
    return uuid.UUID(hex=sha256[:32])


def described(scope: bytes, fields: Mapping[str, Any]) -> Change:
    """The change that describes a file in a scope, whether or not somebody has described it there before."""
    known = {name: value for name, value in fields.items() if value is not None}
    change = NOUN.create(record_of(fields["sha256"]), scope, known)
    return replace(change, expects=None, replaces=None)
