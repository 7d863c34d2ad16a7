"""Starts the child on one file, with limits, in a private folder that is gone afterwards, whatever happens.

Before: ``commands.import_``. After: what the block does with the result: hand it to the node, or only print it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app import child

MODULE = "app.imports.work"
FOLDER = "tomoshibi-import-"  # then the number of the process that works in it
# Three million vertices take 1 GB; a text file of 512 MB is refused before it is opened, one of 200 MB takes 2 GB.
MEMORY_MB, CPU_SECONDS, WALL_SECONDS = 4_096, 1_200, 1_800.0


@contextlib.contextmanager
def made(
    what: str,
    path: Path,
    options: Mapping[str, str | None],
    *,
    city: list[float] | None = None,
    force: bool = False,
    tiles: bool = True,
    on_progress: child.Progress = lambda what, done, of: None,
) -> Iterator[dict[str, Any]]:
    """What the child made of the file; its files are there until the block ends. Raises AppError."""
    _sweep()
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-") as folder:
        request = {
            "what": what,
            "path": str(path.resolve()),
            "folder": folder,
            "options": dict(options),
            "city": city,
            "force": force,
            "tiles": tiles,
        }
        yield child.run(
            MODULE,
            request,
            memory_mb=MEMORY_MB,
            cpu_s=CPU_SECONDS,
            wall_s=WALL_SECONDS,
            on_progress=on_progress,
        )


def _sweep() -> None:
    """Remove what an import left that was ended by kill -9: up to 1 GB that nobody would find."""
    for left in Path(tempfile.gettempdir()).glob(f"{FOLDER}*"):
        owner = left.name.removeprefix(FOLDER).partition("-")[0]
        if owner.isdecimal() and not _runs(int(owner)):
            shutil.rmtree(left, ignore_errors=True)


def _runs(pid: int) -> bool:
    if os.name == "nt":
        return True  # there, asking with signal 0 would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True
