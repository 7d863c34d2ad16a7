"""Words in the index and beside it: what was written a moment ago is found before it is folded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.queries import report_rows, search
from app.queries.channels import Viewer
from app.queries.row import Where
from app.records import KINDS
from app.store import search as index

INCIDENT = "01920000-0000-7000-8000-000000000001"
REPORTS, HERE = KINDS.by_name["damage-reports"], Where().also("incident_id = ?", INCIDENT)
ME, OTHER = ("00000000-0000-7000-8000-00000000000" + last for last in "12")


@pytest.fixture(params=["noted", "folded"])
def settle(request: pytest.FixtureRequest, db: Any) -> Callable[[], None]:
    """Leaves what was noted as it is, or folds it."""
    return (lambda: None) if request.param == "noted" else (lambda: fold(db))


def fold(db: Any) -> None:
    while index.fold(db):
        pass


def note(db: Any, insert: Any, kind: str, **values: Any) -> str:
    record: str = insert(kind, **values)
    index.note(db, KINDS.by_name[kind], [record])
    return record


def reports(db: Any, words: str) -> set[str]:
    return {found.id for found in report_rows.listing(db, INCIDENT, report_rows.Narrowed(words=words))}


@pytest.mark.parametrize("words", ["冠水", "水", "柳橋 冠水", "t01-0004", "Ｔ０１", "ﾔﾅｷﾞ", "通", "行止"])
def test_a_report_is_found_by_words_inside_its_fields(
    db: Any, insert: Any, settle: Callable[[], None], words: str
) -> None:
    found = note(
        db, insert, "damage-reports", category="flood", number="T01-0004", summary="柳橋が冠水", address="やなぎ橋",
        description="通行止",
    )  # fmt: skip
    note(db, insert, "damage-reports", category="flood", summary="火災")
    settle()
    assert reports(db, words) == {found}


@pytest.mark.parametrize("words", ["水冠", "冠水柳", "柳橋 火災", "行", "*", '"'])
def test_what_a_report_does_not_say_does_not_find_it(
    db: Any, insert: Any, settle: Callable[[], None], words: str
) -> None:
    note(db, insert, "damage-reports", category="flood", summary="柳橋が冠水")
    note(db, insert, "damage-reports", category="flood", summary="火災")
    settle()
    assert reports(db, words) == set()


def test_an_edit_and_a_removal_are_known_at_once_and_after_they_were_folded(db: Any, insert: Any) -> None:
    record = note(db, insert, "damage-reports", category="flood", summary="冠水")
    fold(db)
    db.execute("UPDATE damage_reports SET summary = '倒木' WHERE id = ?", (record,))
    index.note(db, KINDS.by_name["damage-reports"], [record])
    for _ in range(2):
        assert reports(db, "冠水") == set() and reports(db, "倒木") == {record}
        fold(db)
    db.execute("UPDATE damage_reports SET hidden = 1 WHERE id = ?", (record,))
    index.note(db, KINDS.by_name["damage-reports"], [record])
    fold(db)
    assert reports(db, "倒木") == set()
    assert db.execute(f"SELECT count(*) FROM {index.RECORDS}").fetchone()[0] == 0


def test_every_kind_is_looked_through_and_closed_channels_are_left_out(
    db: Any, insert: Any, settle: Callable[[], None]
) -> None:
    opened, closed = insert("channels", name="全体"), insert("channels", name="本部", members=[OTHER])
    note(db, insert, "chat-messages", channel_id=opened, text="冠水を見た", order_key=1)
    note(db, insert, "chat-messages", channel_id=closed, text="冠水の会議", order_key=2)
    note(db, insert, "chronicle", text="冠水を確認", order_key=3)
    note(db, insert, "shelters", name="冠水小学校")
    settle()
    found = {one.kind: len(one.records) for one in search.everywhere(db, INCIDENT, "冠水", Viewer(ME))}
    assert found == {"chat-messages": 1, "chronicle": 1, "shelters": 1}
    both = search.everywhere(db, INCIDENT, "冠水", Viewer(OTHER), ("chat-messages",))
    assert len(both[0].records) == 2
    assert len(search.of_lines(db, INCIDENT, "冠水")) >= 3


def test_more_than_can_be_looked_at_is_said(db: Any, insert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "NOTED_READ_MAX", 2)
    for _ in range(5):
        note(db, insert, "chronicle", text="冠水")
    assert search.waiting(db) == 3
    fold(db)
    assert search.waiting(db) == 0
    assert len(search.of_lines(db, INCIDENT, "冠水")) == 5


def test_the_newest_are_shown_first_in_whatever_order_they_came(
    db: Any, insert: Any, settle: Callable[[], None]
) -> None:
    times = [5_000_000, 1_000_000, 9_000_000, 3_000_000, 7_000_000, 2_000_000]
    made = {at: note(db, insert, "damage-reports", category="flood", summary="冠水", created_at=at) for at in times[:3]}
    settle()
    made |= {
        at: note(db, insert, "damage-reports", category="flood", summary="冠水", created_at=at) for at in times[3:]
    }
    shown = [one.id for one in search.newest(db, REPORTS, HERE, "冠水", 4)]
    assert shown == [made[at] for at in (9_000_000, 7_000_000, 5_000_000, 3_000_000)]
    asked = HERE.also("created_at < ?", 5_000_000)
    assert [one.id for one in search.newest(db, REPORTS, asked, "冠水", 9)] == [
        made[at] for at in (3_000_000, 2_000_000, 1_000_000)
    ]


def test_records_of_one_moment_are_all_found(db: Any, insert: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "SHARED_BITS", 2)
    made = {note(db, insert, "damage-reports", category="flood", summary="冠水", created_at=77) for _ in range(300)}
    fold(db)
    assert {one.id for one in search.newest(db, REPORTS, HERE, "冠水", 500)} == made
    assert search.count(db, REPORTS, HERE, "冠水", 1_000) == 300
    assert search.count(db, REPORTS, HERE, "冠水", 200) == 200


def test_what_is_counted_is_what_is_shown(db: Any, insert: Any, settle: Callable[[], None]) -> None:
    for summary in ("冠水", "冠水", "火災"):
        note(db, insert, "damage-reports", category="flood", summary=summary)
    note(db, insert, "damage-reports", category="flood", summary="冠水", hidden=1)
    settle()
    asked = report_rows.Narrowed(words="冠水")
    assert report_rows.total(db, INCIDENT, asked) == len(report_rows.listing(db, INCIDENT, asked)) == 2


def test_a_common_word_is_not_looked_for_in_every_record(db: Any, insert: Any) -> None:
    """By the engine's own steps: they grow with what is shown, and not with what there is."""

    def steps_with(count: int) -> int:
        for _ in range(count):
            note(db, insert, "damage-reports", category="flood", summary="冠水")
        fold(db)
        taken = 0

        def step() -> int:
            nonlocal taken
            taken += 1
            return 0

        db.set_progress_handler(step, 10)
        try:
            assert len(search.newest(db, REPORTS, HERE, "冠水", 20)) == 20
            assert search.newest(db, REPORTS, HERE, "無い言葉", 20) == []
        finally:
            db.set_progress_handler(None, 10)
        return taken

    few = steps_with(100)
    assert steps_with(1_900) < 2 * few


def test_an_entry_that_got_another_place_in_its_order_stands_there_in_the_index(db: Any, insert: Any) -> None:
    chat = KINDS.by_name["chat-messages"]
    channel = insert("channels", name="全体")
    first, second = (
        note(db, insert, chat.name, channel_id=channel, text="冠水", order_key=key << 40) for key in (1, 2)
    )
    fold(db)
    assert [one.id for one in search.newest(db, chat, HERE, "冠水", 1)] == [second]
    db.execute("UPDATE chat_messages SET order_key = ? WHERE id = ?", (3 << 40, first))
    index.note(db, chat, [first])
    fold(db)
    assert [one.id for one in search.newest(db, chat, HERE, "冠水", 1)] == [first]
