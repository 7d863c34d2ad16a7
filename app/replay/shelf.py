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
from sync.frontiers import Frontier

if TYPE_CHECKING:
    from app.node import Node

KEPT_MAX = 4  # each is a file of about the size of the tables
BASES_MAX = 3
LARGE = 4_000  # operations: what takes longer than a moment to fold
HOUR_MS = 3_600_000
BASE_BEFORE_MS = 2 * HOUR_MS


class Shelf:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._kept: dict[View, Past] = {}
        self._bases: dict[View, Past] = {}  # full hours, from which the times after them are folded on
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
            for past in (*self._kept.values(), *self._bases.values()):
                past.close()
            self._kept.clear()
            self._bases.clear()

    def _make(self, view: View) -> Past:
        frontier, missing = self._frontier(view)
        base = self._nearest(view, frontier)
        early = View((view.at - BASE_BEFORE_MS) // HOUR_MS * HOUR_MS, view.of)
        if sum(frontier.values()) > LARGE and (base is None or base.view.at < early.at):
            try:
                self._bases[early] = base = Past(self._node, early, *self._frontier(early), base=base)
            except Conflict:
                base = None  # of that hour nothing is known
            while len(self._bases) > BASES_MAX:
                self._bases.pop(next(iter(self._bases)))
        return Past(self._node, view, frontier, missing, base=base)

    def _frontier(self, view: View) -> tuple[Frontier, int]:
        db = self._node.reader()
        if view.of == "node" or self._node.is_hub:
            return frontiers.held_at(db, view.at), 0
        told = frontiers.told_at(db, self._node.hub_node or b"", view.at)
        if told is None:
            hint = "Ask at the hub, or for what this node knew."
            raise Conflict("hub_not_told", "This node was not told what the hub knew then.", hint)
        return told

    def _nearest(self, view: View, frontier: Frontier) -> Past | None:
        """The latest of what is here that is a beginning of it: no more was known, and of no other fork."""
        forks = self._forks_seen(view.at)
        fitting = [
            past
            for past in (*self._kept.values(), *self._bases.values())
            if past.view.of == view.of
            and past.view.at <= view.at
            and all(last <= frontier.get(stream, 0) for stream, last in past.frontier.items())
            and self._forks_seen(past.view.at) == forks
        ]
        return max(fitting, key=lambda past: past.operations, default=None)

    def _forks_seen(self, at: int) -> int:
        row = self._node.reader().execute("SELECT count(*) FROM branch WHERE seen_at <= ?", (at,)).fetchone()
        return int(row[0])
