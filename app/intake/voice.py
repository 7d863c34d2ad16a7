"""In the child: one voice memo in, the same sound as WebM/Opus without metadata out.

Before: ``receive`` started it (``app.child``) with limits. After: the parent keeps it as a blob. It is decoded and
encoded anew, so that nothing but sound comes through; Opus plays in every browser, also in the desktop window.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from app.child import Progress, serve
from app.errors import Invalid

SECONDS_MAX = 60
GRACE_SECONDS = 2  # a recorder that was told to stop at 60 s ends a little later
RATE, BITS = 48_000, 32_000
_FORMATS = {"webm": "matroska,webm", "ogg": "ogg", "mp4": "mov,mp4,m4a,3gp,3g2,mj2", "wav": "wav"}


def made_anew(request: Mapping[str, Any], _: Progress) -> dict[str, Any]:
    """{original (bytes), media_type, duration_ms} of request's data."""
    try:
        with av.open(io.BytesIO(request["data"]), format=_FORMATS[request["kind"]].split(",")[0]) as source:
            if any(stream.type == "video" for stream in source.streams):
                hint = "Send a photo and a voice memo instead."
                raise Invalid("video_refused", "The file is a video.", hint)
            if not source.streams.audio:
                raise _broken()
            original, samples = _encoded(source)
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        raise _broken() from error
    if samples == 0:
        raise _broken()
    return {"original": original, "media_type": "audio/webm", "duration_ms": samples * 1000 // RATE}


def _encoded(source: Any) -> tuple[bytes, int]:
    out = io.BytesIO()
    samples = 0
    with av.open(out, "w", format="webm", options={"fflags": "+bitexact"}) as target:
        stream = target.add_stream("libopus", rate=RATE, layout="mono", options={"flags": "+bitexact"})
        stream.bit_rate = BITS
        for frame in _resampled(source):
            frame.pts = samples
            samples += frame.samples
            if samples > (SECONDS_MAX + GRACE_SECONDS) * RATE:
                raise Invalid(
                    "voice_too_long", f"The voice memo is longer than {SECONDS_MAX} seconds.", "Say it in two memos."
                )
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue(), samples


def _resampled(source: Any) -> Iterator[AudioFrame]:
    resampler = AudioResampler(format="s16", layout="mono", rate=RATE)
    for frame in source.decode(source.streams.audio[0]):
        frame.pts = None
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def _broken() -> Invalid:
    return Invalid("broken_file", "The voice memo is damaged or holds no sound.", "Record it again.")


if __name__ == "__main__":
    serve(made_anew)
