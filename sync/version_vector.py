"""What a node holds: for each stream the last number. Pure; it only ever decides what to send (docs/protocol.md §7)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

Vector = dict[bytes, int]  # stream -> last seq


def digest8(ends: Mapping[bytes, tuple[int, bytes]], tails: Iterable[tuple[bytes, int, bytes]] = ()) -> bytes:
    """8 bytes that stand for what a node holds: stream -> (last seq, h), and (stream, seq, h) of what lost a fork.

    Without the lost tails two nodes with one vector took them for known to the other, and never told them.
    """
    entries = [(stream, seq, head) for stream, (seq, head) in ends.items()]
    listed = sorted([stream, seq, head[:8]] for stream, seq, head in (*entries, *tails))
    return hashlib.sha256(msgspec.msgpack.encode(listed)).digest()[:8]


def lacks(have: Mapping[bytes, int], other: Mapping[bytes, int]) -> Vector:
    """The streams in which ``have`` goes beyond ``other``, with where ``other`` stands."""
    return {stream: other.get(stream, 0) for stream, seq in have.items() if seq > other.get(stream, 0)}


def merge(one: Mapping[bytes, int], two: Mapping[bytes, int]) -> Vector:
    """The greater of both, stream by stream."""
    result = dict(one)
    for stream, seq in two.items():
        if seq > result.get(stream, 0):
            result[stream] = seq
    return result
