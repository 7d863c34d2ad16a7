"""閲覧記録: who has read what is sealed, a ledger. It is durable before what was read is shown.

The person is the entry's author and the device its node. The record is named by its id, which says nothing about
anybody; what stood there is in no entry.
"""

from __future__ import annotations

import uuid

from sync.kinds import Field, Kind
from sync.operation import ENTRY, Change

PAGES = ("show", "edit", "api", "export", "print")

KIND = Kind(
    "sealed-reads",
    entry=True,
    fields={
        "collection": Field("text"),
        "record": Field("id"),
        "count": Field("integer"),  # of records
        "page": Field("text"),
    },
)


def read(entry_id: uuid.UUID, scope: bytes, collection: str, record_id: str, page: str, count: int = 1) -> Change:
    """Somebody is about to be shown what is sealed of a record."""
    fields = {"collection": collection, "record": record_id, "count": count, "page": page}
    return Change(KIND.name, entry_id.bytes, scope, fields, ENTRY)
