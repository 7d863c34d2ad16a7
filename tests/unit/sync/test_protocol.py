"""Frames: what is sent is read, whatever else comes is a bad frame, and nothing inflates beyond its limit."""

from __future__ import annotations

import os
import random
import tracemalloc

import msgspec
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from sync import limits, protocol
from sync.errors import BadFrame
from sync.oplog import Segment
from sync.protocol import Ack, Chunk, Frontier, Have, Hello, Need, Proof, Refuse, Run, Seek, VectorFrame, Want
from tests.unit.sync.nodes import REAL, ident

pack = msgspec.msgpack.encode
STREAM = ident("origin") + REAL + b"w"
FRAMES = [
    Hello(1, b"certificate", b"n" * 16, 5, 1),
    Proof(b"s" * 64, 5, 250),
    VectorFrame(b"d" * 8, None),
    VectorFrame(None, {STREAM: 4}),
    Run(3, (Segment(STREAM, 2, b"s" * 64, (b"one", b"two")),)),
    Ack(3, ((STREAM, 3, b"h" * 16),)),
    Need(((STREAM, 1),)),
    Refuse("code", "text", STREAM),
    Refuse("code", "text", None),
    Want(b"", b"a" * 32, 0, 4096),
    Want(b"t" * 8, b"a" * 32, 1 << 33, limits.CHUNK_BYTES_MAX),
    Chunk(b"t" * 8, b"a" * 32, 3, 7, b"data"),
    Chunk(b"t" * 8, b"a" * 32, 0, 0, b""),
    Chunk(b"t" * 8, b"a" * 32, 3, None, b""),
    Have(0, (b"a" * 32, b"b" * 32)),
    Seek(3, ()),
    Frontier(0, None),
    Frontier(7, ((1_780_000_000_000, STREAM, 4),)),
]


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: type(frame).__name__)
def test_a_frame_that_is_sent_is_read(frame: protocol.Frame) -> None:
    assert protocol.decode(protocol.encode(frame)) == frame


