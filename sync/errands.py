"""Jobs done one after the other beside the links, so that no link waits for a disk. A thread or greenlet of its own.

Before: ``link`` hands in what is to be kept of files. After: ``blobs`` has it durably, and the link goes on.
"""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

Job = Callable[[], None]
log = logging.getLogger(__name__)


class Errands:
    """Bounded by the links: each has one chunk under way."""

    def __init__(self) -> None:
        self._queue: queue.Queue[Job | None] = queue.Queue()
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop, name="errands", daemon=True)
            self._thread.start()
        self._queue.put(job)

    def stop(self) -> None:
        """End after what is queued."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout=5)
            self._thread = None

    def _loop(self) -> None:
        while (job := self._queue.get()) is not None:
            try:
                job()
            except Exception:  # the next is another link's
                log.exception("an errand failed")
