"""In the child: one photo in, its cleaned original, its view and its thumbnail out.

Before: ``receive`` started it (``app.child``) with limits. After: the parent keeps the three as blobs. Whatever was not
a pixel is gone: each is encoded anew from the pixels. The same file gives the same bytes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageCms, ImageFile, ImageOps

from app.child import Progress, serve
from app.errors import Invalid
from app.intake import exif

PIXELS_MAX = 40_000_000
SIDE_MAX = 30_000
LOSSLESS_PIXELS_MAX, LOSSLESS_BYTES_MAX = 16_000_000, 4 << 20
ORIGINAL_QUALITIES = (90, 84, 78)  # the next one where the copy would be larger than what was sent
VIEW_PX, VIEW_BYTES = 1600, 300_000
THUMB_PX, THUMB_BYTES = 320, 20_000
_QUALITIES = (82, 74, 66, 58, 50, 40)
_HEIC_HINT = "Set the camera to JPEG (iPhone: 設定 > カメラ > フォーマット > 互換性優先)."
_UNREADABLE = (OSError, ValueError, TypeError, SyntaxError, struct.error, EOFError, IndexError, KeyError, OverflowError)


def made_anew(request: Mapping[str, Any], _: Progress) -> dict[str, Any]:
    """{original, view, thumb (bytes), media_type, width, height, taken_at, exif_location} of request's data."""
    picture = _open(request["data"], request["kind"])
    told = _told(picture)
    pixels = _pixels(picture)
    media_type, original = _original(pixels, request["kind"], len(request["data"]))
    fits = media_type == "image/jpeg" and max(pixels.size) <= VIEW_PX and len(original) <= VIEW_BYTES
    flat = _flat(pixels)
    view = original if fits else _small(flat, VIEW_PX, VIEW_BYTES)
    return {
        "original": original,
        "view": view,
        "thumb": _small(flat, THUMB_PX, THUMB_BYTES),
        "media_type": media_type,
        "width": pixels.width,
        "height": pixels.height,
        **told,
    }


def _open(data: bytes, kind: str) -> Image.Image:
    """The picture with its header read and its size checked; nothing is decoded yet."""
    Image.MAX_IMAGE_PIXELS = None  # our own limit is lower, and says what to do
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if kind == "HEIF":
        _know_heif()
    try:
        picture = Image.open(io.BytesIO(data), formats=[kind])
    except _UNREADABLE as error:
        raise _broken() from error
    width, height = picture.size
    if width * height > PIXELS_MAX or max(width, height) > SIDE_MAX:
        raise Invalid(
            "too_many_pixels", f"The picture has {width} × {height} pixels; 40 million are taken.",
            "Set the camera to a smaller size, or send a smaller copy.",
        )  # fmt: skip
    if width < 1 or height < 1 or getattr(picture, "n_frames", 1) < 1:
        raise _broken()
    return picture


def _know_heif() -> None:
    try:
        import pillow_heif
    except ImportError as error:
        raise Invalid("heic_not_here", "This installation cannot read HEIC photos.", _HEIC_HINT) from error
    pillow_heif.register_heif_opener(thumbnails=False)


def _told(picture: Image.Image) -> dict[str, Any]:
    try:
        tags = picture.getexif()
        gps, details = dict(tags.get_ifd(exif.GPS)), dict(tags.get_ifd(exif.DETAILS))
    except (*_UNREADABLE, ZeroDivisionError):
        return {"taken_at": None, "exif_location": None}
    return {"taken_at": exif.taken_at(details), "exif_location": exif.location_of(gps)}


def _pixels(picture: Image.Image) -> Image.Image:
    """Decoded, turned upright, in a mode that can be encoded, with nothing beside the pixels."""
    try:
        picture.load()
        upright = _in_srgb(ImageOps.exif_transpose(picture))
    except _UNREADABLE as error:
        raise _broken() from error
    clear = "transparency" in upright.info or upright.mode in ("RGBA", "LA", "PA", "RGBa", "La")
    wanted = "RGBA" if clear else ("L" if upright.mode in ("1", "L", "I", "I;16", "F") else "RGB")
    if upright.mode.startswith("I"):
        upright = upright.point(lambda value: value / 256).convert("L")  # 16 bits of grey
    pixels = upright if upright.mode == wanted else upright.convert(wanted)
    pixels.info.clear()
    return pixels


def _in_srgb(picture: Image.Image) -> Image.Image:
    """A phone's wide colours as every screen shows them: the profile that says what they mean does not stay."""
    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "CMYK"):
        return picture
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        told = ImageCms.profileToProfile(picture, given, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return picture  # a profile that cannot be read says nothing of the colours
    return told if told is not None else picture


def _original(pixels: Image.Image, kind: str, sent_bytes: int) -> tuple[str, bytes]:
    """PNG where sharp edges or transparency would suffer and it stays small; JPEG otherwise."""
    sharp = kind == "PNG" or pixels.mode == "RGBA"
    if sharp and pixels.width * pixels.height <= LOSSLESS_PIXELS_MAX:
        out = io.BytesIO()
        pixels.save(out, "PNG", compress_level=6)
        if out.tell() <= LOSSLESS_BYTES_MAX:
            return "image/png", out.getvalue()
    flat = _flat(pixels)
    for quality in ORIGINAL_QUALITIES:
        made = _jpeg(flat, quality)
        if len(made) <= sent_bytes:
            break
    return "image/jpeg", made


def _flat(pixels: Image.Image) -> Image.Image:
    """On white, where something is clear."""
    if pixels.mode != "RGBA":
        return pixels
    ground = Image.new("RGB", pixels.size, "white")
    ground.paste(pixels, mask=pixels.getchannel("A"))
    return ground


def _small(pixels: Image.Image, px: int, bytes_max: int) -> bytes:
    """A copy no larger than ``px`` and ``bytes_max``: first less fine, then smaller."""
    while True:
        copy = pixels.copy() if max(pixels.size) > px else pixels
        if copy is not pixels:
            copy.thumbnail((px, px), Image.Resampling.LANCZOS, reducing_gap=3.0)
        for quality in _QUALITIES:
            made = _jpeg(copy, quality)
            if len(made) <= bytes_max or px <= 64:
                return made
        pixels, px = copy, px * 3 // 4


def _jpeg(pixels: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    pixels.save(out, "JPEG", quality=quality, optimize=pixels.width * pixels.height <= VIEW_PX * VIEW_PX)
    return out.getvalue()


def _broken() -> Invalid:
    return Invalid("broken_file", "The picture is cut off or damaged.", "Take the photo again, or send it once more.")


if __name__ == "__main__":
    serve(made_anew)
