from __future__ import annotations

import pytest

from app.errors import AppError
from app.intake import sniff
from tests import photos


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (photos.photo(40, 30), "JPEG"),
        (photos.drawing(), "PNG"),
        (photos.photo(40, 30, form="WEBP"), "WEBP"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "HEIF"),
        (photos.voice(0.2), "webm"),
        (photos.voice(0.2, "ogg"), "ogg"),
        (photos.voice(0.2, "mp4", "aac"), "mp4"),
        (photos.voice(0.2, "wav", "pcm_s16le"), "wav"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_is_known_by_its_first_bytes(data: bytes, kind: str) -> None:
    assert sniff.kind_of(data) == kind


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (photos.SVG, "svg_refused"),
        (b"\xef\xbb\xbf<!-- x --><svg onload=alert(1)>", "svg_refused"),
        (photos.HTML, "html_refused"),
        (photos.GIF, "gif_refused"),
        (photos.PDF, "pdf_refused"),
        (b"PK\3\4 docx", "archive_refused"),
        (b"\0\0\0\x18ftypavif", "unknown_file"),
        (b"MZ\x90\0", "unknown_file"),
    ],
)
def test_what_is_refused_has_a_code_of_its_own_and_says_what_to_send(data: bytes, code: str) -> None:
    with pytest.raises(AppError) as refused:
        sniff.kind_of(data)
    assert refused.value.code == code and refused.value.hint and refused.value.status in (415, 422)
