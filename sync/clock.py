"""Hybrid logical clock: stamps that grow on a node and follow what it has read. Pure: the time is handed in.

A stamp only breaks ties and orders ledgers; who replaced whom comes from ``replaces``. So a bad clock can
make a display odd, never lose work (docs/protocol.md §2).
"""

from __future__ import annotations

from dataclasses import dataclass

COUNTER_BITS = 16
COUNTER_MAX = (1 << COUNTER_BITS) - 1
HLC_LIMIT = 1 << 62
FOREIGN_AHEAD_MS_MAX = 10 * 60 * 1000  # a stamp further ahead than this does not move our clock
OWN_AHEAD_MS_MAX = 10 * 60 * 1000  # a node that finds itself further ahead re-bases


def hlc_of(ms: int, counter: int = 0) -> int:
    return (ms << COUNTER_BITS) | counter


def ms_of(hlc: int) -> int:
    return hlc >> COUNTER_BITS


@dataclass(slots=True)
class Clock:
    """The last stamp of this node. ``last`` is persisted in the commit that uses it."""

    last: int = 0

    def stamp(self, now_ms: int) -> int:
        """The next stamp for an own write at ``now_ms`` (corrected time, ms since 1970).

        Raises nothing: an own write is never refused for a clock. A stamp never falls below the last one,
        except where the last one stands more than 10 minutes ahead of the corrected time (re-base).
        """
        now = hlc_of(max(now_ms, 0))
        if now > self.last or ms_of(self.last) - now_ms > OWN_AHEAD_MS_MAX:
            self.last = now
        else:
            self.last += 1  # a full counter carries into the milliseconds
        return self.last

    def observe(self, foreign: int, now_ms: int) -> bool:
        """Follow a stamp that was read. False where it is too far ahead and was not followed."""
        if ms_of(foreign) - now_ms > FOREIGN_AHEAD_MS_MAX:
            return False
        self.last = max(self.last, foreign)
        return True
