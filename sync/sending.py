"""What one side of a link sends, and how much at once: credit, measured rate, frames. Pure: time and log are handed in.

Before: ``session`` learnt what the peer holds. After: the frames go out; receipts come back as credit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sync import limits, protocol
from sync.oplog import CLASSES, Segment
from sync.protocol import Run
from sync.version_vector import Vector

STALL_MS = 5_000
SLOW_BYTES_S = 32_000  # 256 kbit/s
FLIGHT_S_MAX = 2  # no more is under way than the line takes in this time: an order waits no longer behind a backlog
Source = Callable[[Vector, dict[int, int], int, int], list[Segment]]  # (sent, cursors, ops_max, bytes_max)


@dataclass(slots=True)
class _InFlight:
    size: int
    at_ms: int


@dataclass(slots=True)
class Sending:
    source: Source
    refused: set[bytes] = field(default_factory=set)  # streams that the peer does not take from us
    _sent: Vector = field(default_factory=dict)
    _cursors: dict[int, int] = field(default_factory=dict)
    _told: list[Segment] = field(default_factory=list)  # tails that do not count, to be told
    _in_flight: dict[int, _InFlight] = field(default_factory=dict)
    _next_run: int = 1
    _budget: int = limits.FIRST_RUN_BYTES
    _rate: float = 0.0  # bytes a second, measured from receipts

    def begin(self, theirs: Mapping[bytes, int]) -> None:
        """The peer holds ``theirs``: what is above it is sent."""
        self._sent = dict(theirs)

    def begin_at(self, position: int) -> None:
        """The peer holds all that the log had up to ``position``: nothing before it is read."""
        self._cursors = dict.fromkeys(CLASSES, position)

    def skip(self, stream: bytes, seq: int) -> None:
        """The peer has sent us this itself."""
        if stream in self._sent or len(self._sent) < limits.VECTOR_STREAMS_MAX:
            self._sent[stream] = max(seq, self._sent.get(stream, 0))

    def rewind(self, stream: bytes, first: int) -> None:
        """Send a stream again from ``first`` on. Where nothing of it was sent there is nothing to remember."""
        if stream in self._sent:
            self._sent[stream] = min(self._sent[stream], first - 1)
            self._cursors.clear()

    def was_refused(self, stream: bytes) -> None:
        """The peer does not take this stream from us."""
        if len(self.refused) < limits.VECTOR_STREAMS_MAX:
            self.refused.add(stream)

    def tell(self, tails: list[Segment]) -> None:
        """Send the tails that do not count, before all else."""
        self._told = tails

    def frames(self, now_ms: int) -> Iterator[bytes]:
        """The next frames, as long as there is credit."""
        while self.has_credit:
            frame = self._next_frame()
            if frame is None:
                return
            self._in_flight[self._next_run] = _InFlight(len(frame), now_ms)
            self._next_run += 1
            yield frame

    def receipted(self, number: int, now_ms: int) -> bool:
        """A receipt came: the line has shown what it takes. False where no such run is under way."""
        run = self._in_flight.pop(number, None)
        if run is None:
            return False
        seconds = max(now_ms - run.at_ms, 1) / 1000
        self._rate = 0.7 * self._rate + 0.3 * run.size / seconds if self._rate else run.size / seconds
        earned = max(limits.FIRST_RUN_BYTES, int(self._rate))  # what the line takes in a second
        self._budget = min(self._budget * 2, earned, limits.RUN_COMPRESSED_BYTES_MAX)
        return True

    def is_stalled(self, now_ms: int) -> bool:
        """Whether a receipt is late by what this line needs for the bytes under way."""
        if not self._in_flight:
            return False
        oldest = min(run.at_ms for run in self._in_flight.values())
        patience = STALL_MS + (4_000 * self._bytes_under_way() / self._rate if self._rate else 0)
        return now_ms - oldest > patience

    @property
    def last_run(self) -> int:
        return self._next_run - 1

    def is_clear(self, upto: int) -> bool:
        """Whether a chunk of a file may go: no run waits for credit, and those up to ``upto`` are receipted.

        On a slow line none may be under way at all.
        """
        if not self.has_credit or (self._in_flight and 0 < self._rate < SLOW_BYTES_S):
            return False
        return all(number > upto for number in self._in_flight)

    @property
    def under_way(self) -> int:
        return len(self._in_flight)

    def _bytes_under_way(self) -> int:
        return sum(run.size for run in self._in_flight.values())

    @property
    def has_credit(self) -> bool:
        most = max(limits.FIRST_RUN_BYTES, FLIGHT_S_MAX * self._rate)
        slow = bool(self._rate) and self._bytes_under_way() >= most
        return len(self._in_flight) < limits.RUNS_IN_FLIGHT_MAX and not slow

    def _next_frame(self) -> bytes | None:
        """The next run, within the size that this link has earned; a single signed run may be larger."""
        if self._told:
            return protocol.encode(Run(self._next_run, (self._told.pop(0),)))
        raw = self._budget * limits.RAW_TO_COMPRESSED
        while True:
            sent, cursors = dict(self._sent), dict(self._cursors)
            found = self.source(sent, cursors, limits.RUN_OPS_MAX, raw)
            segments = [segment for segment in found if segment.stream not in self.refused]
            frame = protocol.encode(Run(self._next_run, tuple(segments))) if segments else b""
            if len(frame) > self._budget and raw:
                raw = raw // 2 if raw > 512 else 0  # what does not compress: fewer operations at once
                continue
            self._sent, self._cursors = sent, cursors
            if not found:
                return None
            if segments:
                return frame
