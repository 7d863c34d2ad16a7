from __future__ import annotations

from app.records.same_content import same_content

POSTED = {"summary": "水", "attachments": {"add": ["a", "b"], "drop": []}, "location": (1.0, 2.0)}


def test_the_same_thing_sent_twice_is_the_same() -> None:
    first = {
        "summary": "水",
        "attachments": {"drop": [], "add": ["b", "a"]},
        "location": [1, 2],
        "number": "T07-0001",
    }
    assert same_content({**POSTED, "urgency": None}, first, ("number",))


def test_another_value_or_a_missing_one_is_other_content() -> None:
    assert not same_content(POSTED, {**POSTED, "summary": "火"})
    assert not same_content(POSTED, {"summary": "水"})
    assert not same_content({"summary": "水"}, POSTED)
