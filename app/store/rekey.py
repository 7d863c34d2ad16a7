"""A new data key for both databases, on copies: after a power cut the old or the new stands whole (``swap``).

The caller holds the folder's lock. Slots, device key and certificate stay; what lies in old backups stays under the
old key.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from app.store import engine, identity, key_file, swap
from app.store.blobs import key_of
from app.store.durable import sync_file, write_durably
from app.store.key_file import KeyFile
from app.store.keys import NodeKeys

if TYPE_CHECKING:
    from app.store.folder import DataFolder


def rekey(folder: DataFolder, keys: NodeKeys) -> NodeKeys:
    """The new keys. Raises StoreError, OSError; then the old ones still hold."""
    fresh = replace(keys, data_key=os.urandom(engine.KEY_BYTES))
    beside = swap.begin(folder.path)
    stores = [(folder.database, keys.data_key, fresh.data_key)]
    if folder.blobs.exists():
        stores.append((folder.blobs, key_of(keys.data_key), key_of(fresh.data_key)))
    for path, old, new in stores:
        _copy(path, old, new, beside / path.name)
    facts = identity.read(folder.identity, keys.data_key)
    identity.write(beside / folder.identity.name, fresh.data_key, facts)
    file = key_file.read(folder.keys)
    KeyFile.make(file.slots, keys.slot_key, json.dumps(fresh.as_hex()).encode()).write(beside / folder.keys.name)
    swap.seal(folder.path)
    swap.settle(folder.path)
    return fresh


def _copy(path: Path, old: bytes, new: bytes, target: Path) -> None:
    with engine.saying_why(path):
        engine.copy_database(path, old, target)
        engine.change_key(target, old, new)
    sync_file(target)
    write_durably(engine.check_path(target), engine.check_value(new).encode())
