"""The index beside a real log: it follows every save, and is made anew with the tables."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from uuid6 import uuid7

from app import records
from app.node import Node
from app.queries import search
from app.queries.channels import Viewer
from app.records import scope_of
from app.store import search as index
from sync.operation import CITY
from tests.house import House, built

INCIDENT = str(uuid.UUID(int=uuid7().int))
SCOPE = scope_of("drill", INCIDENT)


def an_id() -> uuid.UUID:
    return uuid.UUID(int=uuid7().int)


@pytest.fixture
def written(hub: Node) -> tuple[Node, uuid.UUID]:
    incident = {"name": "訓練", "mode": "drill", "kind": "flood"}
    record = an_id()
    hub.write([records.incidents.create(uuid.UUID(INCIDENT), CITY, incident)], None)
    hub.write([records.damage_reports.create(record, SCOPE, {"category": "flood", "summary": "ﾀｲﾌｳで冠水"})], None)
    hub.write([records.chronicle.create(an_id(), SCOPE, {"text": "たいふう接近"})], None)
    return hub, record


def kinds_of(node: Node, words: str) -> list[str]:
    return [one.kind for one in search.everywhere(node.reader(), INCIDENT, words, Viewer())]


def test_what_is_saved_is_found_at_once_and_in_the_index_afterwards(written: tuple[Node, uuid.UUID]) -> None:
    node, record = written
    assert kinds_of(node, "タイフウ") == ["damage-reports", "chronicle"]
    node.search.fold_all()
    assert node.reader().execute(f"SELECT count(*) FROM {index.NOTED}").fetchone()[0] == 0
    assert kinds_of(node, "タイフウ") == ["damage-reports", "chronicle"]
    versions = node.versions("damage-reports", SCOPE, str(record))
    node.write([records.damage_reports.edit(record, SCOPE, {"summary": "冠水"}, versions)], None)
    assert kinds_of(node, "タイフウ") == ["chronicle"] and kinds_of(node, "冠水") == ["damage-reports"]


def test_a_status_that_changed_is_nothing_new_for_the_index(written: tuple[Node, uuid.UUID]) -> None:
    node, record = written
    node.search.fold_all()
    versions = node.versions("damage-reports", SCOPE, str(record))
    node.write([records.damage_reports.edit(record, SCOPE, {"response_status": "done"}, versions)], None)
    assert node.reader().execute(f"SELECT count(*) FROM {index.NOTED}").fetchone()[0] == 0


@pytest.mark.parametrize("folded", [True, False])
def test_the_index_is_made_anew_with_the_tables(written: tuple[Node, uuid.UUID], folded: bool) -> None:
    node, _ = written
    node.search.fold_all()
    node.rebuild()
    if folded:
        node.search.fold_all()
    assert kinds_of(node, "ﾀｲﾌｳ") == ["damage-reports", "chronicle"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    yield from built(Path(tmp_path_factory.mktemp("house")))


def page(house: House, role: str, words: str) -> str:
    base = f"/incidents/{house.ids['incident_id']}/search"
    sent = house.ask(role, "POST", base, {"words": words, "list": "search.index"})
    assert sent.status_code == 303 and words not in sent.headers["Location"]
    return house.ask(role, "GET", sent.headers["Location"]).text


def test_the_page_shows_what_was_found_with_the_words_marked(house: House) -> None:
    house.made("chronicle", incident_id=house.ids["incident_id"], text="荒川の水位タイフウ")
    text = page(house, "viewer", "ﾀｲﾌｳ")
    assert "<mark>タイフウ</mark>" in text and "荒川の水位" in text


def test_an_answer_that_was_taken_back_is_found_as_one(house: House) -> None:
    told = house.made("instructions", incident_id=house.ids["incident_id"], text="樋門へ行く",
                      recipients=[house.ids["person commander"]])  # fmt: skip
    slip = house.made("instruction-replies", instruction_id=told, state="cannot", reason="道に迷った")
    assert "取り消されています" not in page(house, "viewer", "道に迷った")
    house.made("instruction-replies", instruction_id=told, state="taken_back", takes_back=slip)
    assert "取り消されています" in page(house, "viewer", "道に迷った")


def test_what_was_said_in_a_channel_of_others_is_not_found(house: House) -> None:
    assert "見つかりませんでした" in page(house, "admin", "ここだけの話")
    assert "<mark>ここだけの話</mark>" in page(house, "commander", "ここだけの話")


def test_words_that_nothing_says_and_no_words_are_answered_in_words(house: House) -> None:
    assert "見つかりませんでした" in page(house, "patrol", "まったく無い言葉")
    assert "見つかりませんでした" not in page(house, "patrol", "   ")
