"""What a file is, by its first bytes; its name and its declared type are never asked. Pure.

Before: ``receive`` has the bytes. After: ``picture`` or ``voice`` reads a file of a kind that is taken.
"""

from __future__ import annotations

import re

from app.errors import AppError, Invalid, UnsupportedMedia

HEAD_BYTES = 1024
PICTURES = ("JPEG", "PNG", "WEBP", "HEIF")
VOICES = ("webm", "ogg", "mp4", "wav")
PHOTO_HINT = "Send a photo as JPEG, PNG, WebP or HEIC, or a voice memo as WebM, Ogg, M4A or WAV."

_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_SOUND_BRANDS = (b"M4A ", b"M4B ", b"mp41", b"mp42", b"isom", b"iso2", b"iso5", b"iso6", b"dash", b"M4V ", b"qt  ")
_MARKUP = re.compile(
    rb"\s*(?:<\?xml[^>]*>|<!--.*?-->|<!doctype[^>]*>|\s)*<(svg|html|head|body|script|iframe)\b", re.I | re.S
)
# What people do send, and why not: (first bytes, code, sentence).
_REFUSED = (
    (b"GIF8", "gif_refused", "The file is a GIF."),
    (b"%PDF", "pdf_refused", "The file is a PDF."),
    (b"BM", "bmp_refused", "The file is a BMP picture."),
    (b"II*\0", "tiff_refused", "The file is a TIFF or raw picture."),
    (b"MM\0*", "tiff_refused", "The file is a TIFF or raw picture."),
    (b"PK\3\4", "archive_refused", "The file is an archive or an office document."),
    (b"ID3", "mp3_refused", "The file is an MP3."),
)


def kind_of(data: bytes) -> str:
    """One of PICTURES or VOICES. Raises Invalid or UnsupportedMedia with a code for each thing that is refused."""
    if not data:
        raise Invalid("empty_file", "The file is empty.", "Take the photo again.", "file")
    found = _picture(data) or _voice(data)
    if found is None:
        raise _refusal(data)
    return found


def _picture(data: bytes) -> str | None:
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and data[8:12] in _HEIF_BRANDS:
        return "HEIF"
    return None


def _voice(data: bytes) -> str | None:
    if data.startswith(b"\x1a\x45\xdf\xa3"):
        return "webm"
    if data.startswith(b"OggS"):
        return "ogg"
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[4:8] == b"ftyp" and data[8:12] in _SOUND_BRANDS:
        return "mp4"
    return None


def _refusal(data: bytes) -> AppError:
    head = data[:HEAD_BYTES].removeprefix(b"\xef\xbb\xbf")
    markup = _MARKUP.match(head)
    if markup and markup[1].lower() == b"svg":
        return UnsupportedMedia("svg_refused", "The file is an SVG drawing.", PHOTO_HINT, "file")
    if markup:
        return UnsupportedMedia("html_refused", "The file is a web page.", PHOTO_HINT, "file")
    for start, code, sentence in _REFUSED:
        if head.startswith(start):
            return UnsupportedMedia(code, sentence, PHOTO_HINT, "file")
    return UnsupportedMedia(
        "unknown_file", "The file is neither a photo nor a voice memo that is known.", PHOTO_HINT, "file"
    )
