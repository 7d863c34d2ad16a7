"""What this node fetches, derived from its own tables: it only ever asks for what an operation here names.

Before: the commit that changed the catalogue of layers or a description. After: ``sync/wishes`` orders the files over
all links. Also what is cleaned away: files that nothing has named for a month.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.queries import attachments
from app.queries.attachments import Wanted
from app.threads import in_native_thread
from sync.blobs import KEY_TYPE
from sync.wishes import Wish, Wishes

if TYPE_CHECKING:
    from app.effects import Changed
    from app.node import Node

NAMING_KINDS = frozenset({"attachments", "layers"})
FIRST = -1  # wrapped keys: a few bytes, before all else
IDS_AT_ONCE = 200
KEPT_MS = 30 * 24 * 3600 * 1000  # how long a file that nothing names is kept: a draft may still name it


class NodeWishes:
    """The files of one node: wanted, and no longer wanted."""

    def __init__(self, node: Node, wishes: Wishes) -> None:
        self._node, self._blobs, self._wishes = node, node.blobs, wishes
        self._unsent: int | None = None

    def start(self) -> None:
        """Begin to fetch what is missing, and to clean away what nobody names, in the background."""
        in_native_thread(self._all)
        threading.Thread(target=self._clean, name="clean-files", daemon=True).start()

    def _all(self) -> None:
        self._add(attachments.wanted(self._node.reader(), self._node.is_hub))
        self._add_keys()

    def _add_keys(self) -> None:
        wanted = self._node.sealing.wanted()
        self._add([Wanted(name.hex(), FIRST, 0, size, KEY_TYPE) for name, size in wanted])

    def changed(self, changed: Changed) -> bool:
        """Wish for what these records name. True where any of them names files."""
        self._unsent = None
        ids = sorted({record for kind, _, record in changed if kind in NAMING_KINDS})
        for at in range(0, len(ids), IDS_AT_ONCE):
            part = ids[at : at + IDS_AT_ONCE]
            self._add(attachments.wanted(self._node.reader(), self._node.is_hub, part))
        if any(kind == "grants" for kind, _, _ in changed):
            self._add_keys()
        return bool(ids)

    def want(self, name: bytes) -> None:
        """Somebody opened this file: what records say of it tells how large it may be."""
        told = attachments.about(self._node.reader(), name.hex())
        if told is not None:
            self._add([told])
        self._wishes.urge(name, self._node.wall())

    def _add(self, files: Sequence[Wanted]) -> None:
        here = self._blobs.whole_among(bytes.fromhex(file.sha256) for file in files)
        wishes = [_wish(file) for file in files]
        self._wishes.add(wish for wish in wishes if wish.name not in here)

    def status(self) -> dict[str, Any]:
        """{held, wanted, bytes_wanted, unsent}: unsent counts photos and recordings that the hub has not receipted."""
        return {
            "held": self._blobs.count(),
            "wanted": len(self._wishes),
            "bytes_wanted": self._wishes.bytes_wanted,
            "unsent": self._count_unsent(),
        }

    def _count_unsent(self) -> int:
        """Kept until something moves: every page asks for it."""
        if self._unsent is None:
            hub = self._node.hub_node
            made = self._blobs.made_here(hub) if hub and not self._node.is_hub else []
            self._unsent = len(attachments.named_among(self._node.reader(), (name.hex() for name in made)))
        return self._unsent

    def _clean(self) -> None:
        in_native_thread(self._delete_unnamed)

    def _delete_unnamed(self) -> None:
        old = self._blobs.older_than(self._node.wall() - KEPT_MS)
        if old:
            named = attachments.named(self._node.reader()) | self._node.sealing.named()
            self._blobs.delete_all([name for name in old if name.hex() not in named])


def _wish(file: Wanted) -> Wish:
    return Wish(bytes.fromhex(file.sha256), file.rank, file.at, file.size, file.media_type)
