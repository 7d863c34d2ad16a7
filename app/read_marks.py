"""Read marks on their way to the log: of one person and channel at most one in five seconds, the newest.

Before: a page says what it has shown. After: ``records/channel_reads``. One that a power cut takes away was never
said to anybody: the messages stay unread.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from sync.errors import SyncError
from sync.operation import Change

if TYPE_CHECKING:
    from app.node import Node

log = logging.getLogger(__name__)

APART_S = 5.0
KEPT_MAX = 2_000

Key = tuple[str, bytes]  # person, record of the mark


class ReadMarks:
    def __init__(self, node: Node, apart_s: float = APART_S) -> None:
        self._node, self._apart_s = node, apart_s
        self._lock = threading.Lock()
        self._written: dict[Key, float] = {}
        self._waiting: dict[Key, Change] = {}

    def say(self, author: str, change: Change) -> bool:
        """Write the mark, or keep it for the end of the five seconds; True where it was written."""
        key, now = (author, change.record), time.monotonic()
        with self._lock:
            rest = self._apart_s - (now - self._written.get(key, -self._apart_s))
            if rest > 0:
                waits = key in self._waiting
                self._waiting[key] = change
                if not waits:
                    self._later(rest, key)
                return False
            if len(self._written) >= KEPT_MAX:
                self._written = {one: at for one, at in self._written.items() if now - at < self._apart_s}
            self._written[key] = now
        self._node.write([change], author)
        return True

    def _later(self, seconds: float, key: Key) -> None:
        timer = threading.Timer(seconds, self._write_waiting, (key,))
        timer.daemon = True
        timer.start()

    def _write_waiting(self, key: Key) -> None:
        with self._lock:
            change = self._waiting.pop(key, None)
            self._written[key] = time.monotonic()
        if change is None:
            return
        try:
            self._node.write([change], key[0])
        except SyncError as error:  # the page says it again with the next message
            log.warning("a read mark was not kept: %s", error)
