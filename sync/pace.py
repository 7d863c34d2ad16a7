"""How much one commit takes on this machine, so that a person's save never waits long behind a catch-up. Pure.

Before: ``writer`` timed a batch. After: it keeps the next one, and ``link`` each of its jobs, within what this says.
"""

from __future__ import annotations

from dataclasses import dataclass

from sync import limits

NEWEST_SHARE = 0.3  # how much the last batch counts against those before it


def ops_max(ops_per_ms: float | None) -> int:
    """The operations that a batch may hold, at so many in a millisecond; None where nothing was measured yet."""
    if ops_per_ms is None:
        return limits.BATCH_OPS_MAX
    return max(1, min(int(ops_per_ms * limits.BATCH_MS_MAX), limits.BATCH_OPS_MAX))


@dataclass(slots=True)
class Pace:
    ops_per_ms: float | None = None

    @property
    def ops_max(self) -> int:
        return ops_max(self.ops_per_ms)

    def took(self, operations: int, ms: float) -> None:
        """A batch was committed. A small one says little: what it took was the disk, and more would have fitted."""
        rate = operations / max(ms, 0.001)
        before = self.ops_per_ms
        if 2 * operations < self.ops_max and (before is None or rate < before):
            return
        self.ops_per_ms = rate if before is None else (1 - NEWEST_SHARE) * before + NEWEST_SHARE * rate
