"""The order of entries: the same everywhere, and never below what an entry answers."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from sync import ledger
from sync.ledger import Entry
from tests.unit.sync.nodes import REAL, Author, ident, make_replica, receive, tables


def entries(seed: int) -> dict[tuple[bytes, int], Entry]:
    dice = random.Random(seed)
    versions = [(ident(str(n % 3)), n) for n in range(1, dice.randrange(2, 12))]
    return {
        version: Entry(version, dice.randrange(5), tuple(dice.sample([*versions, (b"x", 9)], dice.randrange(3))))
        for version in versions
    }


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_the_keys_do_not_depend_on_the_order_of_the_entries(seed: int) -> None:
    made = entries(seed)
    shuffled = list(made.items())
    random.Random(seed + 1).shuffle(shuffled)
    assert ledger.keys(dict(shuffled)) == ledger.keys(made)


@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_every_entry_has_a_key_that_is_not_below_its_stamp(seed: int) -> None:
    made = entries(seed)
    found = ledger.keys(made)
    assert all(found[version] >= entry.hlc for version, entry in made.items())


def test_an_answer_stands_below_a_question_from_the_future() -> None:
    question, answer = Entry((b"a", 1), 1000, ()), Entry((b"b", 1), 5, ((b"a", 1),))
    assert ledger.keys({e.version: e for e in (question, answer)}) == {(b"a", 1): 1000, (b"b", 1): 1001}


def test_entries_in_a_circle_take_their_own_stamp_and_what_follows_counts_on() -> None:
    one, two = Entry((b"a", 1), 7, ((b"b", 1),)), Entry((b"b", 1), 3, ((b"a", 1),))
    after = Entry((b"c", 1), 1, ((b"a", 1), (b"b", 1)))
    assert ledger.keys({e.version: e for e in (one, two, after)}) == {(b"a", 1): 7, (b"b", 1): 3, (b"c", 1): 8}


def test_an_entry_that_names_itself_is_no_circle() -> None:
    assert ledger.keys({(b"a", 1): Entry((b"a", 1), 7, ((b"a", 1),))}) == {(b"a", 1): 7}


def test_a_question_that_comes_late_moves_its_answers() -> None:
    one, two = Author("one"), Author("two")
    question = one.write("messages", ident("q"), {"text": "?"}, lane=b"t", type=2, hlc=1000)
    answer = two.write("messages", ident("a"), {"text": "!"}, lane=b"t", type=2, hlc=5, after=[question])
    two.write("messages", ident("b"), {"text": "!!"}, lane=b"t", type=2, hlc=6, after=[answer])
    replica = make_replica("reader")
    receive(replica, *two.segments())
    receive(replica, *one.segments())
    keys = {key[2]: row[3] for key, row in tables(replica).items()}
    assert keys == {ident("q"): 1000, ident("a"): 1001, ident("b"): 1002}
    assert all(key[1] == REAL for key in tables(replica))
