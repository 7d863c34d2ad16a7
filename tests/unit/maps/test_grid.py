"""References of the UTM grid as responders write them, and back."""

from __future__ import annotations

import random

import pytest

from maps import grid
from maps.grid import BadGrid

HALL = (139.6779, 35.8178)  # Toda: 54SUE80566454


@pytest.mark.parametrize(
    "text",
    [
        "54SUE80566454",
        "54S UE 8056 6454",
        "54sue80566454",
        "５４ＳＵＥ８０５６６４５４",
        "５４Ｓ　ＵＥ　８０５６　６４５４",
        "54SUE 8056-6454",
        "54 S UE 8056 6454",
        "8056-6454",
        "8056 6454",
        "８０５６－６４５４",
        "８０５６ー６４５４",
        "80566454",
    ],
)
def test_every_way_of_writing_names_the_same_square(text: str) -> None:
    found = grid.read(text, near=HALL)
    assert found.text == "54S UE 8056 6454"
    assert found.size_m == 10
    assert (found.lon, found.lat) == pytest.approx(HALL, abs=0.0001)


@pytest.mark.parametrize(
    ("text", "size_m"),
    [("54SUE8064", 1_000), ("54SUE805645", 100), ("54SUE80566454", 10), ("54SUE8056064540", 1)],
)
def test_fewer_digits_name_a_larger_square_by_its_middle(text: str, size_m: int) -> None:
    found = grid.read(text)
    assert found.size_m == size_m
    assert (grid.write(found.lon, found.lat, len(text[5:]) // 2) or "").replace(" ", "") == text


def test_a_position_is_written_to_ten_metres_with_spaces() -> None:
    assert grid.write(*HALL) == "54S UE 8056 6454"
    assert grid.write(0.0, 89.0) is None


def test_what_is_written_is_read_again_within_its_square() -> None:
    chance = random.Random(3)
    for _ in range(300):
        lon, lat = chance.uniform(123, 146), chance.uniform(24, 45.5)
        found = grid.read(grid.write(lon, lat) or "")
        assert abs(found.lat - lat) * 111_320 <= 10 and abs(found.lon - lon) * 111_320 <= 12
        assert grid.write(found.lon, found.lat) == found.text


def test_a_short_reference_takes_the_nearest_square_at_the_edge_of_two() -> None:
    west, east = (138.62, 35.15), (138.68, 35.15)  # 54STD and 54SUD meet near 138.7
    for here in (west, east):
        whole = grid.write(*here) or ""
        short = "-".join(whole.split()[2:])
        for near in (west, east):
            assert grid.read(short, near=near).text == whole


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "grid_empty"),
        ("   ", "grid_empty"),
        ("戸田市役所", "grid_unreadable"),
        ("54SUE8056645", "grid_uneven"),
        ("805-6454", "grid_uneven"),
        ("54IUE80566454", "grid_unreadable"),
        ("99SUE80566454", "grid_nowhere"),
        ("54SZZ80566454", "grid_nowhere"),
        ("54CUE80566454", "grid_nowhere"),
        ("54SUE" + "1" * 70, "grid_too_long"),
        ("54SUE80566454; DROP", "grid_unreadable"),
        ("\x00\x00", "grid_unreadable"),
    ],
)
def test_what_names_no_place_is_told_in_one_sentence_with_a_hint(text: str, code: str) -> None:
    with pytest.raises(BadGrid) as refused:
        grid.read(text, near=HALL)
    assert refused.value.code == code
    assert refused.value.message and refused.value.hint


def test_a_short_reference_needs_a_city() -> None:
    with pytest.raises(BadGrid, match="needs a city"):
        grid.read("8056-6454")
