"""Damage to a store's file: a flipped bit, a sector that the disk has lost, and where to find what is worth losing."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Generator
from pathlib import Path

from app.store.keys import read_keys
from app.store.pages import PAGE_BYTES
from app.store.salvage import Salvage

SECTOR_BYTES = 512


def flip(path: Path, at: int, bit: int) -> None:
    """Flip one bit of a file."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def pages(path: Path) -> int:
    return path.stat().st_size // PAGE_BYTES


def lose_a_sector(path: Path, page: int, chance: random.Random) -> None:
    """Overwrite the second sector of a page (from 1) with noise."""
    with path.open("r+b") as file:
        file.seek((page - 1) * PAGE_BYTES + SECTOR_BYTES)
        file.write(chance.randbytes(SECTOR_BYTES))


def data_key(home: Path) -> bytes:
    return read_keys(home / "key.json", None).data_key


def lost_with(home: Path) -> Generator[tuple[int, dict[bytes, list[int]]], None, None]:
    """For each page of a closed store's log that holds operations and little else: what is lost with it."""
    key, source = data_key(home), home / "tomoshibi.db"
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / source.name
        shutil.copyfile(source, copy)
        held = _operations(copy, key)
        for page in range(2, pages(source) + 1):
            shutil.copyfile(source, copy)
            lose_a_sector(copy, page, random.Random(page))
            left = _operations(copy, key)
            lost = {stream: sorted(seqs - left.get(stream, set())) for stream, seqs in held.items()}
            if 0 < sum(map(len, lost.values())) < 100:
                yield page, {stream: seqs for stream, seqs in lost.items() if seqs}


def _operations(path: Path, key: bytes) -> dict[bytes, set[int]]:
    salvage = Salvage(path, key)
    try:
        found: dict[bytes, set[int]] = {}
        for kept in salvage.segments():
            seqs = range(kept.segment.first, kept.segment.last + 1)
            found.setdefault(kept.segment.stream, set()).update(seqs)
        return found
    finally:
        salvage.close()
