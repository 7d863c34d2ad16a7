from __future__ import annotations

import pytest

from app.records import KINDS, search


@pytest.mark.parametrize("text", ["ﾀｲﾌｳ", "タイフウ", "たいふう", "ﾀｲ\u200bﾌｳ", "\u202eたいふう\u202c"])
def test_the_kind_of_kana_the_width_and_unseen_signs_make_no_difference(text: str) -> None:
    assert search.folded(text) == "たいふう"


@pytest.mark.parametrize(("text", "alike"), [("ＡＢＣ１２", "abc12"), ("ﾊﾞｽ", "バス"), ("T01-0004", "ｔ０１－０００４")])
def test_letters_numbers_and_joined_kana_are_one(text: str, alike: str) -> None:
    assert search.folded(text) == search.folded(alike)


def test_the_index_holds_each_pair_and_the_last_character_of_a_run() -> None:
    assert search.entry("chat-messages", "冠水 ﾀｲﾌ") == "\ufdd0chatmessages 冠水 水 たい いふ ふ"


def test_signs_of_the_engine_are_no_signs_in_an_expression() -> None:
    assert '"' not in search.expression(search.words_of('a"b* OR')).replace('" AND "', "").strip('"')
    assert search.expression(["水"]) == '"水" *'
    assert search.expression(["避難所"]) == '"避難 難所"'
    assert search.expression(["水"], "chat-messages") == '"\ufdd0chatmessages" AND "水" *'


def test_no_text_says_what_marks_a_kind() -> None:
    assert search.entry("chronicle", "\ufdd0chatmessages").split()[0] == "\ufdd0chronicle"
    assert "\ufdd0" not in search.entry("chronicle", "\ufdd0chatmessages").split(" ", 1)[1]
    assert search.words_of("\ufdd0chatmessages") == ["chatmessages"]


def test_what_was_found_is_marked_where_it_stands_in_the_text() -> None:
    assert search.marked("柳橋でタイフウ被害", "ﾀｲﾌｳ", 50) == [("柳橋で", False), ("タイフウ", True), ("被害", False)]
    long = "あ" * 200 + "冠水"
    parts = search.marked(long, "冠水", 40)
    assert ("冠水", True) in parts and sum(len(part) for part, _ in parts) <= 42


def test_nothing_that_is_sealed_and_no_field_that_is_not_there_is_searched() -> None:
    for kind, fields in search.FIELDS.items():
        assert not KINDS.by_name[kind].sealed
        assert set(fields) <= set(KINDS.by_name[kind].fields), kind
