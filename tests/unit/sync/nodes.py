"""Nodes for the tests of sync: replicas in memory with keys, chance and time handed in, and authors who write by hand.

An :class:`Author` signs whatever it is told to, also what no honest node would write.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlcipher3

from app.store.projection import SqlProjection
from app.store.schema import create_statements
from sync import blobs, digest, merge, oplog, signing
from sync.certificate import KIND as CERTIFICATES
from sync.certificate import Certificate
from sync.clock import hlc_of
from sync.kinds import Field, Kind, Kinds
from sync.log_reader import LogReader
from sync.merge import Shown, State
from sync.operation import CITY, SET, TALK, WORK, Change, Operation, Version, encode_body, incident_scope
from sync.oplog import Segment
from sync.replica import Identity, Replica
from sync.signing import SigningKey

NOW = 1_780_000_000_000
PASSABLE = ("impassable", "foot_only", None, "passable")

KINDS = Kinds.of(
    2,
    Kind("incidents", {"name": Field("text"), "mode": Field("text", "once")}, city=True, mode_field="mode"),
    Kind(
        "reports",
        {
            "text": Field("text"),
            "road": Field("text", "danger", PASSABLE),
            "tags": Field("json", "set"),
            "seen": Field("integer", "max"),
            "number": Field("text", "once"),
            "depth": Field("real"),
            "at": Field("point"),
        },
    ),
    Kind("messages", {"text": Field("text")}, entry=True, lane="talk"),
    Kind("counts", {"people": Field("integer")}, entry=True),
    Kind("people", {"name": Field("text"), "phone": Field("text")}, sealed="hq"),
)


def seed(name: str) -> bytes:
    return hashlib.sha256(name.encode()).digest()


def ident(name: str) -> bytes:
    """Sixteen bytes that stand for a name: a record, an incident, a person."""
    return seed(name)[:16]


INCIDENT = ident("incident")
REAL = incident_scope("real", INCIDENT)
DRILL = incident_scope("drill", INCIDENT)
ROOT = SigningKey(seed("root"))


def certificate(
    name: str,
    capabilities: Iterable[str] = ("field",),
    *,
    root: SigningKey = ROOT,
    issuer: Certificate | None = None,
    signer: SigningKey | None = None,
    serial: int = 1,
) -> Certificate:
    return Certificate.make(
        signer or root,
        issuer,
        root=signing.root_fingerprint(root.public),
        public=SigningKey(seed(name)).public,
        sealing=signing.sealing_public(seed(name + "/sealing")),
        name=name,
        label=name[:8].upper(),
        capabilities=frozenset(capabilities),
        issued_ms=NOW,
        serial=serial.to_bytes(16, "big"),
    )


def any_judge(operation: Operation, node: str, capabilities: frozenset[str]) -> str | None:
    """Whoever has a capability may write; city records need `command`."""
    needed = "command" if operation.scope == CITY else "field"
    return None if needed in capabilities else "not_capable"


@dataclass
class Time:
    ms: int = NOW

    def __call__(self) -> int:
        return self.ms


def connect_blobs(path: str = ":memory:") -> Any:
    connection = sqlcipher3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA foreign_keys = ON")
    if path != ":memory:":
        connection.execute("PRAGMA journal_mode = WAL")
    for statement in blobs.CREATE:
        connection.execute(statement)
    return connection


def connect(path: str = ":memory:") -> Any:
    connection = sqlcipher3.connect(path, isolation_level=None, check_same_thread=False)
    for statement in (*oplog.CREATE, *create_statements(KINDS)):
        connection.execute(statement)
    return connection


def make_replica(
    name: str,
    capabilities: Iterable[str] = ("field", "command", "enrol"),
    *,
    now: Time | None = None,
    connection: Any = None,
    root: SigningKey = ROOT,
    judge: Any = any_judge,
    **more: Any,
) -> Replica:
    key = SigningKey(seed(name))
    held = certificate(name, capabilities, root=root)
    connection = connection or connect()
    identity = Identity(key, signing.node_id_of(key.public), root.public, held, seed(name + "/sealing"))
    chance = random.Random(name)
    return Replica(
        connection, KINDS, judge, SqlProjection(connection, KINDS), identity, now or Time(), chance.randbytes, **more
    )


def write(replica: Replica, *changes: Change) -> Any:
    """Commit changes; what the job returned, or its error raised."""
    (result,), _ = replica.run_batch([lambda r: r.record(changes, None)])
    if isinstance(result, Exception):
        raise result
    return result


def report(record: str, scope: bytes = REAL, replaces: Any = None, **fields: Any) -> Change:
    return Change("reports", ident(record), scope, fields, replaces=replaces)


def receive(replica: Replica, *segments: Segment) -> list[Any]:
    """Commit segments in one job; the outcomes."""
    (result,), _ = replica.run_batch([lambda r: r.receive(segments, None)])
    if isinstance(result, Exception):
        raise result
    return list(result)


def everything(replica: Replica) -> list[Segment]:
    """All that a replica holds, one segment a stream."""
    reader = LogReader(replica.connection)
    sent: dict[bytes, int] = {}
    cursors: dict[int, int] = {}
    found: list[Segment] = []
    while more := reader.next_segments(sent, cursors, ops_max=10_000, bytes_max=1 << 30):
        found += more
    return found


@dataclass
class Author:
    """A device that signs what it is told to, one signature an operation."""

    name: str
    capabilities: tuple[str, ...] = ("field",)
    incarnation: bytes = b"\0" * 8
    root: SigningKey = ROOT
    bodies: dict[bytes, list[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.key = SigningKey(seed(self.name))
        self.certificate = certificate(self.name, self.capabilities, root=self.root)
        self.node = self.certificate.node_id
        self.origin = signing.origin_of(self.node, self.incarnation)

    def stream(self, scope: bytes = REAL, lane: bytes = WORK) -> bytes:
        return self.origin + scope + lane

    def last(self, scope: bytes = REAL, lane: bytes = WORK) -> int:
        return len(self.bodies.get(self.stream(scope, lane), ()))

    def certify(self, scope: bytes, lane: bytes, held: Certificate | None = None) -> None:
        fields = {"certificate": (held or self.certificate).encode(), "incarnation": self.incarnation}
        self._append(scope, lane, Change(CERTIFICATES, self.node, scope, fields), hlc_of(NOW), (), ())

    def write(
        self,
        kind: str,
        record: bytes,
        fields: dict[str, Any],
        *,
        scope: bytes = REAL,
        lane: bytes = WORK,
        type: int = SET,
        hlc: int = hlc_of(NOW),
        replaces: Sequence[Version] = (),
        after: Sequence[Version] = (),
    ) -> Version:
        if not self.last(scope, lane):
            self.certify(scope, lane)
        change = Change(kind, record, scope, fields, type)
        return self._append(scope, lane, change, hlc, tuple(replaces), tuple(after))

    def _append(
        self, scope: bytes, lane: bytes, change: Change, hlc: int, replaces: tuple[Version, ...], after: Any
    ) -> Version:
        body = encode_body(self.last(scope, lane) + 1, hlc, None, change, replaces, after)
        return self.append_raw(scope, lane, body)

    def append_raw(self, scope: bytes, lane: bytes, body: bytes) -> Version:
        listed = self.bodies.setdefault(self.stream(scope, lane), [])
        listed.append(body)
        return (self.origin, len(listed))

    def segment(self, scope: bytes = REAL, lane: bytes = WORK, first: int = 1, last: int | None = None) -> Segment:
        stream = self.stream(scope, lane)
        bodies = self.bodies[stream][:last]
        head = signing.chain(signing.chain_seed(stream), bodies)
        signature = self.key.sign(signing.log_message(stream, len(bodies), head))
        return Segment(stream, first, signature, tuple(bodies[first - 1 :]))

    def segments(self) -> list[Segment]:
        return [self.segment(stream[16:-1], stream[-1:]) for stream in self.bodies]


def copy_of(author: Author) -> Author:
    """The same device with the same log: a copied disk."""
    bodies = {stream: list(listed) for stream, listed in author.bodies.items()}
    return Author(author.name, author.capabilities, author.incarnation, author.root, bodies)


# -- what a replica shows, in a form that two replicas can be compared in ------------------------------


def tables(replica: Replica) -> dict[Any, Any]:
    """Every row of every table, without what is local (order of arrival, packed bytes)."""
    found: dict[Any, Any] = {}
    for kind in KINDS:
        for scope, record, row in replica.projection.rows(kind):
            state = None if kind.entry else canonical(merge.unpack(kind, row.state, row.values))
            found[kind.name, scope, record] = (
                row.values, row.hidden, row.conflicts, row.order_key, row.origin, row.seq, row.created_hlc,
                row.updated_hlc, row.author, row.row_hash, state,
            )  # fmt: skip
    return found


def canonical(state: State) -> Any:
    """A state without the order in which its parts came."""

    def pack(value: Any) -> bytes:
        return bytes(msgspec.msgpack.encode(value))

    return (
        state.first,
        state.author,
        state.updated,
        {name: sorted(map(pack, heads)) for name, heads in state.heads.items() if heads},
        {name: sorted(map(pack, alive)) for name, alive in state.sets.items()},
        state.maxes,
        state.onces,
        sorted(map(pack, state.removes)),
    )


def awaited(replica: Replica) -> set[Any]:
    return {(name, key) for name, keys in replica.projector.awaited.records.items() for key in keys}


def awaited_on_disk(replica: Replica) -> set[Any]:
    rows = replica.connection.execute("SELECT name, seq, kind, scope, record FROM awaited").fetchall()
    return {((bytes(n), s), (kind, bytes(scope), bytes(r))) for n, s, kind, scope, r in rows}


def quarantined(replica: Replica) -> dict[tuple[bytes, int], str]:
    rows = replica.connection.execute(
        "SELECT stream.id, seq, reason FROM quarantine JOIN stream ON stream.no = quarantine.stream"
    ).fetchall()
    return {(bytes(stream), seq): reason for stream, seq, reason in rows}


def recomputed(replica: Replica) -> str:
    """The public digest from the rows themselves."""
    total = 0
    for kind in KINDS:
        for scope, record, row in replica.projection.rows(kind) if not kind.sealed else ():
            total = digest.add(total, _row_hash(kind, (kind.name, scope, record), row))
    for (stream, seq), reason in quarantined(replica).items():
        total = digest.add(total, digest.quarantine_hash(stream, seq, reason))
    for (found,) in replica.connection.execute("SELECT hash FROM sealed").fetchall():
        total = digest.add(total, bytes(found))
    return total.to_bytes(16, "big").hex()


def _row_hash(kind: Kind, key: Any, row: Any) -> bytes:
    if kind.entry:
        author = msgspec.msgpack.decode(row.state)[0]
        return digest.entry_hash(key, row.values, (row.created_hlc, row.origin, row.seq), author, row.order_key)
    state = merge.unpack(kind, row.state, row.values)
    return digest.record_hash(key, state, Shown(row.values, row.hidden, ()))


def shown(replica: Replica) -> dict[str, Any]:
    """All that must be equal on two nodes that hold the same set of operations."""
    return {
        "vector": replica.vector,
        "heads": {stream.id: stream.head for stream in replica.streams.values()},
        "tables": tables(replica),
        "awaited": awaited(replica),
        "quarantined": quarantined(replica),
        "digest": replica.public_digest(),
    }


def check_whole(replica: Replica) -> dict[str, Any]:
    """Raise where what is kept in memory, on disk, and what the log says are not one; returns ``shown``."""
    before = shown(replica)
    assert before["digest"] == recomputed(replica), "the kept digest is not that of the rows"
    assert before["awaited"] == awaited_on_disk(replica), "the awaited versions in memory are not those on disk"
    replica.reload()
    assert shown(replica) == before, "a restart shows something else"
    replica.rebuild()
    after = shown(replica)
    for name, value in before.items():
        assert after[name] == value, f"a rebuild shows other {name}"
    return before


LANE_OF = {"reports": WORK, "messages": TALK, "counts": WORK, "incidents": WORK, "revocations": WORK}
