"""Words in the index and beside it: what was written a moment ago is found before it is folded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from app.queries import report_rows, search
from app.queries.channels import Viewer
from app.records import KINDS
from app.store import search as index

INCIDENT = "01920000-0000-7000-8000-000000000001"
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
