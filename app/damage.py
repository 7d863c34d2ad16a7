"""A running node looks at its own files: soon after its start, and once a day. What it finds stands on every page.

Before: `serve` starts it. After: ``status`` and the strip above each page say it; `doctor --mend` mends it.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

FIRST_LOOK_S, NEXT_LOOK_S = 30.0, 24 * 3600.0


class Watch:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._stop = threading.Event()
        self.found = ""  # what is damaged; empty where nothing is known to be

    def start(self) -> None:
        threading.Thread(target=self._run, name="damage", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        wait_s = FIRST_LOOK_S
        while not self._stop.wait(wait_s):
            self.look()
            wait_s = NEXT_LOOK_S

    def look(self) -> str:
        """Check the seal of every page of both files, in a native thread; what was found."""
        faults = [f"{self._node.folder.database.name}: {fault}" for fault in self._node.store_faults()]
        faults += [f"{self._node.folder.blobs.name}: {fault}" for fault in self._node.blob_faults()]
        self.found = faults[0] if faults else ""
        if faults:
            log.error("%d faults in this node's files, the first: %s. See `tomoshibi doctor`.", len(faults), faults[0])
            self._node.tell_links_changed()
        return self.found
