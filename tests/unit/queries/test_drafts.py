from __future__ import annotations

from typing import Any

import pytest

from app.queries import drafts
from tests.unit.queries.conftest import Insert

WHO, FORM = "01920000-0000-7000-8000-00000000000a", "01920000-0000-7000-8000-000000000001:report"


@pytest.fixture(autouse=True)
def table(db: Any) -> None:
    db.execute(
        "CREATE TABLE drafts (user_id TEXT, form TEXT, body TEXT, updated_at INTEGER, PRIMARY KEY (user_id, form))"
    )


def test_a_draft_comes_back_as_it_was_last_saved(db: Any) -> None:
    drafts.save(db, WHO, FORM, {"_id": ["x"], "address": ["北町"]}, 1)
    drafts.save(db, WHO, FORM, {"_id": ["x"], "address": ["南町"], "attachments": ["a", "b"]}, 2)
    found = drafts.get(db, WHO, FORM)
    assert found is not None and found.updated_at == 2
    assert (found.one("address"), found.values["attachments"], found.one("none")) == ("南町", ["a", "b"], "")


def test_a_draft_is_one_persons_and_one_forms(db: Any) -> None:
    drafts.save(db, WHO, FORM, {"address": ["北町"]}, 1)
    assert drafts.get(db, "somebody else", FORM) is None
    assert drafts.get(db, WHO, "another form") is None
    drafts.clear(db, WHO, FORM)
    assert drafts.get(db, WHO, FORM) is None


def test_a_draft_that_comes_after_its_report_was_saved_is_not_kept(db: Any, insert: Insert) -> None:
    report = insert("damage-reports", category="flood", summary="冠水")
    assert drafts.save(db, WHO, FORM, {"_id": [report], "address": ["北町"]}, 1) is False
    assert drafts.get(db, WHO, FORM) is None
