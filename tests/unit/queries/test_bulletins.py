"""Who has still to read what: a notice in its newest edition, and a withdrawal by whoever had read it."""

from __future__ import annotations

from typing import Any

import pytest

from app.queries import bulletins
from app.queries.bulletins import Narrowed
from app.records import KINDS
from app.store import search as index
from tests.unit.queries.conftest import INCIDENT, Insert


@pytest.fixture
def people(insert: Insert) -> dict[str, str]:
    names = ("commander", "patrol", "shelter")
    found = {name: insert("users", name=name, role="patrol", active=True) for name in names}
    return found | {"gone": insert("users", name="gone", role="patrol", active=False)}


def notice(insert: Insert, people: dict[str, str], **more: Any) -> str:
    return insert("bulletins", title="給水", author=people["commander"], **{"edition": 1} | more)


def sees(insert: Insert, notice_id: str, user: str, edition: int = 1) -> None:
    insert("bulletin-sightings", bulletin_id=notice_id, user_id=user, edition=edition, seen_at=2_000)


def line_of(db: Any, notice_id: str, user: str) -> bulletins.Line:
    found = bulletins.get(db, notice_id)
    assert found is not None
    return bulletins.lines(db, [found], user)[0]


def ids(found: list[str]) -> list[str]:
    return [one.partition(".")[0] for one in found]


def test_everyone_who_may_log_in_is_to_read_it_but_its_author(db: Any, insert: Insert, people: dict[str, str]) -> None:
    one = notice(insert, people)
    sees(insert, one, people["patrol"])
    line = line_of(db, one, people["shelter"])
    assert {reader.user["name"]: reader.seen_at for reader in line.readers} == {"patrol": 2_000, "shelter": None}
    assert (line.read, line.unread) == (1, True)
    assert bulletins.unread(db, INCIDENT, people["commander"]) == []


def test_it_waits_until_it_was_seen_and_again_after_a_new_edition(
    db: Any, insert: Insert, people: dict[str, str]
) -> None:
    one, again = notice(insert, people), notice(insert, people, edition=2)
    sees(insert, again, people["patrol"], 1)
    assert set(ids(bulletins.unread(db, INCIDENT, people["patrol"]))) == {one, again}
    sees(insert, one, people["patrol"], 1)
    assert bulletins.unread(db, INCIDENT, people["patrol"]) == [f"{again}.2"]
    reader = next(one for one in line_of(db, again, people["patrol"]).readers if one.user.id == people["patrol"])
    assert reader.before and reader.seen_at is None


def test_a_withdrawal_is_news_to_those_who_had_read_it_and_to_nobody_else(
    db: Any, insert: Insert, people: dict[str, str]
) -> None:
    one = notice(insert, people, edition=2, withdrawn_at=1_500)
    sees(insert, one, people["patrol"], 1)
    assert ids(bulletins.unread(db, INCIDENT, people["patrol"])) == [one]
    assert bulletins.unread(db, INCIDENT, people["shelter"]) == []
    own = notice(insert, people, edition=2, withdrawn_at=1_500, withdrawn_by=people["patrol"])
    sees(insert, own, people["patrol"], 1)
    assert ids(bulletins.unread(db, INCIDENT, people["patrol"])) == [one]  # whoever withdrew it knows
    assert not line_of(db, own, people["patrol"]).unread
    assert line_of(db, one, people["patrol"]).unread and not line_of(db, one, people["shelter"]).unread


def test_the_strip_has_what_is_pinned_and_stands(db: Any, insert: Insert, people: dict[str, str]) -> None:
    shown = notice(insert, people, pinned=True)
    notice(insert, people, pinned=True, withdrawn_at=1_500)
    notice(insert, people)
    assert [one.id for one in bulletins.pinned(db, INCIDENT)] == [shown]


def test_the_list_is_narrowed_and_counted_by_the_same_rules(db: Any, insert: Insert, people: dict[str, str]) -> None:
    road = notice(insert, people, category="roads", body="50%まで通行止め")
    index.note(db, KINDS.by_name["bulletins"], [road])
    gone = notice(insert, people, withdrawn_at=1_500)
    pinned = notice(insert, people, pinned=True)
    me = people["patrol"]

    def listed(**narrowed: Any) -> set[str]:
        return {one.id for one in bulletins.listing(db, INCIDENT, me, Narrowed(**narrowed))}

    assert listed() == {road, gone, pinned}
    assert listed(state="unread") == {road, pinned}
    assert listed(state="withdrawn") == {gone}
    assert listed(category="roads") == listed(words="50%") == {road}
    assert listed(words="冠水") == set()
    assert bulletins.counts(db, INCIDENT, me) == {"all": 3, "unread": 2, "pinned": 1, "withdrawn": 1}
