"""The log: what is sent next, in this node's own order, and where it was signed."""

from __future__ import annotations

import pytest

from sync import limits, oplog
from sync.oplog import LogReader
from tests.unit.sync.nodes import REAL, Author, ident, make_replica, receive, report, write


def filled(count: int) -> Author:
    author = Author("one")
    for number in range(count):
        author.write("reports", ident(str(number)), {"text": "x"})
    return author


def test_what_a_peer_holds_is_not_read_again() -> None:
    node = make_replica("node")
    for number in range(5):
        write(node, report(str(number), text="x"))
    stream = next(iter(node.vector))
    sent = {stream: 3}
    (segment,) = LogReader(node.connection).next_segments(sent, {}, ops_max=500, bytes_max=1 << 20)
    assert (segment.first, segment.last, sent) == (4, 6, {stream: 6})


def test_a_cursor_goes_over_more_runs_than_a_page_that_the_peer_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oplog, "PAGE_RUNS", 10)
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


def test_the_chain_value_of_any_number_is_found() -> None:
    node, author = make_replica("node"), filled(6)
    receive(node, author.segment(last=4))
    receive(node, author.segment(first=5))
    stream = node.streams[author.stream()]
    heads = [oplog.head_at(node.connection, stream, seq) for seq in range(8 - 1)]
    assert heads[0] == oplog.chain_seed(stream.id)
    assert len(set(heads)) == 7


def test_a_restart_finds_the_streams_and_their_certificates() -> None:
    node, author = make_replica("node"), filled(2)
    receive(node, author.segment())
    found = oplog.load_streams(node.connection)[author.stream()]
    assert (found.last, found.node, found.scope) == (3, author.node, REAL)
    assert found.certificate_at(3) == author.certificate


def test_own_operations_are_signed_at_least_every_100() -> None:
    assert oplog.run_ranges([10] * 250) == [100, 100, 50]


def test_what_stands_between_two_signatures_fits_into_a_frame() -> None:
    sizes = [3_000, 3_000, 3_000, 16_000, 100] * 4
    counts = oplog.run_ranges(sizes)
    assert sum(counts) == len(sizes)
    for count in counts:
        run, sizes = sizes[:count], sizes[count:]
        assert sum(run) <= limits.SIGN_EVERY_BYTES or len(run) == 1
