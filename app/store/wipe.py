"""The end of a node on this machine: its keys first, so that a power cut leaves nothing that can be read.

The caller holds the folder's lock. The city's recovery file and the settings are left: they are not the node's.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from app.store import device_secret, swap
from app.store.durable import sync_folder

if TYPE_CHECKING:
    from app.store.folder import DataFolder


def wipe(folder: DataFolder) -> int:
    """How many files and folders were taken away; may be cut off and called again."""
    swap.settle(folder.path)
    for path in (folder.keys, folder.device_secret, folder.beacon):
        device_secret.destroy(path)
    left = {folder.recovery.name, folder.settings.name, "lock"}
    gone = [path for path in folder.path.iterdir() if path.name not in left]
    for path in gone:
        _take_away(path)
    sync_folder(folder.path)
    return len(gone)


def _take_away(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        os.unlink(path)
