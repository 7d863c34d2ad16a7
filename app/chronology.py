"""The chronology (クロノロジー): every operation that counts is a line of it, read from the log behind the commit.

Kept in memory and made anew at each start: it costs no save a page of the disk, and cannot disagree with the log. A hub
reads behind each commit, before somebody asks; a terminal, where it may never be asked for, when a page asks.
Before: a page asks. After: ``views/chronicle`` puts the words of today's records to the codes that stand here.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlcipher3 import dbapi2

from app.queries import joins, search
from app.queries.log import SILENT_KINDS
from app.store.engine import DATABASE_ERRORS
from app.store.errors import StoreError
from app.store.projection import id_text, incident_of
from app.threads import in_native_thread
from sync.clock import ms_of
from sync.operation import BODY_VERSION, split_stream
from sync.oplog import CLASS_BITS, CLASSES

log = logging.getLogger(__name__)

READ_AT_ONCE = 2_000
_UNREADABLE: tuple[type[Exception], ...] = (StoreError, OSError, *DATABASE_ERRORS)  # of a store that cannot be read now
GATHERED_S, BREATH_S = 1.0, 0.25  # reading ahead: what comes within it at once; between two batches others are served
TEXT_KEPT_CHARS = 200
GROUPS = {
    "written": ("chronicle",),
    "damage": ("damage-reports", "patrols", "patrol-points"),
    "orders": ("instructions", "instruction-replies"),
    "musters": ("musters",),
    "shelters": ("shelter-openings", "head-counts"),
    "notices": ("bulletins", "hq-meetings", "hq-meeting-decisions"),
    "chat": ("chat-messages",),
    "other": ("incidents", "channels", "set-asides", "handover-notes"),
}
_GROUP_OF = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
_CREATE = (
    "CREATE TABLE line (no INTEGER PRIMARY KEY, incident TEXT NOT NULL, at INTEGER NOT NULL, origin BLOB NOT NULL,"
    " seq INTEGER NOT NULL, stream INTEGER NOT NULL, received_at INTEGER, kind TEXT NOT NULL, grouped TEXT NOT NULL,"
    " type INTEGER NOT NULL, record TEXT NOT NULL, author TEXT, node TEXT NOT NULL, fields TEXT NOT NULL)",
    "CREATE INDEX line_by_time ON line (incident, at, origin, seq)",
    "CREATE INDEX line_by_place ON line (stream, seq)",
    "CREATE INDEX line_by_record ON line (record, incident)",
    "CREATE TABLE uncounted (stream INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (stream, seq))",
)
_COLUMNS = "no, at, received_at, kind, type, record, author, node, fields, origin, seq"


@dataclass(frozen=True, slots=True)
class Line:
    """One operation. ``at``: when it happened or was written; ``received_at``: since when this node knows it, ms."""

    no: int
    at: int
    received_at: int
    kind: str
    type: int
    record: str
    author: str | None
    node: str
    fields: dict[str, Any]
    origin: bytes
    seq: int

    @property
    def place(self) -> str:
        """For the address of the page that begins behind this line."""
        return f"{self.at}.{self.origin.hex()}.{self.seq}"


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What is asked for; empty means everything."""

    groups: tuple[str, ...] = ()
    author: str | None = None
    source: str | None = None  # lines that people wrote, of one source
    since: int | None = None  # by the time that a line stands at, ms
    until: int | None = None
    words: str | None = None  # lines about records that speak of them today
    known_at: int | None = None  # only what this node knew then
    without: tuple[str, ...] = ()  # channels whose talk this person may not see
    before: tuple[int, bytes, int] | None = None


