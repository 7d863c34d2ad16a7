"""One order of a talk on every node, beside a tablet that is ten years ahead and one whose clock jumps back."""

from __future__ import annotations

import itertools

import pytest

from sync.operation import ENTRY, Change
from sync.replica import Replica
from tests.unit.sync.nodes import NOW, REAL, Time, everything, ident, make_replica, receive, write

TEN_YEARS_MS, DAY_MS = 10 * 365 * 24 * 3_600_000, 24 * 3_600_000


def say(replica: Replica, text: str) -> None:
    write(replica, Change("messages", ident(text), REAL, {"text": text}, type=ENTRY))


def meet(*replicas: Replica) -> None:
    for one, other in itertools.permutations(replicas, 2):
        receive(other, *everything(one))


def talk(replica: Replica) -> list[tuple[str, int]]:
    sql = "SELECT text, order_key FROM messages WHERE hidden = 0 ORDER BY order_key, origin, seq"
    return [(text, key) for text, key in replica.connection.execute(sql)]


@pytest.mark.parametrize("late", [False, True])
def test_what_answers_stands_below_whatever_the_clocks_say(late: bool) -> None:
    clock = Time()
    hq, ahead, back = (
        make_replica("hq"), make_replica("ahead", now=Time(NOW + TEN_YEARS_MS)), make_replica("back", now=clock),
    )  # fmt: skip
    say(hq, "1 本部")
    meet(hq, ahead)
    say(ahead, "2 十年先の端末")
    meet(hq, ahead, back)
    say(back, "3 これから時計が戻る端末")
    clock.ms -= DAY_MS
    say(back, "4 戻ったあと")
    if late:  # HQ goes on without having heard of them, and hears of all at once
        say(hq, "5 知らずに書く")
    meet(back, ahead)
    say(ahead, "6 十年先の答え")
    meet(hq, ahead, back)
    say(hq, "7 最後")
    meet(hq, ahead, back)
    orders = [talk(one) for one in (hq, ahead, back)]
    assert orders[0] == orders[1] == orders[2]
    said = [text for text, _ in orders[0] if not text.startswith("5")]
    assert said == sorted(said) and len(orders[0]) == (7 if late else 6)
    hq.rebuild()
    assert talk(hq) == orders[0]
