"""The order in which files are wanted, and who is asked when bytes turn out wrong."""

from __future__ import annotations

from sync.wishes import Queue, Wish, Wishes

LAYER, THUMB, ORIGINAL = 0, 1, 3
A, B = b"peer a", b"peer b"


def name(number: int) -> bytes:
    return bytes([number]) * 32


def wishes(*items: tuple[int, int, int]) -> Wishes:
    made = Wishes()
    made.add(Wish(name(number), rank, at) for number, rank, at in items)
    return made


def told(made: Wishes, peer: bytes, *numbers: int) -> Queue:
    """A link whose peer holds these files."""
    queue = made.join(peer)
    for number in numbers:
        made.held_by(queue, name(number))
    return queue


def order(made: Wishes, queue: Queue) -> list[int]:
    found = []
    while (wish := made.next(queue)) is not None:
        found.append(wish.name[0])
        made.drop(wish.name)
    return found


def test_layers_come_first_then_the_newest_thumbnails_then_the_rest() -> None:
    made = wishes((1, ORIGINAL, 9), (2, THUMB, 1), (3, THUMB, 5), (4, LAYER, 0), (5, THUMB, 3))
    assert order(made, told(made, A, 1, 2, 3, 4, 5)) == [4, 3, 5, 2, 1]


def test_what_somebody_opened_comes_first_and_its_peers_are_asked_again() -> None:
    made = wishes((1, LAYER, 9), (2, ORIGINAL, 1))
    queue = told(made, A, 1)
    assert made.unsought(queue, 10) == [name(2)]
    made.urge(name(2), 10)
    assert made.unsought(queue, 10) == [name(2)]
    made.held_by(queue, name(2))
    assert order(made, queue) == [2, 1]


def test_who_holds_it_is_asked_in_the_order_of_the_wishes_and_once() -> None:
    made = wishes((1, ORIGINAL, 9), (2, THUMB, 1), (3, THUMB, 5))
    queue = told(made, A, 3)
    assert made.unsought(queue, 1) == [name(2)]
    assert made.unsought(queue, 9) == [name(1)]
    assert made.unsought(queue, 9) == []
    made.add([Wish(name(4), LAYER, 0), Wish(name(1), ORIGINAL, 9)])
    assert made.unsought(queue, 9) == [name(4)], "an old wish again is no news"


def test_a_file_is_fetched_over_one_link_at_a_time_and_goes_on_over_another() -> None:
    made = wishes((1, THUMB, 1))
    one, two = told(made, A, 1), told(made, B, 1)
    made.take(one, name(1))
    assert made.next(one) is not None and made.next(two) is None
    made.leave(one)
    assert made.next(two) is not None


def test_a_peer_that_lied_about_all_of_it_is_not_asked_again() -> None:
    made = wishes((1, THUMB, 1))
    one, two = told(made, A, 1), told(made, B, 1)
    made.take(one, name(1))
    made.came_over(one, name(1), 0)
    made.came_over(one, name(1), 100)
    made.was_wrong(name(1))
    assert made.next(one) is None and made.next(two) is not None
    made.leave(one)
    assert made.next(told(made, A, 1)) is not None, "on its next link it is asked once more"


def test_of_two_that_brought_parts_nobody_is_blamed_and_the_next_brings_all() -> None:
    made = wishes((1, THUMB, 1))
    one, two = told(made, A, 1), told(made, B, 1)
    made.came_over(one, name(1), 0)
    made.came_over(two, name(1), 100)
    made.was_wrong(name(1))
    assert made.next(one) is not None and made.next(two) is not None
    made.came_over(one, name(1), 0)
    assert made.must_begin_anew(two, name(1)) and not made.must_begin_anew(one, name(1))


def test_a_part_from_before_the_start_blames_nobody() -> None:
    made = wishes((1, THUMB, 1))
    one = told(made, A, 1)
    made.came_over(one, name(1), 100)
    made.was_wrong(name(1))
    assert made.next(one) is not None


def test_what_is_here_is_wanted_no_more() -> None:
    made = Wishes()
    made.add([Wish(name(1), THUMB, 1, 500), Wish(name(2), ORIGINAL, 1, 7)])
    queue = told(made, A, 1, 2)
    assert (len(made), made.bytes_wanted) == (2, 507)
    made.drop(name(1))
    assert (len(made), made.bytes_wanted) == (1, 7)
    assert order(made, queue) == [2]


def test_who_lost_it_is_asked_no_more() -> None:
    made = wishes((1, THUMB, 1))
    queue = told(made, A, 1)
    assert made.next(queue) is not None
    queue.theirs.discard(name(1))
    made.give_back(name(1))
    assert made.next(queue) is None
    made.held_by(queue, name(1))
    assert made.next(queue) is not None