class Chronology:
    def __init__(self, node: Any) -> None:
        self._node = node
        self._lock = threading.Lock()
        self._db: Any = None
        self._read: dict[int, int] = {}
        self._counted: dict[str, Counter[str]] = {}
        self._branches = 0
        self._uncounted: list[Any] = []
        self._noted, self._stop = threading.Event(), threading.Event()

    def keep_ready(self) -> None:
        """Read the log before somebody asks: what is there, and what comes (`serve`)."""
        self._noted.set()
        self._node.subscribe(lambda changed: self._noted.set() if changed else None)
        threading.Thread(target=self._read_ahead, name="chronology", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()
        self._noted.set()

    def lines(self, incident_id: str, narrowed: Narrowed, limit: int) -> list[Line]:
        """The newest lines of an incident that meet ``narrowed``, newest first."""
        with self._lock:
            in_native_thread(self._follow)
            return self._select(incident_id, narrowed, limit)

    def counts(self, incident_id: str, without: tuple[str, ...] = ()) -> dict[str, int]:
        """How many lines each group has, for somebody who may not see these channels."""
        with self._lock:
            in_native_thread(self._follow)
            reader, found = self._node.reader(), Counter[str]()
            for one in joins.group(reader, incident_id):
                found.update(self._counted.get(one, {}))
            for group, number in self._db.execute(*joins.covering(reader, _NOT_COUNTED, (incident_id,))):
                found[group] -= number
            if without:
                condition, values = _of_channels(without)
                sql = f"SELECT grouped, count(*) FROM line WHERE incident = ? AND {_COUNTS} AND {condition}"
                asked = joins.covering(reader, f"{sql} GROUP BY grouped", (incident_id, *values))
                for group, number in self._db.execute(*asked):
                    found[group] -= number
            return {group: number for group, number in found.items() if number}

    def _select(self, incident_id: str, narrowed: Narrowed, limit: int) -> list[Line]:
        source, where, values = "line", ["incident = ?", _COUNTS], list[Any]()
        if narrowed.words:  # CROSS: from the records that were found to their lines, and not through all lines
            source = "(SELECT value AS found FROM json_each(?)) CROSS JOIN line ON record = found"
            values.append(json.dumps(search.of_lines(self._node.reader(), incident_id, narrowed.words)))
        values.append(incident_id)
        for condition, value in _conditions(narrowed):
            where.append(condition)
            values += value
        order = "ORDER BY at DESC, origin DESC, seq DESC LIMIT ?"
        sql = f"SELECT {_COLUMNS} FROM {source} WHERE {' AND '.join(where)} {order}"
        asked = joins.covering(self._node.reader(), sql, (*values, limit))
        return [_shown(*tuple(row)) for row in self._db.execute(*asked)]

    # -- following the log -----------------------------------------------------------------------

    def _read_ahead(self) -> None:
        while not self._stop.is_set():
            self._noted.wait()
            self._noted.clear()
            more = not self._stop.wait(GATHERED_S)
            while more:
                more = self._ahead_a_little() and not self._stop.wait(BREATH_S)

    def _ahead_a_little(self) -> bool:
        try:
            with self._lock:
                return not self._stop.is_set() and in_native_thread(self._follow_a_little)
        except _UNREADABLE as error:  # tried again behind the next commit; a page that asks is told
            log.warning("the chronology is not read ahead: %s", error)
            return False

    def _follow_a_little(self) -> bool:
        """One batch; True where there may be more."""
        reader = self._reader()
        return any(self._take(reader, priority) for priority in CLASSES)

    def _reader(self) -> Any:
        """For the log as it is; where a fork has changed what is held, it is read from the beginning."""
        reader = self._node.reader()
        branches = reader.execute("SELECT count(*) FROM branch").fetchone()[0]
        if self._db is None or branches != self._branches:
            self._begin(branches)
        return reader

    def _follow(self) -> None:
        """Read what was written since."""
        reader = self._reader()
        for priority in CLASSES:
            while self._take(reader, priority):
                pass
        uncounted = [tuple(row) for row in reader.execute("SELECT stream, seq FROM quarantine")]
        if uncounted != self._uncounted:
            self._db.execute("DELETE FROM uncounted")
            self._db.executemany("INSERT INTO uncounted VALUES (?, ?)", uncounted)
            self._uncounted = uncounted

    def _begin(self, branches: int) -> None:
        if self._db is not None:
            self._db.close()
        self._db = dbapi2.connect(":memory:", isolation_level=None, check_same_thread=False)
        for statement in _CREATE:
            self._db.execute(statement)
        self._read, self._branches = {priority: priority << CLASS_BITS for priority in CLASSES}, branches
        self._counted, self._uncounted = {}, []

    def _take(self, reader: Any, priority: int) -> bool:
        """One batch of a class of the log; True where there may be more."""
        rows = reader.execute(
            "SELECT op.no, op.stream, op.seq, op.body, coalesce(op.received_at, (SELECT received_at FROM run WHERE"
            " run.stream = op.stream AND run.last >= op.seq ORDER BY run.last LIMIT 1)), stream.id, stream.node"
            " FROM op JOIN stream ON stream.no = op.stream WHERE op.no > ? AND op.no < ? ORDER BY op.no LIMIT ?",
            (self._read[priority], (priority + 1) << CLASS_BITS, READ_AT_ONCE),
        ).fetchall()
        if not rows:
            return False
        found = [line for row in rows if (line := _line(*tuple(row))) is not None]
        self._db.execute("BEGIN")
        try:
            self._db.executemany(f"INSERT OR REPLACE INTO line VALUES ({', '.join('?' * 14)})", found)
            self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:  # short of memory, SQLite has rolled back by itself
                self._db.execute("ROLLBACK")
            raise
        self._read[priority] = rows[-1][0]
        for line in found:
            self._counted.setdefault(line[1], Counter())[line[8]] += 1
        return len(rows) == READ_AT_ONCE


_NOT_COUNTED = (
    # CROSS: from the few that do not count to their lines, and not through all lines of the incident.
    "SELECT grouped, count(*) FROM uncounted CROSS JOIN line"
    " ON line.stream = uncounted.stream AND line.seq = uncounted.seq WHERE incident = ? GROUP BY grouped"
)
_COUNTS = "NOT EXISTS (SELECT 1 FROM uncounted u WHERE u.stream = line.stream AND u.seq = line.seq)"


def _of_channels(channels: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """The condition that a line is about these channels or what was said in them."""
    marks = ", ".join("?" for _ in channels)
    said = "json_extract(fields, '$.channel_id')"
    return (
        f"(kind = 'channels' AND record IN ({marks}) OR kind = 'chat-messages' AND {said} IN ({marks}))",
        channels * 2,
    )


def _conditions(narrowed: Narrowed) -> Iterable[tuple[str, Sequence[Any]]]:
    if narrowed.groups:
        yield f"grouped IN ({', '.join('?' for _ in narrowed.groups)})", narrowed.groups
    if narrowed.author:
        yield "author = ?", (narrowed.author,)
    if narrowed.source:
        yield "kind = 'chronicle' AND json_extract(fields, '$.source') = ?", (narrowed.source,)
    if narrowed.since is not None:
        yield "at >= ?", (narrowed.since,)
    if narrowed.until is not None:
        yield "at <= ?", (narrowed.until,)
    if narrowed.known_at is not None:
        yield "received_at <= ?", (narrowed.known_at,)
    if narrowed.without:
        condition, values = _of_channels(narrowed.without)
        yield f"NOT {condition}", values
    if narrowed.before is not None:
        yield "(at, origin, seq) < (?, ?, ?)", narrowed.before


def _line(no: int, stream: int, seq: int, body: bytes, received_at: int, name: bytes, node: bytes) -> Any:
    """The row of an operation; None where it is no line: what a node writes by itself, what is of the city."""
    items = msgspec.msgpack.decode(bytes(body))
    if items[0] != BODY_VERSION:
        return None
    _, _, hlc, author, kind, record, type_, fields, _, _ = items
    origin, scope, _ = split_stream(bytes(name))
    incident = id_text(record) if kind == "incidents" else incident_of(scope)
    if incident is None or kind in SILENT_KINDS or kind not in _GROUP_OF:
        return None
    at = fields.get("happened_at") if kind == "chronicle" else None
    at = at if type(at) is int else ms_of(hlc)  # of what is set aside as malformed it may be anything
    return (
        no, incident, at, origin, seq, stream, received_at, kind, _GROUP_OF[kind], type_,
        id_text(record), id_text(author) if author else None, bytes(node).hex(),
        json.dumps({name: _short(value) for name, value in fields.items()}, ensure_ascii=False),
    )  # fmt: skip


def _shown(*row: Any) -> Line:
    no, at, received_at, kind, type_, record, author, node, fields, origin, seq = row
    return Line(no, at, received_at, kind, type_, record, author, node, json.loads(fields), bytes(origin), seq)


def _short(value: Any) -> Any:
    """What a line keeps of a value: it is read beside the record, not instead of it."""
    if isinstance(value, str):
        return value[:TEXT_KEPT_CHARS]
    if isinstance(value, dict) and set(value) <= {"add", "drop"}:
        parts = {name: value.get(name) for name in ("add", "drop")}  # of what is set aside they may be anything
        return {name: len(part) if isinstance(part, list) else 0 for name, part in parts.items()}
    return value if isinstance(value, int | float | type(None)) else ""
