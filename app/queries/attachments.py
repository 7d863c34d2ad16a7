"""Attachments: what is known of a file, which files this node should fetch, and which ones anything here names.

Before: records name files by their SHA-256. After: pages show them, ``app/wishes.py`` fetches them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from app.queries import row
from app.queries.row import Record, Where
from app.records.attachments import record_of

LAYER, THUMB, VIEW, ORIGINAL = range(4)  # the order in which they are fetched
NAMED_MAX = 100  # files that one record shows
_NAME = re.compile(r"[0-9a-f]{64}")
_NAME_IN_JSON = re.compile(r'"([0-9a-f]{64})"')


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that records name and this node should hold."""

    sha256: str
    rank: int
    at: int  # of one rank the newest first, ms
    size: int | None
    media_type: str | None


def described(db: Any, sha256: str) -> Record | None:
    """What some record says of this file, in whichever incident."""
    return row.get(db, "attachments", str(record_of(sha256))) if _NAME.fullmatch(sha256) else None


def described_all(db: Any, names: Iterable[str]) -> dict[str, Record]:
    """What records say of these files, by their names; one question for all."""
    ids = [str(record_of(name)) for name in names if _NAME.fullmatch(name)][: NAMED_MAX * 10]
    where = Where().also("id IN (SELECT value FROM json_each(?))", json.dumps(ids))
    return {one["sha256"]: one for one in row.select(db, row.kind_of("attachments"), where)} if ids else {}


def of_record(db: Any, record: Record) -> list[Record]:
    """The descriptions of the files that a record names, in its order; without those that nobody has described."""
    names = [name for name in record.fields.get("attachments") or () if isinstance(name, str)][:NAMED_MAX]
    found = [described(db, name) for name in names]
    return [attachment for attachment in found if attachment is not None]


def wanted(db: Any, is_hub: bool, ids: Sequence[str] | None = None) -> list[Wanted]:
    """What a node of this role fetches by itself: a hub everything, a terminal layers and thumbnails.

    ``ids``: only what these records name.
    """
    where = Where() if ids is None else Where().also(f"id IN ({', '.join('?' * len(ids))})", *ids)
    found = [*_of_layers(db, where), *_of_attachments(db, where)]
    return [file for file in found if is_hub or file.rank in (LAYER, THUMB)]


def about(db: Any, sha256: str) -> Wanted | None:
    """The file as the records that name it tell of it; None where none does. Layers are fetched without being asked."""
    columns = "sha256 = ? OR view = ? OR thumb = ?"
    where = Where().also(f"({columns})", sha256, sha256, sha256)
    found = [file for file in _of_attachments(db, where) if file.sha256 == sha256]
    return min(found, key=lambda file: file.rank, default=None)


def named(db: Any) -> set[str]:
    """Every file that a record, a draft's facts or a layer in use names: it is not to be cleaned away."""
    names: set[str] = set()
    for record in db.execute("SELECT sha256, view, thumb FROM attachments"):
        names.update(name for name in tuple(record) if name)
    for sql in (
        "SELECT files FROM layers",
        "SELECT entry FROM layers_in_use",
        "SELECT facts FROM attachment_facts",
    ):
        for (text,) in db.execute(sql):
            names.update(_NAME_IN_JSON.findall(text or ""))
    return names


def named_among(db: Any, names: Iterable[str]) -> set[str]:
    """Which of these files a record's description names as the file itself, not as its view or thumbnail."""
    found = {record["sha256"] for name in names if (record := described(db, name)) is not None}
    return {str(name) for name in found}


def _of_layers(db: Any, where: Where) -> Iterator[Wanted]:
    for files, at in db.execute(f"SELECT files, updated_at FROM layers WHERE {where.sql()}", where.values):
        listed = json.loads(files or "[]")
        for file in listed if isinstance(listed, list) else ():
            if isinstance(file, dict) and _NAME.fullmatch(str(file.get("sha256"))):
                yield Wanted(file["sha256"], LAYER, at, file.get("size"), file.get("media_type"))


def _of_attachments(db: Any, where: Where) -> Iterator[Wanted]:
    columns = "sha256, size, media_type, view, view_size, thumb, thumb_size, created_at"
    for record in db.execute(f"SELECT {columns} FROM attachments WHERE {where.sql()}", where.values):
        sha256, size, media_type, view, view_size, thumb, thumb_size, at = tuple(record)
        for name, rank, bytes_, kind in (
            (thumb, THUMB, thumb_size, "image/jpeg"),
            (view, VIEW, view_size, "image/jpeg"),
            (sha256, ORIGINAL, size, media_type),
        ):
            if name and _NAME.fullmatch(name):
                yield Wanted(name, rank, at, *((size, media_type) if name == sha256 else (bytes_, kind)))
