"""Time for what must end: it never goes back and never stands still, whatever is done to the machine's clock.

Sessions and codes are measured by ``now``. A one-time password is made for the true time, so it is refused while the
clock stands far behind what this node has seen (``refuse_set_back``).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.errors import Unauthenticated
from app.store import meta
from app.store.engine import Connection

_KEY = "clock_high_ms"
BACK_MS_MAX = 5 * 60_000  # a clock that the hub or the network puts right goes back, too, but not by this much each day


class SteadyClock:
    def __init__(self, node: Any, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._node, self._monotonic = node, monotonic
        self._high: int | None = None
        self._at = 0.0

    def now(self) -> int:
        """ms since 1970; the highest time that was ever seen here, and what has passed since."""
        if self._high is None:
            self._high, self._at = int(meta.read_text(self._node.reader(), _KEY) or 0), self._monotonic()
        at = self._monotonic()
        passed = int((at - self._at) * 1000)
        self._high = max(self._node.clock(), self._high + passed)
        self._at += passed / 1000
        return self._high

    def keep(self, connection: Connection) -> None:
        """Written beside each use of a session or code: a restart does not forget how late it was."""
        meta.write(connection, _KEY, str(self.now()))

    def refuse_set_back(self) -> None:
        if self.now() - self._node.clock() > BACK_MS_MAX:
            hint = "Put the clock of this machine right, or use a recovery code."
            raise Unauthenticated("clock_set_back", "The clock of this node was set back.", hint)

    def accept(self, connection: Connection) -> None:
        """Somebody with a recovery code, or at the command line, says that the clock is right now."""
        self._high, self._at = self._node.clock(), self._monotonic()
        meta.write(connection, _KEY, str(self._high))
