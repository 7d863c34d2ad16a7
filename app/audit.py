"""Reads of what is sealed are written down before they are answered: durable first, shown then.

Before: a page or the API is about to show it. After: ``queries/sealed_reads`` lists who read, and raises the alarm. The
entry is an operation like any other: it is made without a network, and reaches HQ later.
"""

from __future__ import annotations

import threading
import uuid
from collections import OrderedDict
from typing import Any

from app.errors import StoreUnavailable
from app.queries.row import Record
from app.records import sealed_reads
from sync.authoring import Recorded
from sync.errors import SyncError

AGAIN_MS = 5 * 60_000  # the same person, the same record: one entry stands for what is seen again so soon
REMEMBERED_MAX = 10_000


class ReadAudit:
    """Of one node. What it remembers is only which entries it need not write again; a start forgets it."""

    def __init__(self, node: Any) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._written: OrderedDict[tuple[str, str, str, str], tuple[int, int]] = OrderedDict()

    def before_reading(
        self, person_id: str, collection: str, record: Record, page: str, *, scope: bytes | None = None, count: int = 1
    ) -> None:
        """Write that a person is about to be shown what is sealed of a record, or of ``count`` that it stands for.

        ``scope``: the incident in which something of the city's is read. Raises StoreUnavailable: then it must not be
        shown.
        """
        scope = bytes.fromhex(record.scope) if scope is None else scope
        now, read = self._node.clock(), (person_id, collection, record.id, page)
        with self._lock:
            last, shown = self._written.get(read, (None, 0))
        if last is not None and 0 <= now - last < AGAIN_MS and count <= shown:
            return
        entry = _entry_id(now, self._node.replica.random(10))
        change = sealed_reads.read(entry, scope, collection, record.id, page, count)
        try:
            result = self._node.write([change], person_id)
        except SyncError as error:
            raise _refusal() from error
        if not isinstance(result, Recorded):
            raise _refusal()
        with self._lock:
            self._written[read] = (now, count)
            self._written.move_to_end(read)
            while len(self._written) > REMEMBERED_MAX:
                self._written.popitem(last=False)


def _refusal() -> StoreUnavailable:
    return StoreUnavailable(
        "read_not_recorded",
        "What is sealed is shown only when the reading could be recorded, and this node could not record it.",
        "Free some disk space on this node, then open it again; see `tomoshibi doctor`.",
    )


def _entry_id(now_ms: int, chance: bytes) -> uuid.UUID:
    """A UUID of version 7, of this moment."""
    value = (now_ms & ((1 << 48) - 1)) << 80 | int.from_bytes(chance, "big")
    value = value & ~(0xF << 76) | 7 << 76
    return uuid.UUID(int=value & ~(0x3 << 62) | 2 << 62)
