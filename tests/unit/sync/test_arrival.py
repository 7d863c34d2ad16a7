"""What is kept of a segment: all of it or nothing, both tails of a fork, and one choice between them everywhere."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import random
from typing import Any

import pytest

from sync.arrival import Applied, Diverged, Duplicate, Forked, Gap, Refused
from sync.clock import hlc_of
from sync.log_reader import LogReader
from sync.operation import CITY, WORK
from sync.oplog import Segment
from sync.signing import SigningKey
from tests.unit.sync.nodes import (
    NOW,
    REAL,
    Author,
    certificate,
    check_whole,
    copy_of,
    everything,
    ident,
    make_replica,
    receive,
    seed,
    shown,
    tables,
    write,
)
from tests.unit.sync.nodes import report as report_change


def author(operations: int = 5, **more: Any) -> Author:
    made = Author("one", **more)
    for number in range(operations):
        made.write("reports", ident(str(number)), {"text": str(number)})
    return made


def test_a_segment_is_applied_and_known_when_it_comes_again() -> None:
    replica, one = make_replica("reader"), author()
    assert isinstance(receive(replica, one.segment())[0], Applied)
    assert isinstance(receive(replica, one.segment())[0], Duplicate)
    check_whole(replica)


def test_of_a_segment_that_overlaps_only_the_new_part_is_kept() -> None:
    replica, one = make_replica("reader"), author()
    receive(replica, one.segment(last=3))
    assert isinstance(receive(replica, one.segment(first=2, last=5))[0], Applied)
    check_whole(replica)
    assert replica.vector == {one.stream(): 5}


def test_a_segment_that_begins_above_what_is_held_is_a_gap() -> None:
    replica, one = make_replica("reader"), author()
    receive(replica, one.segment(last=2))
    assert receive(replica, one.segment(first=4))[0] == Gap(one.stream(), 2)


def bad_segments() -> dict[str, Segment]:
    one = author()
    good = one.segment()
    other_city = author(root=SigningKey(seed("other root")))
    early = author(0)
    early.append_raw(REAL, WORK, b"\x90")
    uncertified = Author("one")
    uncertified.bodies[uncertified.stream()] = one.bodies[one.stream()][1:2]
    stranger = Author("two")
    stranger.certify(REAL, WORK, certificate("one"))
    changed = author()
    changed.certify(REAL, WORK, certificate("two"))
    wrong = Author("one", incarnation=b"\1" * 8)
    wrong.certify(REAL, WORK)
    return {
        "a flipped bit": dataclasses.replace(good, bodies=(*good.bodies[:-1], good.bodies[-1][:-1] + b"\x01")),
        "another's signature": dataclasses.replace(good, signature=b"\1" * 64),
        "a signature of fewer": dataclasses.replace(good, signature=one.segment(last=4).signature),
        "a lost operation": dataclasses.replace(good, bodies=good.bodies[:2] + good.bodies[3:]),
        "another stream": dataclasses.replace(good, stream=one.stream(CITY)),
        "a name that is no stream": dataclasses.replace(good, stream=b"x"),
        "no operations": dataclasses.replace(good, bodies=()),
        "number nought": dataclasses.replace(good, first=0),
        "another city": other_city.segment(),
        "no operation": early.segment(),
        "no certificate": uncertified.segment(),
        "the certificate of another": stranger.segment(),
        "another's certificate on the way": changed.segment(),
        "another incarnation": dataclasses.replace(wrong.segment(), stream=one.stream()),
    }


@pytest.mark.parametrize("name", bad_segments())
def test_of_a_bad_segment_nothing_is_kept(name: str) -> None:
    replica = make_replica("reader")
    before = shown(replica)
    assert isinstance(receive(replica, bad_segments()[name])[0], Refused)
    assert shown(replica) == before


def test_the_good_segments_beside_a_bad_one_are_kept() -> None:
    replica, one, two = make_replica("reader"), author(), Author("two")
    two.write("reports", ident("x"), {"text": "x"})
    outcomes = receive(replica, dataclasses.replace(one.segment(), signature=b"\1" * 64), two.segment())
    assert [type(outcome) for outcome in outcomes] == [Refused, Applied]
    check_whole(replica)


def test_what_does_not_follow_is_asked_for_from_its_beginning() -> None:
    replica, one = make_replica("reader"), author()
    receive(replica, one.segment(last=3))
    outcome = receive(replica, dataclasses.replace(one.segment(first=4), signature=b"\1" * 64))[0]
    assert isinstance(outcome, Diverged)


# -- forks -------------------------------------------------------------------------------------------


def forked(tails: int = 2, length: int = 3) -> list[Author]:
    """Copies of one disk that went on by themselves from number 4."""
    base = author(2)
    found = [copy_of(base) for _ in range(tails)]
    for number, tail in enumerate(found):
        for step in range(length + number):
            tail.write("reports", ident(f"{step % 2}"), {"text": f"tail {number} step {step}"}, hlc=hlc_of(NOW + step))
    return found


def first_hash(tail: Author) -> bytes:
    return hashlib.sha256(tail.bodies[tail.stream()][3]).digest()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_tail_with_the_smaller_hash_counts_in_every_order(order: tuple[int, ...]) -> None:
    tails = forked(3)
    winner = min(tails, key=first_hash)
    replica = make_replica("reader")
    for number in order:
        receive(replica, tails[number].segment())
    assert replica.vector == {winner.stream(): winner.last()}
    assert everything(replica)[0].bodies == tuple(winner.bodies[winner.stream()])
    check_whole(replica)


def test_every_operation_of_every_tail_is_kept() -> None:
    tails = forked(3)
    replica = make_replica("reader")
    for tail in tails:
        receive(replica, tail.segment())
    kept = {bytes(row[0]) for row in replica.connection.execute("SELECT body FROM op UNION SELECT body FROM branch")}
    assert kept == {body for tail in tails for body in tail.bodies[tail.stream()]}


def test_two_nodes_that_know_both_tails_show_the_same() -> None:
    one, two = forked()
    readers = [make_replica("reader"), make_replica("other")]
    receive(readers[0], one.segment())
    receive(readers[0], two.segment())
    receive(readers[1], two.segment(last=5))
    receive(readers[1], one.segment(last=4))
    receive(readers[1], one.segment(first=5), two.segment(first=6))
    first, second = (check_whole(reader) for reader in readers)
    assert first == second
    assert "fork" in first["quarantined"].values()


def test_a_tail_that_lost_is_kept_as_it_goes_on() -> None:
    tails = sorted(forked(2, 4), key=first_hash)
    winner, loser = tails
    replica = make_replica("reader")
    receive(replica, winner.segment())
    receive(replica, loser.segment(last=5))
    outcome = receive(replica, loser.segment(first=6))[0]
    assert isinstance(outcome, Forked)
    count = replica.connection.execute("SELECT count(*) FROM branch").fetchone()[0]
    assert count == loser.last() - 3
    check_whole(replica)


def test_the_tail_that_counts_goes_on_as_any_stream() -> None:
    winner, loser = sorted(forked(), key=first_hash)
    replica = make_replica("reader")
    receive(replica, loser.segment(), winner.segment(last=4))
    assert isinstance(receive(replica, winner.segment(first=5))[0], Applied)
    check_whole(replica)


def test_a_tail_that_comes_again_is_nothing_new() -> None:
    one, two = forked()
    replica = make_replica("reader")
    receive(replica, one.segment(), two.segment())
    before = shown(replica)
    outcomes = receive(replica, one.segment(), two.segment())
    assert not any(isinstance(outcome, Forked) and outcome.new for outcome in outcomes)
    assert shown(replica) == before


def test_a_forged_tail_is_no_fork() -> None:
    one, two = forked()
    replica = make_replica("reader")
    receive(replica, one.segment())
    assert isinstance(receive(replica, dataclasses.replace(two.segment(), signature=b"\1" * 64))[0], Refused)
    assert replica.connection.execute("SELECT count(*) FROM branch").fetchone() == (0,)


def test_a_name_that_fits_both_tails_replaces_neither() -> None:
    winner, loser = sorted(forked(), key=first_hash)
    editor = Author("editor")
    editor.write("reports", ident("0"), {"text": "edited"}, replaces=[(winner.origin, 4)])
    found = []
    for order in itertools.permutations([winner.segment(), loser.segment(), editor.segment()]):
        replica = make_replica("reader")
        for segment in order:
            receive(replica, segment)
        found.append(check_whole(replica))
        assert tables(replica)["reports", REAL, ident("0")][2] == 1
    assert all(one == found[0] for one in found)


def test_peers_are_told_of_the_tails_that_do_not_count() -> None:
    one, two = forked()
    replica, other = make_replica("reader"), make_replica("other")
    receive(replica, one.segment(), two.segment())
    receive(other, *everything(replica))
    receive(other, *LogReader(replica.connection).branches())
    assert check_whole(other) == check_whole(replica)


def test_a_node_whose_own_stream_forked_begins_a_new_one() -> None:
    node = make_replica("node", ("field",))
    write(node, report_change("a", text="1"))
    origin = node.origin
    copy = Author("node", ("field",), node.incarnation)
    copy.bodies[copy.stream()] = list(everything(node)[0].bodies[:1])
    copy.write("reports", ident("a"), {"text": "by the copy"})
    receive(node, copy.segment())
    assert node.origin != origin
    write(node, report_change("a", text="2"))
    check_whole(node)


def test_a_fork_from_the_first_number_on() -> None:
    one, two = Author("one"), Author("one")
    one.write("reports", ident("a"), {"text": "1"})
    two.certificate = certificate("one", serial=2)
    two.write("reports", ident("a"), {"text": "2"})
    found = []
    for order in ([one, two], [two, one]):
        replica = make_replica("reader")
        for tail in order:
            receive(replica, tail.segment())
        found.append(check_whole(replica))
    assert found[0] == found[1]


@pytest.mark.parametrize("chance", [*range(12), 350])
def test_random_trees_of_tails_show_the_same_in_every_order(chance: int) -> None:
    dice = random.Random(chance)
    tails = [author(2)]
    for number in range(dice.randrange(2, 5)):
        made = copy_of(dice.choice(tails))
        keep = dice.randrange(1, made.last() + 1)
        made.bodies[made.stream()] = made.bodies[made.stream()][:keep]
        for step in range(dice.randrange(1, 5)):
            text = {"text": f"{number} {step}"}
            names = [(made.origin, dice.randrange(2, made.last() + 1))] if made.last() > 2 else []
            made.write(
                "reports", ident(str(dice.randrange(2))), text, hlc=hlc_of(NOW + dice.randrange(4)), replaces=names
            )
        tails.append(made)
    editor = Author("editor")
    for seq in range(2, 7):
        editor.write("reports", ident(str(seq % 2)), {"text": f"edit {seq}"}, replaces=[(tails[0].origin, seq)])
    segments = [*(tail.segment() for tail in tails), editor.segment()]
    found = []
    for _ in range(3):
        dice.shuffle(segments)
        replica = make_replica("reader")
        for segment in segments:
            receive(replica, segment)
        found.append(check_whole(replica))
    for name in found[0]:
        assert found[0][name] == found[1][name] == found[2][name], name
