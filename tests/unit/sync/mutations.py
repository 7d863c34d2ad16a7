"""How bytes are spoilt: by damage, which knows nothing of them, and by altering one item of what they say."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import msgspec

from sync import protocol
from sync.errors import BadFrame

pack = msgspec.msgpack.Encoder().encode
unpack = msgspec.msgpack.Decoder().decode
EXTREMES = (0, 1, -1, 255, 256, 65_536, (1 << 47) - 1, 1 << 47, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, -(1 << 63))
LEAVES: tuple[Any, ...] = (
    None,
    True,
    False,
    1.5,
    "",
    "\0",
    b"",
    b"x" * 16,
    b"x" * 32,
    b"x" * 34,
    [],
    {},
    [[]],
    *EXTREMES,
)


def damaged(data: bytes, dice: random.Random) -> bytes:
    """The bytes with one to three faults; never the same bytes."""
    spoilt = bytearray(data)
    while bytes(spoilt) == data:
        for _ in range(dice.choice([1, 1, 1, 2, 3])):
            dice.choice(_DAMAGES)(spoilt, dice)
    return bytes(spoilt)


def _flip(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)


def _insert(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = dice.randbytes(dice.choice([1, 1, 4]))


def _delete(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    del data[at : at + dice.choice([1, 1, 4])]


def _truncate(data: bytearray, dice: random.Random) -> None:
    del data[dice.randrange(len(data) + 1) :]


def _overwrite(data: bytearray, dice: random.Random) -> None:
    if data:
        data[dice.randrange(len(data))] = dice.randrange(256)


def _repeat(data: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(data) + 1)
    data[at:at] = data[at : at + dice.randrange(1, 9)]


_DAMAGES: tuple[Callable[[bytearray, random.Random], None], ...] = (
    _flip, _flip, _insert, _delete, _truncate, _overwrite, _repeat,
)  # fmt: skip


def altered(value: Any, dice: random.Random) -> Any:
    """The value with one item altered, left out, doubled, swapped or replaced, somewhere in it."""
    if type(value) is list and value and dice.random() < 0.85:
        return _altered_list(list(value), dice)
    if type(value) is dict and value and dice.random() < 0.85:
        name = dice.choice(sorted(value, key=repr))
        changed = {key: item for key, item in value.items() if key != name}
        return changed if dice.random() < 0.2 else changed | {name: altered(value[name], dice)}
    if type(value) is int and dice.random() < 0.7:
        return value + dice.choice([-1, 1, 2])
    if type(value) is bytes and dice.random() < 0.7:
        return damaged(value, dice)
    return dice.choice(LEAVES)


def _altered_list(items: list[Any], dice: random.Random) -> list[Any]:
    at = dice.randrange(len(items))
    act = dice.random()
    if act < 0.7:
        items[at] = altered(items[at], dice)
    elif act < 0.8:
        del items[at]
    elif act < 0.9:
        items.insert(at, items[at])
    else:
        other = dice.randrange(len(items))
        items[at], items[other] = items[other], items[at]
    return items


def altered_frame(data: bytes, dice: random.Random) -> bytes:
    """A frame with an item altered; inside a run, what was compressed as well."""
    items = unpack(data)
    if items[0] == protocol.RUN and dice.random() < 0.8:
        try:
            listed = protocol._decode_inflated(items[2])
        except BadFrame:
            return damaged(data, dice)
        packed = protocol.zstandard.ZstdCompressor().compress(written(altered(listed, dice)))
        return pack([protocol.RUN, items[1], packed])
    return written(altered(items, dice))


def written(value: Any) -> bytes:
    """msgpack of a value that need not be one: an integer that does not fit is written as nil."""
    try:
        return pack(value)
    except OverflowError:
        return pack(None)
