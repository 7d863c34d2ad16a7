"""Photos and voice memos as cameras and recorders make them, and what strangers send instead. Made here."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageCms

CANARY = b"CANARY-in-the-metadata"
RATE = 48_000


def photo(
    width: int = 1200,
    height: int = 900,
    *,
    seed: int = 0,
    form: str = "JPEG",
    position: tuple[float, float] | None = None,
    taken: str | None = "2019:10:12 20:57:07",
    orientation: int = 1,
    quality: int = 85,
) -> bytes:
    """A street at night with noise, so that it does not shrink to nothing; a canary in its EXIF."""
    noise = np.random.default_rng(seed).integers(0, 50, (height, width, 3), np.uint8)
    rows = (
        np.linspace(30, 140, height, dtype=np.uint8)[:, None, None] + np.linspace(0, 60, width, dtype=np.uint8)[:, None]
    )
    picture = Image.fromarray(noise + rows)
    tags = picture.getexif()
    tags[0x010F] = CANARY.decode()
    tags[0x0112] = orientation
    if taken:
        tags.get_ifd(0x8769)[36867] = taken
    if position:
        lon, lat = position
        place = {1: "N" if lat >= 0 else "S", 2: _dms(lat), 3: "E" if lon >= 0 else "W", 4: _dms(lon)}
        tags.get_ifd(0x8825).update(place)
    out = io.BytesIO()
    picture.save(out, form, exif=tags, **({"quality": quality} if form != "PNG" else {}))
    return out.getvalue()


def drawing() -> bytes:
    """A sketch with a clear ground, as PNG."""
    picture = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    picture.paste((200, 0, 0, 255), (50, 50, 200, 200))
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def red_in(profile: bytes) -> bytes:
    """A red picture whose numbers mean what ``profile`` says."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (220, 20, 20)).save(out, "JPEG", quality=95, icc_profile=profile)
    return out.getvalue()


def profile_with_red_and_green_swapped() -> bytes:
    """A system of colours that nobody could take for sRGB: its first number is the green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")


def bomb(side: int = 60_000) -> bytes:
    """A PNG of a few kB that would take ``side``² pixels."""
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 64, 9)
    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", rows) + _chunk(b"IEND", b"")


def voice(seconds: float = 2.0, form: str = "webm", codec: str = "libopus") -> bytes:
    """A hum with a canary in its tags."""
    import av

    out = io.BytesIO()
    wave = (np.sin(np.arange(int(seconds * RATE)) / 20) * 8000).astype(np.int16)
    with av.open(out, "w", format=form) as target:
        target.metadata["title"] = CANARY.decode()
        stream: Any = target.add_stream(codec, rate=RATE, layout="mono")
        for start in range(0, len(wave), 960):
            frame = av.AudioFrame.from_ndarray(wave[None, start : start + 960], format="s16", layout="mono")
            frame.rate, frame.pts = RATE, start
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()


def video() -> bytes:
    import av

    out = io.BytesIO()
    with av.open(out, "w", format="webm") as target:
        stream: Any = target.add_stream("libvpx", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        for _ in range(5):
            target.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        target.mux(stream.encode(None))
    return out.getvalue()


SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"\n<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
GIF = b"GIF89a\1\0\1\0\0\0\0;"
PDF = b"%PDF-1.7\n1 0 obj"


def _dms(degrees: float) -> tuple[float, float, float]:
    value = abs(degrees)
    return (float(int(value)), float(int(value * 60) % 60), round(value * 3600 % 60, 3))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
