"""Token buckets: how much a caller may ask for at once, and how much over time. Pure: the time is handed in.

After: ``rates`` keeps one for each caller over HTTP, ``socket_guard`` one for each socket.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """What a bucket holds when it is full, and what flows in."""

    burst: int
    per_s: float


@dataclass(slots=True)
class Bucket:
    rate: Rate
    _left: float
    _at: float

    @staticmethod
    def full(rate: Rate, now_s: float) -> Bucket:
        return Bucket(rate, float(rate.burst), now_s)

    def take(self, now_s: float, amount: float = 1.0) -> float:
        """0 where there was enough; otherwise nothing is taken, and the seconds until there is are returned."""
        self._left = min(float(self.rate.burst), self._left + max(0.0, now_s - self._at) * self.rate.per_s)
        self._at = now_s
        if self._left < amount:
            return (amount - self._left) / self.rate.per_s
        self._left -= amount
        return 0.0


@dataclass
class Buckets:
    """Buckets of one rate by caller; who was longest away is forgotten first, so that strangers cost no memory."""

    rate: Rate
    callers_max: int
    _kept: OrderedDict[str, Bucket] = field(default_factory=OrderedDict)

    def take(self, caller: str, now_s: float, amount: float = 1.0) -> float:
        bucket = self._kept.pop(caller, None) or Bucket.full(self.rate, now_s)
        self._kept[caller] = bucket
        while len(self._kept) > self.callers_max:
            self._kept.popitem(last=False)
        return bucket.take(now_s, amount)

    def __len__(self) -> int:
        return len(self._kept)