BAD = {
    "text": "hello",
    "nothing": b"",
    "no list": pack(1),
    "an empty list": pack([]),
    "no type": pack(["run"]),
    "an unknown type": pack([99]),
    "a true type": pack([True]),
    "a short hello": pack([1, 1]),
    "a frontier of no position": pack([12, None, None]),
    "a frontier below zero": pack([12, -1, None]),
    "a frontier of no steps": pack([12, 1, 3]),
    "a frontier of no stream": pack([12, 1, [[5, b"x", 1]]]),
    "a frontier before time": pack([12, 1, [[-5, STREAM, 1]]]),
    "a frontier of too many steps": pack([12, 1, [[5, STREAM, 1]] * (limits.FRONTIER_STEPS_MAX + 1)]),
    "a short nonce": pack([1, 1, b"", b"n", 5, 1]),
    "a vector of nothing": pack([3, None, None]),
    "a vector of no stream": pack([3, None, {b"x": 1}]),
    "a vector below one": pack([3, None, {STREAM: 0}]),
    "a run that is not zstd": pack([4, 1, b"plain"]),
    "an empty run": pack([4, 1, protocol.deflate(())]),
    "a run without bodies": pack([4, 1, protocol.deflate((Segment(STREAM, 1, b"s" * 64, ()),))]),
    "a run of 501": pack([4, 1, protocol.deflate((Segment(STREAM, 1, b"s" * 64, (b"",) * 501),))]),
    "a receipt without a head": pack([5, 1, [[STREAM, 1, b""]]]),
    "a receipt that is no triple": pack([5, 1, [1]]),
    "a huge need": pack([6, [[STREAM, 1]] * 501]),
    "a refusal of no stream": pack([7, "code", "text", b"x"]),
    "a want of 2^62": pack([8, b"", b"a" * 32, 1 << 62, 1]),
    "a want of nothing": pack([8, b"", b"a" * 32, 0, 0]),
    "a want of too much": pack([8, b"", b"a" * 32, 0, limits.CHUNK_BYTES_MAX + 1]),
    "a want below nothing": pack([8, b"", b"a" * 32, -1, 1]),
    "a want of no file": pack([8, b"", b"a" * 31, 0, 1]),
    "a want with half a token": pack([8, b"tok", b"a" * 32, 0, 1]),
    "a chunk beyond the end": pack([9, b"t" * 8, b"a" * 32, 3, 5, b"data"]),
    "a chunk that brings nothing": pack([9, b"t" * 8, b"a" * 32, 3, 5, b""]),
    "a chunk of nothing with bytes": pack([9, b"t" * 8, b"a" * 32, 3, None, b"data"]),
    "a chunk of a huge file": pack([9, b"t" * 8, b"a" * 32, 3, limits.BLOB_BYTES_MAX + 1, b"data"]),
    "a chunk too large": pack([9, b"t" * 8, b"a" * 32, 0, 1 << 20, b"x" * (limits.CHUNK_BYTES_MAX + 1)]),
    "a have of 501": pack([10, 0, [b"a" * 32] * 501]),
    "a seek of no files": pack([11, 1, [b"short"]]),
    "a seek of no list": pack([11, 1, {}]),
    "too large": pack([7, "x" * limits.FRAME_BYTES_MAX, "", None]),
    "a large frame dressed as a vector": b"\xdc\x03\x00" + b"\xc0" * limits.FRAME_BYTES_MAX,
    "a vector without end": b"\x93\x03" + b"\xc0" * limits.VECTOR_BYTES_MAX,
    "brackets": b"\x91" * 100_000,
    "not utf-8": b"\x94\x07\xa2\xff\xfe\xa1x\xc0",
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_frame_is_refused(name: str) -> None:
    with pytest.raises(BadFrame):
        protocol.decode(BAD[name])


@settings(max_examples=300, deadline=None)
@given(chance=st.integers(0, 1 << 32))
def test_random_and_damaged_bytes_raise_nothing_else(chance: int) -> None:
    dice = random.Random(chance)
    data = bytearray(protocol.encode(dice.choice(FRAMES)) if dice.random() < 0.8 else dice.randbytes(50))
    for _ in range(dice.randrange(1, 4)):
        data[dice.randrange(len(data))] = dice.randrange(256)
    try:
        protocol.decode(bytes(data))
    except BadFrame:
        return


def test_damaged_content_of_a_run_raises_nothing_else() -> None:
    dice = random.Random(7)
    inside = pack([[STREAM, 1, b"s" * 64, [b"one", {"a": 1}]]])
    for _ in range(300):
        data = bytearray(inside)
        for _ in range(dice.randrange(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        with pytest.raises(BadFrame):
            protocol.decode(pack([4, 1, zstandard.ZstdCompressor().compress(bytes(data))]))


def bomb(size: int) -> bytes:
    return zstandard.ZstdCompressor(level=19).compress(b"\0" * size)


def lying(data: bytes) -> bytes:
    """A frame whose header says that it holds 100 bytes."""
    stream = zstandard.ZstdCompressor(write_content_size=True).compress(b"\0" * 100)
    plain = zstandard.ZstdCompressor(write_content_size=False).compress(data)
    return stream[:6] + plain[6:]


BOMBS = {
    "200 MiB": bomb(200 << 20),
    "one byte too many": bomb(limits.RUN_INFLATED_BYTES_MAX + 1),
    "a header that lies": lying(b"\0" * (50 << 20)),
    "a window of 1 GiB": zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=30, write_content_size=False)
    ).compress(os.urandom(1000)),
    "cut off": bomb(1 << 20)[:20],
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_little_memory(name: str) -> None:
    frame = pack([4, 1, BOMBS[name]])
    tracemalloc.start()
    try:
        with pytest.raises(BadFrame):
            protocol.decode(frame)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
