"""The people of a damage report: who told of it and who was hurt. Sealed to HQ, beside the report under its id.

Whoever files a report can write it, also where nobody can read it back; an edit by who could not read it adds a value
and replaces none.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.records import shape
from app.records.noun import Noun
from sync.kinds import Field, Kind
from sync.operation import Change, Version

SCOPE = "hq"
_PHOTO = re.compile(r"([0-9a-f]{64}) ([0-9a-f]{64}) (image/(?:jpeg|png))")
CASUALTY_NAMES_CHARS_MAX = 1_000  # 3,000 bytes of Japanese: what is sealed is at most 8 KiB

KIND = Kind(
    "damage-report-people",
    sealed=SCOPE,
    fields={
        "caller_name": Field("text"),
        "caller_phone": Field("text"),
        "caller_address": Field("text"),
        "casualty_names": Field("text"),
        "photos": Field("ids", "set"),  # SHA-256 of the sealed file, its key and its media type, between spaces
    },
)
FIELDS = ("caller_name", "caller_phone", "caller_address", "casualty_names")

NOUN = Noun(
    KIND,
    checks={
        "caller_name": shape.text(shape.NAME_CHARS_MAX, lines=False),
        "caller_phone": shape.text(40, lines=False),
        "caller_address": shape.text(shape.LINE_CHARS_MAX, lines=False),
        "casualty_names": shape.text(CASUALTY_NAMES_CHARS_MAX),
    },
)


def beside(report: Change, form: Mapping[str, Any], photos: Sequence[str] = ()) -> list[Change]:
    """What goes into the log beside a new report; nothing where nothing is said of people. Raises Invalid."""
    fields = {name: value for name, value in NOUN.clean(form).items() if value is not None} | _added(photos)
    return [Change(KIND.name, report.record, report.scope, fields)] if fields else []


def edited(
    record_id: uuid.UUID,
    scope: bytes,
    form: Mapping[str, Any],
    seen: tuple[Version, ...] | None,
    photos: Sequence[str] = (),
) -> Change:
    """A change of what is said of people. Who could not read it has ``seen`` nothing, and adds. Raises Invalid."""
    return Change(KIND.name, record_id.bytes, scope, NOUN.clean(form) | _added(photos), replaces=seen)


def photo(sha256: str, key: bytes, media_type: str) -> str:
    """A sealed photo as the record names it: who has the record has its key."""
    return f"{sha256} {key.hex()} {media_type}"


def key_of(photos: Iterable[str], sha256: str) -> tuple[bytes, str] | None:
    """(key, media type) of a sealed photo that the record names; None where it names none so."""
    for element in photos:
        match = _PHOTO.fullmatch(element)
        if match and match[1] == sha256:
            return bytes.fromhex(match[2]), match[3]
    return None


def named_photos(photos: Iterable[str]) -> list[str]:
    """The hashes of the sealed photos."""
    return [match[1] for element in photos if (match := _PHOTO.fullmatch(element))]


def _added(photos: Sequence[str]) -> dict[str, Any]:
    return {"photos": {"add": sorted(photos), "drop": []}} if photos else {}
