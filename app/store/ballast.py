"""A file that is given up when the disk is full: SQLite needs room even to delete or to checkpoint."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from app.store.durable import sync_folder

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ballast:
    path: Path
    size_mb: int = 8

    def held(self) -> bool:
        """True while the whole file is there."""
        try:
            return self.path.stat().st_size >= self.size_mb * _BLOCK
        except FileNotFoundError:
            return False

    def take(self) -> bool:
        """Write the file if it is not there; False where the disk has no room for it."""
        if self.size_mb == 0 or self.held():
            return True
        try:
            # Real bytes: a sparse file would hold nothing back, and zeros may be compressed away.
            with open(self.path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
                for _ in range(self.size_mb):
                    file.write(os.urandom(_BLOCK))
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            self.release()
            return False
        return True

    def release(self) -> bool:
        """Give the room back; False where there was none to give."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
            sync_folder(self.path.parent)
            return True
        return False
