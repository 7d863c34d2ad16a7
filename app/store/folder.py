"""The data folder of a node: what lies in it, who may work on it, and which incarnation of the node it is."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from app.store import device_secret, swap
from app.store.durable import write_durably
from app.store.errors import FolderLocked, MendingCutShort, StoreMissing
from sync.errors import StoreFailed

_INCARNATION = "incarnation.json"
_encode = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True, slots=True)
class DataFolder:
    path: Path

    @property
    def database(self) -> Path:
        return self.path / "tomoshibi.db"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs.db"

    @property
    def keys(self) -> Path:
        return self.path / "key.json"

    @property
    def device_secret(self) -> Path:
        return self.path / device_secret.NAME

    @property
    def label(self) -> Path:
        return self.path / "label.json"

    @property
    def settings(self) -> Path:
        return self.path / "tomoshibi.toml"

    @property
    def control(self) -> Path:
        return self.path / "control.sock"

    @property
    def recovery(self) -> Path:
        return self.path / "recovery.tomoshibi"

    @property
    def ballast(self) -> Path:
        return self.path / "ballast"

    @property
    def identity(self) -> Path:
        return self.path / "identity.sealed"

    @property
    def beacon(self) -> Path:
        return self.path / "beacon.json"

    @property
    def incarnation(self) -> Path:
        return self.path / _INCARNATION

    @property
    def shredded(self) -> Path:
        return self.path / "shredded.json"

    def shredded_keys(self) -> frozenset[bytes]:
        """The scope keys that an order destroyed here. It lies beside the store: what is put back is older."""
        try:
            return frozenset(map(bytes.fromhex, json.loads(self.shredded.read_bytes())["keys"]))
        except FileNotFoundError:
            return frozenset()
        except (ValueError, KeyError, TypeError) as error:
            raise StoreFailed(
                f"{self.shredded.name} cannot be read",
                hint="It names the keys that must never open again. Put it back from another copy, or write"
                ' {"keys": []} into it if nothing was ever shredded.',
            ) from error

    def note_shredded(self, keys: Iterable[bytes]) -> None:
        """Never less than before."""
        names = sorted(key.hex() for key in self.shredded_keys().union(keys))
        write_durably(self.shredded, json.dumps({"keys": names}).encode() + b"\n")

    def make(self) -> None:
        """Make the folder, for its owner only."""
        self.path.mkdir(parents=True, exist_ok=True)
        os.chmod(self.path, 0o700)

    def holds_node(self) -> bool:
        """True where a node was made here, wholly or in part."""
        return self.keys.exists() or self.database.exists()

    def is_whole(self) -> bool:
        """True where a node can be opened: its keys and its store are both here."""
        return self.keys.exists() and self.database.exists()

    def node_files(self) -> list[Path]:
        """What belongs to the node itself: its keys, its stores with what lies beside them."""
        stores = [
            path.with_name(path.stem + suffix)
            for path in (self.database, self.blobs)
            for suffix in (".db", ".db-wal", ".db-shm", ".check")
        ]
        return [self.keys, self.device_secret, self.incarnation, self.identity, self.label, *stores]

    def require_node(self) -> None:
        if not self.database.exists() and any(self.path.glob(f"damaged-*/{self.database.name}")):
            raise MendingCutShort(f"the damaged store in {self.path} was set aside and not made anew yet")
        if not self.is_whole():
            raise StoreMissing(f"there is no node in {self.path}")

    def lock(self) -> FolderLock:
        """Take the folder for this process, or raise FolderLocked."""
        lock = FolderLock(self.path / "lock")
        try:
            swap.settle(self.path)
        except BaseException:
            lock.release()
            raise
        return lock

    def read_incarnation(self) -> Incarnation | None:
        """What stood here when this node last wrote; a restored store is at odds with it."""
        try:
            document = json.loads(self.incarnation.read_bytes())
            last = {bytes.fromhex(stream): int(seq) for stream, seq in document["last"].items()}
            return Incarnation(bytes.fromhex(document["incarnation"]), last)
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, AttributeError):
            # A power cut may leave it empty, for it is not synced. A new incarnation is always safe, and a node
            # that does not start is not.
            return Incarnation(b"", {})

    def note_incarnation(self, incarnation: Incarnation) -> None:
        """Note where the own streams stand, after every commit of our own and without syncing.

        A second sync a commit would halve what a node can save, and a note older than the store does no harm; a store
        that was put back over a newer note is seen. Written in place: to replace the file took as long as to commit.
        """
        last = {stream.hex(): seq for stream, seq in incarnation.last.items()}
        document = _encode({"incarnation": incarnation.id.hex(), "last": last}).encode("ascii")
        # By a plain name: pathlib and a new encoder took as long as the file itself, after each save.
        file = os.open(f"{self.path}{os.sep}{_INCARNATION}", os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.write(file, document.ljust(os.fstat(file).st_size))
        finally:
            os.close(file)


@dataclass(frozen=True, slots=True)
class Incarnation:
    id: bytes
    last: Mapping[bytes, int]  # own stream -> the last seq it is known to have written


class FolderLock:
    """A lock that the kernel drops with the process, also on ``kill -9``. Held from construction on."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock_file(self._file)
        except OSError as error:
            holder = os.read(self._file, 20).decode("ascii", "replace").strip() or "unknown"
            os.close(self._file)
            raise FolderLocked(f"{path.parent} is in use by process {holder}") from error
        with contextlib.suppress(OSError):  # a full disk must not keep a node shut for want of a note who has it
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        if self._file >= 0:
            os.close(self._file)  # which drops the lock
            self._file = -1

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.release()


if os.name == "nt":
    import msvcrt

    # Locks a byte far behind the pid, because a locked byte cannot be read by others on Windows.
    def _lock_file(handle: int) -> None:
        os.lseek(handle, 1 << 20, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
        os.lseek(handle, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock_file(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
