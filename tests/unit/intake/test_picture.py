"""The reader of photos, called without its process."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from app.errors import Invalid
from app.intake import picture, sniff
from tests import photos


def made(data: bytes) -> dict[str, Any]:
    return picture.made_anew({"data": data, "kind": sniff.kind_of(data)}, lambda *_: None)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def test_a_large_photo_gets_a_view_and_a_thumbnail_within_their_limits() -> None:
    found = made(photos.photo(3000, 2000))
    assert opened(found["original"]).size == (3000, 2000) == (found["width"], found["height"])
    assert max(opened(found["view"]).size) == 1600 and len(found["view"]) <= 300_000
    assert max(opened(found["thumb"]).size) <= 320 and len(found["thumb"]) <= 20_000


def test_nothing_of_the_metadata_is_left_and_position_and_time_are_data() -> None:
    found = made(photos.photo(position=(139.67, 35.81)))
    assert found["exif_location"] == pytest.approx([139.67, 35.81], abs=1e-5)
    assert found["taken_at"] == 1570881427000
    for name in ("original", "view", "thumb"):
        assert photos.CANARY not in found[name]
        assert not opened(found[name]).getexif() and "exif" not in opened(found[name]).info


def test_a_photo_that_was_held_sideways_stands_upright() -> None:
    found = made(photos.photo(400, 300, orientation=6))
    assert (found["width"], found["height"]) == (300, 400)


def test_the_same_file_gives_the_same_bytes() -> None:
    data = photos.photo(seed=3)
    assert made(data) == made(data)


def test_a_drawing_with_a_clear_ground_stays_a_png_and_its_view_has_a_white_one() -> None:
    found = made(photos.drawing())
    assert found["media_type"] == "image/png" and opened(found["original"]).mode == "RGBA"
    assert opened(found["view"]).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_formats_are_taken_too(form: str) -> None:
    found = made(photos.photo(600, 400, form=form))
    assert (found["width"], found["height"]) == (600, 400) and opened(found["view"]).format == "JPEG"


def test_a_heic_photo_is_taken_where_its_reader_is_installed() -> None:
    heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
    out = io.BytesIO()
    heif.from_pillow(opened(photos.photo(320, 240))).save(out)
    found = made(out.getvalue())
    assert (found["media_type"], found["width"]) == ("image/jpeg", 320)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_every_mode_that_a_file_may_have_becomes_a_picture(mode: str) -> None:
    out = io.BytesIO()
    Image.new(mode, (64, 48)).save(out, "JPEG" if mode == "CMYK" else "PNG")
    assert made(out.getvalue())["width"] == 64


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (photos.bomb(), "too_many_pixels"),
        (photos.bomb(7_000), "too_many_pixels"),
        (photos.photo()[:9_000], "broken_file"),
        (photos.drawing()[:60], "broken_file"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "broken_file"),
        (b"RIFF\x20\0\0\0WEBPVP8 ", "broken_file"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 200, "broken_file"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(data: bytes, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        made(data)
    assert refused.value.code == code and refused.value.hint


def test_the_colours_of_a_phone_are_turned_into_those_of_every_screen() -> None:
    found = opened(made(photos.red_in(photos.profile_with_red_and_green_swapped()))["original"])
    red, green, _ = found.getpixel((30, 20))
    assert green > 180 > 60 > red and "icc_profile" not in found.info


def test_a_colour_profile_that_is_damaged_leaves_the_colours_as_they_are() -> None:
    red, green, _ = opened(made(photos.red_in(b"no profile"))["original"]).getpixel((30, 20))
    assert red > 180 > 60 > green
