"""The file of attachments, `blobs.db`: made, opened and read like the main store, under a key of its own.

Before: ``keys`` unwraps the data key. After: ``sync/blobs`` keeps the files in it. A node opens its log whatever the
state of this file: what is lost here is fetched from other nodes.
"""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

from app.store import engine
from app.store.engine import Connection
from app.store.errors import StoreError
from app.store.integrity import page_faults
from app.threads import native_thread_id
from sync.blobs import CREATE

_KEY_TAG = b"tomoshibi:blobs:1\0"
_UNUSABLE: tuple[type[Exception], ...] = (StoreError, OSError, *engine.DATABASE_ERRORS)
log = logging.getLogger(__name__)


def key_of(data_key: bytes) -> bytes:
    """The key of `blobs.db`, so that one file's key does not open the other."""
    return hashlib.blake2b(_KEY_TAG, key=data_key, digest_size=engine.KEY_BYTES).digest()


class BlobFile:
    """`blobs.db` of one node: a connection that writes, and one a native thread that reads."""

    def __init__(self, path: Path, data_key: bytes) -> None:
        self._path, self._key = path, key_of(data_key)
        self._readers: dict[int, Connection] = {}
        self.connection: Connection | None = None
        self.fault = ""
        try:
            if not path.exists():
                engine.create_database(path, self._key)
            self.connection = engine.open_connection(path, self._key)
            for statement in CREATE:
                self.connection.execute(statement)
        except _UNUSABLE as error:
            self.fault = str(error)
            self.close()
            log.error("%s cannot be used, attachments are not shown: %s", path.name, error)

    def reader(self) -> Connection:
        thread = native_thread_id()
        found = self._readers.get(thread)
        if found is None:
            try:
                found = self._readers[thread] = engine.open_connection(self._path, self._key, readonly=True)
            except StoreError as error:  # whoever reads knows what to do where the disk refuses
                raise engine.dbapi2.OperationalError(str(error)) from error
        return found

    def forget_reader(self) -> None:
        """After a page could not be read: the engine refuses nearly all else on a connection that met one."""
        self._readers.pop(native_thread_id(), None)

    def faults(self) -> list[str]:
        """What is wrong with the file's pages."""
        return page_faults(self._path, self._key)

    def close(self) -> None:
        for connection in (*self._readers.values(), self.connection):
            if connection is not None:
                connection.close()
        self._readers.clear()
        self.connection = None
