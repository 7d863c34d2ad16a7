"""Has the index of words folded behind the commits, when the writer has a moment.

Before: ``node.start`` begins it. After: ``store/search.py`` folds, a small batch at a time, so that no save waits.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from app.store import search
from sync.errors import StoreFailed, StoreFull, WriterBusy, WriterStopped

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

GATHERED_S = 2.0  # what comes within it is folded together
AFTER_A_FAILURE_S = 60.0


class Follower:
    """One a node. A disk that takes nothing hides nothing: what is noted is found all the same."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._noted, self._stop = threading.Event(), threading.Event()

    def start(self) -> None:
        self._noted.set()  # what the last run left
        self._node.subscribe(lambda changed: self._noted.set() if changed else None)
        threading.Thread(target=self._run, name="search", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._noted.set()

    def fold_all(self) -> None:
        """Bring everything noted into the index. Raises as the writer does."""
        while not self._stop.is_set() and self._node.local_write(search.fold):
            pass

    def _run(self) -> None:
        while not self._stop.is_set():
            self._noted.wait()
            if self._stop.wait(GATHERED_S):
                return
            self._noted.clear()
            try:
                self.fold_all()
            except WriterStopped:
                return
            except (StoreFull, StoreFailed, WriterBusy) as error:
                log.warning("the index of words waits: %s", error)
                self._noted.set()
                self._stop.wait(AFTER_A_FAILURE_S)
