"""What is remembered so that a night passes quickly. Nothing here changes what the engine sees or decides."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

from sync import arrival, facts, forks, projector, protocol, quarantine, replica, signing
from sync.certificate import Certificate
from sync.log_reader import LogReader
from sync.oplog import CLASSES, Connection, Segment

REMEMBERED_MAX = 20_000
PURE: tuple[tuple[str, tuple[Any, ...]], ...] = (  # functions of bytes alone, and who calls them
    ("verify", (signing,)),
    ("node_id_of", (signing,)),
    ("deflate", (protocol,)),
    ("_decode_inflated", (protocol,)),
    ("decode", (Certificate,)),
    ("decode_body", (arrival, facts, forks, projector, quarantine, replica)),
)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Five receivers check one signature, inflate one run and decode one body: each is calculated once.

    What does not fit is calculated each time, for an error is never remembered.
    """
    with contextlib.ExitStack() as stack:
        for name, places in PURE:
            known = _remembering(getattr(places[0], name))
            for place in places:
                stack.enter_context(mock.patch.object(place, name, known))
        yield


def _remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    known = functools.lru_cache(REMEMBERED_MAX)(function)

    def call(*values: Any) -> Any:
        try:
            return known(*values)
        except TypeError:  # what a hostile node puts there may be a list, which nothing can remember
            return function(*values)

    return call


class QuickReader(LogReader):
    """Reads no page of the log where there is none: nine of ten reads found nothing new."""

    def __init__(self, connection: Connection, ends: Callable[[], dict[int, int]]) -> None:
        super().__init__(connection)
        self._ends = ends

    def next_segments(
        self, sent: dict[bytes, int], cursors: dict[int, int], *, ops_max: int, bytes_max: int
    ) -> list[Segment]:
        ends = self._ends()
        if cursors == ends:
            return []
        found = super().next_segments(sent, cursors, ops_max=ops_max, bytes_max=bytes_max)
        if not found:
            cursors.update(ends)
        return found

    def _of_class(
        self, priority: int, sent: dict[bytes, int], cursors: dict[int, int], ops_max: int, bytes_max: int
    ) -> list[Segment] | None:
        if cursors.get(priority, 0) >= self._ends()[priority]:
            return None
        return super()._of_class(priority, sent, cursors, ops_max, bytes_max)


class Ends:
    """The last position of each class of runs, asked of the disk once a commit."""

    def __init__(self, connection: Connection, position: Callable[[], int]) -> None:
        self._connection, self._position = connection, position
        self._at = -1
        self._ends: dict[int, int] = {}

    def __call__(self) -> dict[int, int]:
        if self._position() != self._at:
            self._at = self._position()
            last = "SELECT max(position) FROM run WHERE class = ?"
            self._ends = {each: self._connection.execute(last, (each,)).fetchone()[0] or 0 for each in CLASSES}
        return self._ends
