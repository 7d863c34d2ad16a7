"""The pages of an encrypted file, looked at without the engine: which are whole, and a flipped bit put right.

Before: `doctor --mend` has made a copy to work on. After: ``salvage`` reads it through the engine. Each page ends with
a keyed hash of it (SQLCipher 4: 4,096 bytes, the last 80 an IV and HMAC-SHA-512), so where one bit was flipped, trying
every bit finds it, beyond doubt: 0.4 s a page. Memory that fails flips bits; what a worn disk loses is larger.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

PAGE_BYTES, HASH_BYTES, SALT_BYTES = 4096, 64, 16
COPIED_BYTES = 64 * PAGE_BYTES
TRIED_PAGES_MAX = 64  # of more than these the disk is worn, and no bit was flipped
_NEVER_WRITTEN = 0x40000000 // PAGE_BYTES + 1  # SQLite locks its bytes, and keeps nothing there
_HASHED = PAGE_BYTES - HASH_BYTES
_SALT_MASK, _KEY_ROUNDS, _KEY_BYTES = 0x3A, 2, 32  # how SQLCipher makes the hash's key from the store's
_BLOCK = 128  # of SHA-512: the hash of what stands before a bit is not made again for each


def put_bits_right(path: Path, key: bytes) -> tuple[list[int], list[int]]:
    """Mend single flipped bits of a file in place: (pages mended, pages that stay damaged), numbered from 1."""
    mended: list[int] = []
    lost: list[int] = []
    with path.open("r+b") as file:
        hash_key = _hash_key(file, key)
        for number, page in _pages(file):
            if _is_whole(hash_key, number, page):
                continue
            found = _with_a_bit_flipped(hash_key, number, page) if len(lost) < TRIED_PAGES_MAX else None
            if found is None:
                lost.append(number)
            else:
                mended.append(number)
                file.seek((number - 1) * PAGE_BYTES)
                file.write(found)
    return mended, lost


def copy_readable(source: Path, target: Path) -> int:
    """Copy a file; where the disk no longer gives a page there are zeros. Returns how many it did not give."""
    refused = 0
    with source.open("rb", buffering=0) as old, target.open("wb") as new:
        for start in range(0, source.stat().st_size, COPIED_BYTES):
            try:
                new.write(_read(old, start, COPIED_BYTES))
            except OSError:
                for at in range(start, min(start + COPIED_BYTES, source.stat().st_size), PAGE_BYTES):
                    try:
                        page = _read(old, at, PAGE_BYTES)
                    except OSError:
                        page, refused = bytes(PAGE_BYTES), refused + 1
                    new.seek(at)
                    new.write(page)
    return refused


def _read(file: BinaryIO, at: int, length: int) -> bytes:
    file.seek(at)
    return file.read(length)


def _pages(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number = 0
    while True:
        file.seek(number * PAGE_BYTES)
        page = file.read(PAGE_BYTES)
        if len(page) < PAGE_BYTES:
            return
        number += 1
        if number != _NEVER_WRITTEN:
            yield number, page


def _hash_key(file: BinaryIO, key: bytes) -> bytes:
    """The key of the pages' hashes. It hangs on the salt before page 1: where no page fits, a bit of it was flipped."""
    file.seek(0)
    salt = file.read(SALT_BYTES)
    given = _derived(key, salt)
    some = [page for page, _ in zip(_pages(file), range(4), strict=False)]
    if not some or any(_is_whole(given, number, page) for number, page in some):
        return given
    for other in _flips(salt):
        derived = _derived(key, other)
        if any(_is_whole(derived, number, page) for number, page in some):
            file.seek(0)
            file.write(other)
            return derived
    return given


def _derived(key: bytes, salt: bytes) -> bytes:
    masked = bytes(byte ^ _SALT_MASK for byte in salt)
    return hashlib.pbkdf2_hmac("sha512", key, masked, _KEY_ROUNDS, _KEY_BYTES)


def _is_whole(hash_key: bytes, number: int, page: bytes) -> bool:
    return hmac.compare_digest(_hashed(hash_key, number, page), page[_HASHED:])


def _hashed(hash_key: bytes, number: int, page: bytes) -> bytes:
    made = hmac.new(hash_key, page[_start(number) : _HASHED], hashlib.sha512)
    made.update(number.to_bytes(4, "little"))
    return made.digest()


def _start(number: int) -> int:
    return SALT_BYTES if number == 1 else 0


def _with_a_bit_flipped(hash_key: bytes, number: int, page: bytes) -> bytes | None:
    """The page as it was, where one bit of it was flipped; None where that is not so."""
    wanted, body = page[_HASHED:], page[_start(number) : _HASHED]
    made = _hashed(hash_key, number, page)
    if (int.from_bytes(made, "big") ^ int.from_bytes(wanted, "big")).bit_count() == 1:
        return page[:_HASHED] + made  # it was in the hash itself
    before = hmac.new(hash_key, b"", hashlib.sha512)
    for at in range(0, len(body), _BLOCK):
        block, rest = body[at : at + _BLOCK], body[at + _BLOCK :] + number.to_bytes(4, "little")
        for flipped in _flips(block):
            if _ends_in(before, flipped, rest) == wanted:
                return page[: _start(number)] + body[:at] + flipped + body[at + _BLOCK :] + wanted
        before.update(block)
    return None


def _ends_in(before: Any, block: bytes, rest: bytes) -> bytes:
    made = before.copy()
    made.update(block)
    made.update(rest)
    digest: bytes = made.digest()
    return digest


def _flips(data: bytes) -> Iterator[bytes]:
    """Every string that differs from ``data`` in one bit."""
    changed = bytearray(data)
    for at in range(len(data)):
        for bit in range(8):
            changed[at] ^= 1 << bit
            yield bytes(changed)
            changed[at] ^= 1 << bit
