"""The log: its chain values, its streams after a restart, and where it was signed."""

from __future__ import annotations

from sync import limits, oplog
from tests.unit.sync.nodes import REAL, Author, ident, make_replica, receive


def filled(count: int) -> Author:
    author = Author("one")
    for number in range(count):
        author.write("reports", ident(str(number)), {"text": "x"})
    return author


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
