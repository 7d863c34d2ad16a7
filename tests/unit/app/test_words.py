from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import words

KEY, OTHER = bytes(range(32)), bytes(32)


@given(st.text(max_size=100).filter(lambda text: text.isprintable()))
def test_sealed_words_come_back_and_stand_nowhere_in_the_address(text: str) -> None:
    sealed = words.seal(KEY, text)
    assert words.unseal(KEY, sealed) == text
    assert sealed.startswith(words.MARK) and sealed.isascii()


def test_the_same_words_look_different_each_time() -> None:
    assert words.seal(KEY, "柳橋") != words.seal(KEY, "柳橋")


@pytest.mark.parametrize("asked", ["~", "~x", "~" + "A" * 40, "~%%%"])
def test_what_no_key_opens_is_no_words(asked: str) -> None:
    assert words.unseal(KEY, asked) == ""


def test_another_nodes_words_are_not_opened_and_typed_ones_are_taken_as_they_are() -> None:
    assert words.unseal(OTHER, words.seal(KEY, "柳橋")) == ""
    assert words.unseal(KEY, " 柳橋 ") == "柳橋"
    assert len(words.unseal(KEY, "水" * 500)) == words.CHARS_MAX
