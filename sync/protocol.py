"""Frames of a link: their bytes and limits (docs/protocol.md §7). Pure. Before and after: ``session``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import zstandard

from sync import limits
from sync.errors import BadFrame, BadOperation
from sync.operation import split_stream
from sync.oplog import Segment
from sync.version_vector import Vector

VERSION = 1
BLOBS_SCHEMA = 2  # a peer whose `hello` names an older one knows none of the frames about files: it is sent none
FRONTIERS_SCHEMA = 8  # likewise for `frontier`
HELLO, PROOF, VECTOR, RUN, ACK, NEED, REFUSE, WANT, CHUNK, HAVE, SEEK, FRONTIER = range(1, 13)
NAMES = {HELLO: "hello", PROOF: "proof", VECTOR: "vector", RUN: "run", ACK: "ack", NEED: "need", REFUSE: "refuse"}
NAMES |= {WANT: "want", CHUNK: "chunk", HAVE: "have", SEEK: "seek", FRONTIER: "frontier"}
TOKEN_BYTES = 8
NAME_BYTES = 32
NONCE_BYTES = 16
HEAD_BYTES = 16
TEXT_CHARS_MAX = 500
COMPRESSION_LEVEL = 3
_VECTOR_START = bytes([0x93, VECTOR])  # a msgpack array of three whose first item is the type

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder().decode


@dataclass(frozen=True, slots=True)
class Hello:
    protocol: int
    certificate: bytes
    nonce: bytes
    clock_ms: int
    schema: int


@dataclass(frozen=True, slots=True)
class Proof:
    signature: bytes
    clock_ms: int
    retry_ms_max: int


@dataclass(frozen=True, slots=True)
class VectorFrame:
    digest: bytes | None
    vector: Vector | None


@dataclass(frozen=True, slots=True)
class Run:
    number: int
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Ack:
    number: int
    receipts: tuple[tuple[bytes, int, bytes], ...]  # (stream, seq, first 16 bytes of h)


@dataclass(frozen=True, slots=True)
class Need:
    wanted: tuple[tuple[bytes, int], ...]  # (stream, from seq)


@dataclass(frozen=True, slots=True)
class Refuse:
    code: str
    text: str
    stream: bytes | None


@dataclass(frozen=True, slots=True)
class Want:
    token: bytes  # of the last chunk that came on this link: its receipt; empty before the first
    name: bytes  # SHA-256
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Chunk:
    token: bytes
    name: bytes
    start: int
    total: int | None  # None: not whole here
    data: bytes


@dataclass(frozen=True, slots=True)
class Have:
    number: int  # of the `seek` that it answers; 0 where nothing was asked
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Seek:
    number: int
    names: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Frontier:
    """A question, or how the teller's log grew: (time it came there in ms, stream, last seq), in the log's order."""

    position: int  # of the teller's log: up to where it is known to who asks, or up to where these steps go
    steps: tuple[tuple[int, bytes, int], ...] | None  # None: the question


Frame = Hello | Proof | VectorFrame | Run | Ack | Need | Refuse | Want | Chunk | Have | Seek | Frontier


def encode(frame: Frame) -> bytes:
    if isinstance(frame, Hello):
        items: list[Any] = [HELLO, frame.protocol, frame.certificate, frame.nonce, frame.clock_ms, frame.schema]
    elif isinstance(frame, Proof):
        items = [PROOF, frame.signature, frame.clock_ms, frame.retry_ms_max]
    elif isinstance(frame, VectorFrame):
        items = [VECTOR, frame.digest, frame.vector]
    elif isinstance(frame, Run):
        items = [RUN, frame.number, deflate(frame.segments)]
    elif isinstance(frame, Ack):
        items = [ACK, frame.number, frame.receipts]
    elif isinstance(frame, Need):
        items = [NEED, frame.wanted]
    elif isinstance(frame, Want):
        items = [WANT, frame.token, frame.name, frame.start, frame.length]
    elif isinstance(frame, Chunk):
        items = [CHUNK, frame.token, frame.name, frame.start, frame.total, frame.data]
    elif isinstance(frame, Have | Seek):
        items = [HAVE if isinstance(frame, Have) else SEEK, frame.number, frame.names]
    elif isinstance(frame, Frontier):
        items = [FRONTIER, frame.position, frame.steps]
    else:
        items = [REFUSE, frame.code, frame.text[:TEXT_CHARS_MAX], frame.stream]
    return _encode(items)


def decode(data: object) -> Frame:
    """The frame in ``data``, checked in full. Raises BadFrame."""
    if not isinstance(data, bytes | bytearray):
        raise BadFrame("a frame is binary")
    if len(data) > (limits.VECTOR_BYTES_MAX if data[:2] == _VECTOR_START else limits.FRAME_BYTES_MAX):
        raise BadFrame("the frame is too large")
    try:
        items = _decode(data)
    except (ValueError, RecursionError, OverflowError) as error:
        raise BadFrame("the frame is not msgpack") from error
    if type(items) is not list or not items or type(items[0]) is not int:
        raise BadFrame("the frame has no type")
    reader = _READERS.get(items[0])
    if reader is None:
        raise BadFrame("the frame's type is unknown")
    try:
        frame: Frame = reader(items[1:])
        return frame
    except (TypeError, ValueError, BadOperation) as error:
        raise BadFrame(f"the {NAMES[items[0]]} frame has another shape") from error


def _read_hello(items: list[Any]) -> Hello:
    protocol, certificate, nonce, clock_ms, schema = items
    _are(int, protocol, clock_ms, schema)
    _are(bytes, certificate, nonce)
    if len(nonce) != NONCE_BYTES or not 0 <= clock_ms < 1 << 47:
        raise ValueError
    return Hello(protocol, certificate, nonce, clock_ms, schema)


def _read_proof(items: list[Any]) -> Proof:
    signature, clock_ms, retry_ms_max = items
    _are(bytes, signature)
    _are(int, clock_ms, retry_ms_max)
    return Proof(signature, clock_ms, min(max(retry_ms_max, 0), 10_000))


def _read_vector(items: list[Any]) -> VectorFrame:
    digest, vector = items
    if digest is not None and (type(digest) is not bytes or len(digest) != 8):
        raise ValueError
    if vector is not None:
        if type(vector) is not dict or len(vector) > limits.VECTOR_STREAMS_MAX:
            raise ValueError
        for stream, seq in vector.items():
            _check_place(stream, seq)
    if digest is None and vector is None:
        raise ValueError
    return VectorFrame(digest, vector)


def _read_run(items: list[Any]) -> Run:
    number, packed = items
    _are(int, number)
    _are(bytes, packed)
    listed = _decode_inflated(packed)
    if type(listed) is not list or not 1 <= len(listed) <= limits.RUN_OPS_MAX:
        raise ValueError
    segments = tuple(_read_segment(item) for item in listed)
    if sum(len(segment.bodies) for segment in segments) > limits.RUN_OPS_MAX:
        raise ValueError
    return Run(number, segments)


def _read_segment(item: Any) -> Segment:
    stream, first, signature, bodies = item
    _check_place(stream, first)
    if type(signature) is not bytes or len(signature) != 64 or type(bodies) is not list or not bodies:
        raise ValueError
    _are(bytes, *bodies)
    return Segment(stream, first, signature, tuple(bodies))


def _read_ack(items: list[Any]) -> Ack:
    number, receipts = items
    _are(int, number)
    if type(receipts) is not list or len(receipts) > limits.RUN_OPS_MAX:
        raise ValueError
    for stream, seq, head in receipts:
        _check_place(stream, seq)
        if type(head) is not bytes or len(head) != HEAD_BYTES:
            raise ValueError
    return Ack(number, tuple((stream, seq, head) for stream, seq, head in receipts))


def _read_need(items: list[Any]) -> Need:
    (wanted,) = items
    if type(wanted) is not list or len(wanted) > limits.RUN_OPS_MAX:
        raise ValueError
    for stream, seq in wanted:
        _check_place(stream, seq)
    return Need(tuple((stream, seq) for stream, seq in wanted))


def _read_refuse(items: list[Any]) -> Refuse:
    code, text, stream = items
    _are(str, code, text)
    if stream is not None:
        _check_place(stream, 1)
    return Refuse(code[:64], text[:TEXT_CHARS_MAX], stream)


def _read_want(items: list[Any]) -> Want:
    token, name, start, length = items
    _check_token(token)
    _check_names(name)
    _are(int, start, length)
    if not 0 <= start <= limits.BLOB_BYTES_MAX or not 1 <= length <= limits.CHUNK_BYTES_MAX:
        raise ValueError
    return Want(token, name, start, length)


def _read_chunk(items: list[Any]) -> Chunk:
    token, name, start, total, data = items
    _check_token(token)
    _check_names(name)
    _are(int, start)
    _are(bytes, data)
    if total is None:
        if data:
            raise ValueError
        return Chunk(token, name, start, None, b"")
    _are(int, total)
    if not 0 <= start <= total <= limits.BLOB_BYTES_MAX or len(data) > limits.CHUNK_BYTES_MAX:
        raise ValueError
    if start + len(data) > total or (start < total and not data):
        raise ValueError
    return Chunk(token, name, start, total, data)


def _read_have(items: list[Any]) -> Have:
    return Have(*_read_names(items))


def _read_seek(items: list[Any]) -> Seek:
    return Seek(*_read_names(items))


def _read_frontier(items: list[Any]) -> Frontier:
    position, steps = items
    _are(int, position)
    if not 0 <= position <= limits.INT64_MAX:
        raise ValueError
    if steps is None:
        return Frontier(position, None)
    if type(steps) is not list or len(steps) > limits.FRONTIER_STEPS_MAX:
        raise ValueError
    for at, stream, seq in steps:
        _are(int, at)
        _check_place(stream, seq)
        if not 0 <= at < 1 << 47:
            raise ValueError
    return Frontier(position, tuple((at, stream, seq) for at, stream, seq in steps))


def _read_names(items: list[Any]) -> tuple[int, tuple[bytes, ...]]:
    number, names = items
    _are(int, number)
    if type(names) is not list or len(names) > limits.NAMES_AT_ONCE_MAX or not 0 <= number <= limits.INT64_MAX:
        raise ValueError
    _check_names(*names)
    return number, tuple(names)


_READERS: dict[int, Callable[[list[Any]], Frame]] = {
    HELLO: _read_hello,
    PROOF: _read_proof,
    VECTOR: _read_vector,
    RUN: _read_run,
    ACK: _read_ack,
    NEED: _read_need,
    REFUSE: _read_refuse,
    WANT: _read_want,
    CHUNK: _read_chunk,
    HAVE: _read_have,
    SEEK: _read_seek,
    FRONTIER: _read_frontier,
}


def _are(kind: type, *values: Any) -> None:
    if any(type(value) is not kind for value in values):
        raise TypeError


def _check_token(token: Any) -> None:
    if type(token) is not bytes or len(token) not in (0, TOKEN_BYTES):
        raise ValueError


def _check_names(*names: Any) -> None:
    if any(type(name) is not bytes or len(name) != NAME_BYTES for name in names):
        raise ValueError


def _check_place(stream: Any, seq: Any) -> None:
    if type(stream) is not bytes or type(seq) is not int or not 1 <= seq <= limits.INT64_MAX:
        raise ValueError
    split_stream(stream)


def deflate(segments: tuple[Segment, ...]) -> bytes:
    listed = [[segment.stream, segment.first, segment.signature, segment.bodies] for segment in segments]
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(_encode(listed))


def _decode_inflated(packed: bytes) -> Any:
    """Inflate to at most 1 MiB, whatever the frame's own header promises."""
    try:
        with zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(packed) as reader:
            inflated = reader.read(limits.RUN_INFLATED_BYTES_MAX + 1)
    except zstandard.ZstdError as error:
        raise BadFrame("the run does not inflate") from error
    if len(inflated) > limits.RUN_INFLATED_BYTES_MAX:
        raise BadFrame("the run inflates to more than 1 MiB")
    try:
        return _decode(inflated)
    except (ValueError, RecursionError, OverflowError) as error:
        raise BadFrame("the run is not msgpack") from error
