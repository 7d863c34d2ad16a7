"""Files that take the place of others all together, or not at all: whole in a folder beside, then one mark, then moved.

Before: ``rekey`` made them. After: whoever takes the data folder's lock next finishes what a power cut broke off, or
throws away what was not whole.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from app.store.durable import sync_folder, write_durably

FOLDER, MARK = "rekey", "whole"


def begin(home: Path) -> Path:
    """An empty folder for the files that shall come."""
    settle(home)
    beside = home / FOLDER
    beside.mkdir(mode=0o700)
    return beside


def seal(home: Path) -> None:
    """From here on the new files count, whatever happens. Each was synced by who wrote it."""
    beside = home / FOLDER
    sync_folder(beside)
    sync_folder(home)
    write_durably(beside / MARK, b"")


def settle(home: Path) -> None:
    """Finish a swap whose mark is there; take away one that never was whole. May be cut off and called again."""
    beside = home / FOLDER
    if not beside.exists():
        return
    if (beside / MARK).exists():
        for path in sorted(beside.iterdir()):
            if path.name != MARK and not path.name.startswith("."):
                _put(path, home / path.name)
        sync_folder(home)
        (beside / MARK).unlink()
        sync_folder(beside)
    shutil.rmtree(beside)


def _put(path: Path, place: Path) -> None:
    for suffix in ("-wal", "-shm"):  # of the old file: its pages must never be folded into the new one
        place.with_name(place.name + suffix).unlink(missing_ok=True)
    os.replace(path, place)
