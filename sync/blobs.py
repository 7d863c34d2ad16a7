"""Files beside the log: content-addressed by SHA-256, in chunks, whole or in part, and who else holds them.

Before: the intake makes files, ``fetching`` brings those of other nodes. After: pages show them, peers are served from
here. Knows no path and no engine: connections are handed in, as is where slow work runs.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sync import limits
from sync.errors import BlobMissing, StoreFailed, StoreFull, is_disk_error
from sync.writer import store_error

T = TypeVar("T")
BATCH_BYTES = 4 * 1024 * 1024  # of a large file, in one transaction
ASK_MANY = 500  # names in one statement
KEY_TYPE = "application/x-tomoshibi-scope-key"  # wrapped keys travel like files, and nobody counts them among those
INLINE_BYTES_MAX = 128 * 1024  # read at once, where the caller stands

CREATE = (
    # A row without a name is a file that is being written: it gets its name when it is whole.
    "CREATE TABLE IF NOT EXISTS blob (no INTEGER PRIMARY KEY, sha256 BLOB UNIQUE, size INTEGER,"
    " have INTEGER NOT NULL DEFAULT 0, whole INTEGER NOT NULL DEFAULT 0, media_type TEXT,"
    " made_here INTEGER NOT NULL DEFAULT 0, at INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS chunk (blob INTEGER NOT NULL REFERENCES blob ON DELETE CASCADE,"
    " start INTEGER NOT NULL, bytes BLOB NOT NULL, UNIQUE (blob, start))",
    "CREATE TABLE IF NOT EXISTS holder (sha256 BLOB NOT NULL, node BLOB NOT NULL, at INTEGER NOT NULL,"
    " PRIMARY KEY (sha256, node)) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS blob_made_here ON blob (made_here, whole)",
)


class Connection(Protocol):
    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Any: ...


@dataclass(frozen=True, slots=True)
class BlobState:
    here: bool  # whole and verified
    have: int  # bytes held
    size: int | None  # None: not known yet
    holders: tuple[str, ...]  # other nodes that are known to hold it whole
    at_hub: bool


@dataclass(frozen=True, slots=True)
class Held:
    have: int
    size: int | None
    whole: bool


NOTHING = Held(0, None, False)


class Blobs:
    """The store of one node. Every method may be called from anywhere; those that write wait for the disk."""

    def __init__(
        self,
        connection: Connection | None,
        reader: Callable[[], Connection],
        *,
        node: bytes,
        now: Callable[[], int],
        run: Callable[[Callable[[], Any]], Any] = lambda call: call(),
        before_retry: Callable[[], bool] = lambda: False,
        hub: Callable[[], bytes | None] = lambda: None,
        fault: str = "",
        forget_reader: Callable[[], None] = lambda: None,
    ) -> None:
        self._connection, self._reader = connection, reader
        self._node, self._now, self._run, self._hub = node, now, run, hub
        self._forget_reader = forget_reader  # it met a page that the disk did not give
        self._before_retry = before_retry  # frees space (the ballast file); True where it did
        self._lock = threading.Lock()
        self.fault = fault  # why there is no store; every file is then "not here"
        self.on_whole: Callable[[bytes], None] = lambda sha256: None
        self.on_holder: Callable[[bytes], None] = lambda sha256: None
        self.on_want: Callable[[bytes], None] = lambda sha256: None
        if connection is not None:
            self._sweep_unfinished()

    # -- what pages and the intake use -----------------------------------------------------------

    def put(self, data: bytes, media_type: str) -> str:
        """Keep a file; its SHA-256. Durable when it returns, and safe to call again. Raises StoreFull, StoreFailed."""
        return self._put_whole(lambda: _cut(data), media_type)

    def put_file(self, path: Path, media_type: str) -> str:
        """The same from a file on the disk, which is never wholly in memory."""
        return self._put_whole(lambda: _read_file(path), media_type)

    def has(self, sha256: str) -> bool:
        return self.held(_name(sha256)).whole

    def size(self, sha256: str) -> int | None:
        return self.held(_name(sha256)).size

    def media_type(self, sha256: str) -> str | None:
        row = self._row("SELECT media_type FROM blob WHERE sha256 = ? AND whole = 1", _name(sha256))
        return None if row is None else row[0]

    def read(self, sha256: str, start: int = 0, length: int | None = None) -> bytes:
        """Bytes from ``start`` on, as far as there are. Only the chunks needed are decrypted. Raises BlobMissing."""
        held = self.held(_name(sha256))
        if not held.whole or held.size is None:
            raise BlobMissing(f"{sha256} is not here")
        end = held.size if length is None else min(held.size, start + length)
        if end - start <= INLINE_BYTES_MAX:
            return self._bytes(_name(sha256), start, end)
        found: bytes = self._run(lambda: self._bytes(_name(sha256), start, end))
        return found

    def state(self, sha256: str) -> BlobState:
        name = _name(sha256)
        held, holders, hub = self.held(name), self.holders(name), self._hub()
        at_hub = held.whole if hub == self._node else hub in holders
        return BlobState(held.whole, held.have, held.size, tuple(node.hex() for node in holders), at_hub)

    def want(self, sha256: str) -> None:
        """Somebody opened it: fetch it now, before what is only wished."""
        if not self.has(sha256):
            self.on_want(_name(sha256))

    def delete(self, sha256: str) -> None:
        name = _name(sha256)
        self._work(lambda: self._delete([name]))

    # -- what links use --------------------------------------------------------------------------

    def held(self, name: bytes) -> Held:
        row = self._row("SELECT have, size, whole FROM blob WHERE sha256 = ?", name)
        return NOTHING if row is None else Held(row[0], row[1], bool(row[2]))

    def chunk(self, name: bytes, start: int, length: int) -> tuple[int, bytes] | None:
        """(size of the file, bytes from ``start`` on); None where it is not whole here, or cannot be read."""
        held = self.held(name)
        if not held.whole or held.size is None or start > held.size:
            return None
        try:
            return held.size, self._bytes(name, start, min(start + length, held.size))
        except StoreFailed:
            return None

    def whole_among(self, names: Iterable[bytes]) -> set[bytes]:
        return self._among("whole", names)

    def keep(self, name: bytes, start: int, total: int, data: bytes, media_type: str | None) -> Held | None:
        """Append what a peer sent. None: the file was whole and its hash wrong, and all of it was thrown away.

        What does not follow what is held changes nothing. Raises StoreFull, StoreFailed.
        """
        before, after = self._work(lambda: self._keep(name, start, total, data, media_type))
        if after is not None and after.whole and not before:
            self.on_whole(name)
        return after

    def drop_partial(self, name: bytes) -> Held:
        """Forget what is held of a file that is not whole."""
        self._work(lambda: self._drop_partial(name))
        return self.held(name)

    def holders(self, name: bytes) -> list[bytes]:
        rows = self._rows("SELECT node FROM holder WHERE sha256 = ? ORDER BY node", name)
        return [bytes(row[0]) for row in rows]

    def note_holders(self, node: bytes, names: Iterable[bytes]) -> None:
        """A peer said that it holds these whole."""
        known = [name for name in names if node not in self.holders(name)]
        if not known:
            return

        def note() -> None:
            with self._transaction() as connection:
                for name in known:
                    connection.execute("INSERT OR IGNORE INTO holder VALUES (?, ?, ?)", (name, node, self._now()))

        self._work(note)
        for name in known:
            self.on_holder(name)

    def forget_holder(self, node: bytes, names: Iterable[bytes]) -> None:
        """A peer said that it holds these no more."""
        listed = list(names)

        def forget() -> None:
            with self._transaction() as connection:
                for name in listed:
                    connection.execute("DELETE FROM holder WHERE sha256 = ? AND node = ?", (name, node))

        self._work(forget)
        for name in listed:
            self.on_holder(name)

    def made_here(self, unknown_to: bytes) -> list[bytes]:
        """What was made on this node and has no receipt of ``unknown_to``."""
        rows = self._rows(
            "SELECT sha256 FROM blob WHERE made_here = 1 AND whole = 1 AND NOT EXISTS"
            " (SELECT 1 FROM holder WHERE holder.sha256 = blob.sha256 AND node = ?) ORDER BY no",
            unknown_to,
        )
        return [bytes(row[0]) for row in rows]

    def made_among(self, names: Iterable[bytes]) -> set[bytes]:
        return self._among("made_here", names)

    # -- what the node uses ----------------------------------------------------------------------

    def count(self) -> int:
        row = self._row("SELECT count(*) FROM blob WHERE whole = 1 AND media_type IS NOT ?", KEY_TYPE)
        return 0 if row is None else int(row[0])

    def older_than(self, at_ms: int) -> list[bytes]:
        rows = self._rows("SELECT sha256 FROM blob WHERE at < ? AND sha256 IS NOT NULL", at_ms)
        return [bytes(row[0]) for row in rows]

    def delete_all(self, names: Sequence[bytes]) -> None:
        self._work(lambda: self._delete(names))

    # -- writing, in the thread that `run` gives ----------------------------------------------------

    def _work(self, call: Callable[[], T]) -> T:
        """Do ``call`` alone; once more where the disk was full and room could be made."""
        if self._connection is None:
            raise StoreFailed(f"the store of attachments cannot be used: {self.fault}")
        with self._lock:
            try:
                return self._run(call)  # type: ignore[no-any-return]
            except Exception as error:
                failure = store_error(error)
                if isinstance(failure, StoreFull) and self._before_retry():
                    return self._again(call)
                if failure is error:
                    raise
                raise failure from error

    def _again(self, call: Callable[[], T]) -> T:
        try:
            return self._run(call)  # type: ignore[no-any-return]
        except Exception as error:
            raise store_error(error) from error

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        connection = self._connection
        assert connection is not None
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            with suppress(Exception):  # a full disk may have rolled it back already
                connection.execute("ROLLBACK")
            raise

    def _put_whole(self, chunks: Callable[[], Iterable[bytes]], media_type: str) -> str:
        name, new = self._work(lambda: self._put(chunks, media_type))
        if new:
            self.on_whole(name)
        return name.hex()

    def _put(self, chunks: Callable[[], Iterable[bytes]], media_type: str) -> tuple[bytes, bool]:
        """Write a file under no name, then give it the one that its bytes have. (name, whether it is new here)"""
        name = _hash(chunks())
        if self.held(name).whole:
            return name, False
        seen, size, number = hashlib.sha256(), 0, None
        try:
            for batch in _batched(chunks()):
                with self._transaction() as connection:
                    number = number or self._begin(connection, media_type)
                    for part in batch:
                        connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, size, part))
                        seen.update(part)
                        size += len(part)
            with self._transaction() as connection:
                number = number or self._begin(connection, media_type)
                connection.execute("DELETE FROM blob WHERE sha256 = ?", (seen.digest(),))
                connection.execute(
                    "UPDATE blob SET sha256 = ?, size = ?, have = ?, whole = 1 WHERE no = ?",
                    (seen.digest(), size, size, number),
                )
        except BaseException:
            with suppress(Exception):  # where even this has no room, it is swept at the next start
                self._sweep_unfinished()
            raise
        return seen.digest(), True

    def _begin(self, connection: Connection, media_type: str) -> int:
        sql = "INSERT INTO blob (media_type, made_here, at) VALUES (?, 1, ?)"
        return int(connection.execute(sql, (media_type, self._now())).lastrowid)

    def _keep(
        self, name: bytes, start: int, total: int, data: bytes, media_type: str | None
    ) -> tuple[bool, Held | None]:
        before = self.held(name)
        if before.whole or start != before.have or (before.size or total) != total or start + len(data) > total:
            return before.whole, before
        have = start + len(data)
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO blob (sha256, size, media_type, at) VALUES (?, ?, ?, ?) ON CONFLICT (sha256) DO NOTHING",
                (name, total, media_type, self._now()),
            )
            number = connection.execute("SELECT no FROM blob WHERE sha256 = ?", (name,)).fetchone()[0]
            if data:
                connection.execute("INSERT INTO chunk VALUES (?, ?, ?)", (number, start, data))
            whole = have == total
            if whole and _hash(row[0] for row in _chunks(connection, number)) != name:
                connection.execute("DELETE FROM blob WHERE no = ?", (number,))
                return False, None
            connection.execute(
                "UPDATE blob SET have = ?, size = ?, whole = ? WHERE no = ?", (have, total, int(whole), number)
            )
        return False, Held(have, total, whole)

    def _drop_partial(self, name: bytes) -> None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM blob WHERE sha256 = ? AND whole = 0", (name,))

    def _delete(self, names: Sequence[bytes]) -> None:
        with self._transaction() as connection:
            for name in names:
                connection.execute("DELETE FROM blob WHERE sha256 = ?", (name,))
                connection.execute("DELETE FROM holder WHERE sha256 = ?", (name,))

    def _sweep_unfinished(self) -> None:
        assert self._connection is not None
        self._connection.execute("DELETE FROM blob WHERE sha256 IS NULL")

    # -- reading ---------------------------------------------------------------------------------

    def _bytes(self, name: bytes, start: int, end: int) -> bytes:
        if not 0 <= start < end:
            return b""
        rows = self._rows(
            "SELECT start, bytes FROM chunk WHERE blob = (SELECT no FROM blob WHERE sha256 = ?)"
            " AND start > ? AND start < ? ORDER BY start",
            name, start - limits.CHUNK_BYTES_MAX, end, strict=True,
        )  # fmt: skip
        return b"".join(bytes(data[max(start - at, 0) : end - at]) for at, data in rows)

    def _among(self, mark: str, names: Iterable[bytes]) -> set[bytes]:
        listed, found = list(names), set()
        for at in range(0, len(listed), ASK_MANY):
            part = listed[at : at + ASK_MANY]
            marks = ", ".join("?" * len(part))
            rows = self._rows(f"SELECT sha256 FROM blob WHERE {mark} = 1 AND sha256 IN ({marks})", *part)
            found |= {bytes(row[0]) for row in rows}
        return found

    def _row(self, sql: str, *parameters: Any) -> Any:
        rows = self._rows(sql, *parameters)
        return rows[0] if rows else None

    def _rows(self, sql: str, *parameters: Any, strict: bool = False) -> list[Any]:
        """What was found; nothing where the store cannot be read, unless ``strict``."""
        if self._connection is None:
            return []
        try:
            return self._reader().execute(sql, parameters).fetchall()  # type: ignore[no-any-return]
        except Exception as error:
            if not is_disk_error(error):
                raise
            self.fault = f"the store of attachments could not be read: {error}"
            self._forget_reader()
            if strict:
                raise StoreFailed(self.fault) from error
            return []


def _name(sha256: str) -> bytes:
    try:
        return bytes.fromhex(sha256)
    except ValueError:
        return b""  # names nothing


def _cut(data: bytes) -> Iterator[bytes]:
    for at in range(0, len(data), limits.CHUNK_BYTES_MAX):
        yield data[at : at + limits.CHUNK_BYTES_MAX]


def _read_file(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while data := file.read(limits.CHUNK_BYTES_MAX):
            yield data


def _hash(parts: Iterable[bytes]) -> bytes:
    seen = hashlib.sha256()
    for part in parts:
        seen.update(part)
    return seen.digest()


def _chunks(connection: Connection, number: int) -> Iterator[Any]:
    rows: Iterator[Any] = connection.execute("SELECT bytes FROM chunk WHERE blob = ? ORDER BY start", (number,))
    return rows


def _batched(parts: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    for part in parts:
        batch.append(part)
        if len(batch) * limits.CHUNK_BYTES_MAX >= BATCH_BYTES:
            yield batch
            batch = []
    if batch:
        yield batch
