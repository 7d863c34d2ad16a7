"""The pasts of a node that were asked for last: who moves the slider back finds them ready.

Before: a view or the command asks. After: ``past``, which is made in a native thread, one at a time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from app.errors import Conflict
from app.replay.past import Past, View
from app.store import laid_over
from app.threads import in_native_thread
from sync import frontiers

if TYPE_CHECKING:
    from app.node import Node

KEPT_MAX = 4  # each is a file of about the size of the tables


class Shelf:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._kept: dict[View, Past] = {}
        laid_over.sweep(node.home)

    def past(self, view: View, *, words: bool = False) -> Past:
        """The node at that time; ``words``: somebody looks for some."""
        with self._lock:
            found = self._kept.pop(view, None) or in_native_thread(lambda: self._make(view))
            self._kept[view] = found
            while len(self._kept) > KEPT_MAX:
                self._kept.pop(next(iter(self._kept)))  # whoever still reads in it keeps it open until then
            if words:
                in_native_thread(found.fold_words)
            return found

    def close(self) -> None:
        with self._lock:
            for past in self._kept.values():
                past.close()
            self._kept.clear()

    def _make(self, view: View) -> Past:
        db = self._node.reader()
        if view.of == "node" or self._node.is_hub:
            return Past(self._node, view, frontiers.held_at(db, view.at))
        told = frontiers.told_at(db, self._node.hub_node or b"", view.at)
        if told is None:
            hint = "Ask at the hub, or for what this node knew."
            raise Conflict("hub_not_told", "This node was not told what the hub knew then.", hint)
        return Past(self._node, view, *told)
