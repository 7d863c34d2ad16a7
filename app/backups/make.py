"""`backup`: both databases as one moment saw them, packed with the sealed keys. Beside a running node, too."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.backups import archive
from app.errors import CommandFailed
from app.store import engine
from app.store.blobs import key_of
from app.threads import in_native_thread
from app.version import VERSION

if TYPE_CHECKING:
    from app.node import Node


def make(node: Node, target: Path, secret: bytes) -> dict[str, Any]:
    """Write the backup: {file, size, node_id, made_at_ms}. Raises CommandFailed where the file is there already."""
    if target.exists():
        raise CommandFailed("file_exists", f"{target} is there already", "Name a new file; nothing was changed.")
    if not target.parent.is_dir():
        raise CommandFailed("no_folder", f"there is no folder {target.parent}", "Make it, or name another file.")
    about = {"node_id": node.node_id, "made_at_ms": time.time_ns() // 1_000_000, "release": VERSION}
    in_native_thread(lambda: _make(node, target, about, secret))
    return {"file": str(target), "size": target.stat().st_size, **about}


def _make(node: Node, target: Path, about: dict[str, Any], secret: bytes) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        # The log first: a file is durable before the operation that names it, so the later copy holds every one.
        engine.copy_database(node.folder.database, node.keys.data_key, Path(folder, archive.DATABASES[0]))
        engine.copy_database(node.folder.blobs, key_of(node.keys.data_key), Path(folder, archive.DATABASES[1]))
        archive.write(target, Path(folder), about, node.keys, secret)
