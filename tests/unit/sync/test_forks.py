"""Forks of long logs: what counts, and what does not, can be sent to a peer that takes 500 operations a frame."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import msgspec
import pytest

from sync import limits, protocol
from sync.arrival import Applied, Refused
from sync.clock import hlc_of
from sync.log_reader import LogReader
from sync.operation import ENTRY, Change, encode_body
from sync.protocol import Run
from tests.unit.sync.nodes import NOW, REAL, Author, awaited, check_whole, copy_of, ident, make_replica, receive


def long(count: int) -> Author:
    author = Author("one")
    for number in range(count):
        author.write("reports", ident(str(number % 7)), {"text": f"{number}"})
    return author


def tail_of(author: Author, at: int, count: int, *, wins: bool) -> Author:
    """A copy of the same device that goes its own way after ``at`` operations, with one signature at its end."""
    for attempt in itertools.count():
        made = copy_of(author)
        made.bodies[made.stream()] = made.bodies[made.stream()][:at]
        made.write("reports", ident("0"), {"text": f"tail {attempt}"})
        if (digest(made, at) < digest(author, at)) == wins:
            break
    for number in range(count - 1):
        made.write("reports", ident(str(number % 7)), {"text": f"{attempt} {number}"})
    return made


def digest(author: Author, at: int) -> bytes:
    return hashlib.sha256(author.bodies[author.stream()][at]).digest()


def hand_over(giver: Any, taker: Any) -> None:
    """All that a link would send, frame by frame, through the bytes of the protocol."""
    reader, sent, cursors = LogReader(giver.connection), {}, {}
    told = [[segment] for segment in reader.branches()]
    while told or (found := reader.next_segments(sent, cursors, ops_max=limits.RUN_OPS_MAX, bytes_max=200_000)):
        segments = tuple(told.pop(0) if told else found)
        frame = protocol.decode(protocol.encode(Run(1, segments)))
        assert isinstance(frame, Run)
        assert not [outcome for outcome in receive(taker, *frame.segments) if isinstance(outcome, Refused)]
    for segment in reader.branches():  # a tail that departs above what was held then
        receive(taker, segment)


@pytest.mark.parametrize("wins", [True, False])
def test_a_run_that_spans_a_fork_is_sent_in_parts_that_a_peer_takes(wins: bool) -> None:
    one = long(400)
    two = tail_of(one, 300, 480, wins=wins)
    node, other = make_replica("node"), make_replica("other")
    receive(node, one.segment())
    receive(node, two.segment(first=301))
    assert node.streams[one.stream()].last == (780 if wins else 401)
    hand_over(node, other)
    assert check_whole(other) == check_whole(node)


def test_a_fork_of_a_fork_is_sent_in_parts_that_a_peer_takes() -> None:
    one = long(400)
    two = tail_of(one, 300, 480, wins=True)
    three = tail_of(two, 500, 450, wins=True)
    node, other = make_replica("node"), make_replica("other")
    receive(node, one.segment())
    receive(node, two.segment(first=301))
    receive(node, three.segment(first=501))
    assert node.streams[one.stream()].last == 950
    hand_over(node, other)
    assert check_whole(other) == check_whole(node)


def test_a_long_tail_that_does_not_count_is_told_from_signature_to_signature() -> None:
    one = long(100)
    two = tail_of(one, 50, 900, wins=False)
    node, other = make_replica("node"), make_replica("other")
    receive(node, one.segment())
    for first, last in ((51, 480), (481, 700), (701, 950)):
        receive(node, two.segment(first=first, last=last))
    assert node.streams[one.stream()].last == 101
    hand_over(node, other)
    assert check_whole(other) == check_whole(node)
    assert two.stream() == one.stream() and (two.stream()[16:-1], two.last()) == (REAL, 950)


@pytest.mark.parametrize("newer", [True, False], ids=["a newer body", "a report"])
def test_a_tail_that_begins_without_its_certificate_is_refused_and_stops_nothing(newer: bool) -> None:
    # It once was kept: the stream stood there without a certificate, and each later segment of it failed its whole job.
    honest = Author("one")
    honest.write("reports", ident("a"), {"text": "x"})
    hostile = (Author("one", bodies={honest.stream(): [first_body(number, newer)]}) for number in itertools.count())
    winning = next(made for made in hostile if digest(made, 0) < digest(honest, 0))
    replica = make_replica("reader")
    receive(replica, honest.segment(last=1))
    (refused,) = receive(replica, winning.segment())
    assert isinstance(refused, Refused) and refused.code == "bad_certificate"
    assert [type(outcome) for outcome in receive(replica, honest.segment())] == [Applied]
    check_whole(replica)


def first_body(number: int, newer: bool) -> bytes:
    if newer:
        return bytes(msgspec.msgpack.encode([2, number]))
    return encode_body(1, 5, None, Change("reports", ident("a"), REAL, {"text": f"{number}"}), (), ())


def test_a_number_to_come_that_a_lost_tail_bears_still_rebuilds_the_record_that_names_it() -> None:
    # It once did not: after a fork the name was taken for the lost tail's, and the version it replaces was shown.
    author = Author("one")
    author.write("reports", ident("0"), {"text": "first"})
    author.write("reports", ident("0"), {"text": "names what is to come"}, replaces=[(author.origin, 4)])
    replica = make_replica("reader")
    receive(replica, author.segment())
    receive(replica, tail_of(author, 2, 2, wins=False).segment())
    author.write("reports", ident("0"), {"text": "to come"})
    receive(replica, author.segment())
    check_whole(replica)


@pytest.mark.parametrize("kind", ["reports", "counts"])
def test_what_names_a_number_to_come_is_not_content_with_that_of_a_lost_tail(kind: str) -> None:
    # It once was: an element that somebody had dropped, or an entry above its answer, was shown after the fork.
    author, other = Author("one"), Author("other")
    for number in range(2):
        author.write("reports", ident("0"), {"text": f"{number}"})
    lost = tail_of(author, 2, 2, wins=False).segment()
    before = author.segment()
    if kind == "reports":
        author.write("reports", ident("1"), {"tags": {"add": ["x"]}})
        other.write("reports", ident("1"), {"tags": {"drop": [[author.origin, 4, "x"]]}})
    else:
        author.write("counts", ident("1"), {"people": 1}, type=ENTRY, hlc=hlc_of(NOW + 9))
        other.write("counts", ident("2"), {"people": 2}, type=ENTRY, after=[(author.origin, 4)])
    early, late = make_replica("early"), make_replica("late")
    for segment in (before, lost, author.segment(), other.segment()):
        receive(early, segment)
    for segment in (before, lost, other.segment(), author.segment()):
        receive(late, segment)
    assert check_whole(early) == check_whole(late)


def test_what_an_origin_names_of_its_own_chain_is_awaited_until_the_tail_that_counts_has_it() -> None:
    """A lost tail that bears the number is not it. Taken for it, two nodes showed different values for ever."""
    one = Author("one")
    one.write("reports", ident("a"), {"text": "first"}, replaces=[(one.origin, 4)])
    lost = copy_of(one)
    lost.write("reports", ident("b"), {"text": "lost"})
    for attempt in itertools.count():
        del one.bodies[one.stream()][2:]
        one.write("reports", ident("b"), {"text": f"{attempt}"})
        if digest(one, 2) < digest(lost, 2):
            break
    lost.write("reports", ident("a"), {"text": "lost"})
    early = one.segment()
    one.write("reports", ident("a"), {"text": "is replaced before it comes"})
    node, other = make_replica("node"), make_replica("other")
    for segment in (lost.segment(), early, one.segment()):
        receive(node, segment)
    for segment in (one.segment(), lost.segment()):
        receive(other, segment)
    assert check_whole(node) == check_whole(other)


def test_an_entry_that_was_content_with_a_tail_awaits_its_number_once_that_tail_has_lost() -> None:
    # Its number stands beyond what counts now. Before it was awaited after a rebuild only.
    lost, other = Author("one"), Author("other")
    lost.write("counts", ident("a"), {"people": 1}, type=ENTRY)
    wins = copy_of(lost)
    for number in range(2):
        lost.write("counts", ident(f"lost {number}"), {"people": 2}, type=ENTRY)
    other.write("counts", ident("b"), {"people": 3}, type=ENTRY, after=[(lost.origin, 4)])
    for attempt in itertools.count():
        del wins.bodies[wins.stream()][2:]
        wins.write("counts", ident("c"), {"people": attempt}, type=ENTRY)
        if digest(wins, 2) < digest(lost, 2):
            break
    replica = make_replica("reader")
    for segment in (lost.segment(), other.segment(), wins.segment()):
        receive(replica, segment)
    assert (lost.stream(), 4) in {name for name, _ in awaited(replica)}
    check_whole(replica)
