"""What is sent next: what the peer lacks, in this node's own order, no more than a frame may hold."""

from __future__ import annotations

import pytest

from sync import log_reader
from sync.log_reader import LogReader
from tests.unit.sync.nodes import make_replica, report, write


def test_what_a_peer_holds_is_not_read_again() -> None:
    node = make_replica("node")
    for number in range(5):
        write(node, report(str(number), text="x"))
    stream = next(iter(node.vector))
    sent = {stream: 3}
    (segment,) = LogReader(node.connection).next_segments(sent, {}, ops_max=500, bytes_max=1 << 20)
    assert (segment.first, segment.last, sent) == (4, 6, {stream: 6})


def test_a_cursor_goes_over_more_runs_than_a_page_that_the_peer_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_reader, "PAGE_RUNS", 10)
    node = make_replica("node")
    for number in range(35):
        write(node, report(str(number), text="x"))
    stream = next(iter(node.vector))
    cursors: dict[int, int] = {}
    (segment,) = LogReader(node.connection).next_segments({stream: 34}, cursors, ops_max=500, bytes_max=1 << 20)
    assert (segment.first, segment.last) == (35, 36)
    assert LogReader(node.connection).next_segments({stream: 36}, cursors, ops_max=500, bytes_max=1 << 20) == []


def test_a_frame_holds_no_more_operations_than_it_may() -> None:
    node = make_replica("node")
    for number in range(30):
        write(node, report(str(number), text="x"))
    sent: dict[bytes, int] = {}
    cursors: dict[int, int] = {}
    reader, counts = LogReader(node.connection), []
    while found := reader.next_segments(sent, cursors, ops_max=7, bytes_max=1 << 20):
        counts.append(sum(len(segment.bodies) for segment in found))
    assert (max(counts), sum(counts)) == (7, 31)


def test_a_signed_run_that_is_larger_than_the_frame_goes_alone() -> None:
    node = make_replica("node")
    write(node, report("a", text="x" * 8_000))
    (segment,) = LogReader(node.connection).next_segments({}, {}, ops_max=500, bytes_max=10)
    assert segment.last >= 1
