"""What the log itself tells about a record: who wrote what when, what is live, and how far it has travelled.

Reads the log's tables and one row of the noun; the tables of the nouns are for the other modules here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from app.records import KINDS
from app.records.etag import OVERWRITES
from app.store.projection import SqlProjection, id_bytes, id_text, incident_of
from sync import certificate, merge, oplog
from sync.clock import ms_of
from sync.kinds import OF_SEALING
from sync.merge import State
from sync.operation import BODY_VERSION, NewerBody, Operation, Version, decode_body, split_stream

# What a node writes by itself: no person waits for it to be sent.
_MARKS = (
    "channel-reads", "instruction-sightings", "bulletin-sightings", "patrol-tracks", "nodes", "sealed-reads",
    "shred-receipts",
)  # fmt: skip
SILENT_KINDS = frozenset({certificate.KIND, *_MARKS, *(kind.name for kind in OF_SEALING)})
# What is sealed beside a record is not listed beside it.
_PART_OF = {"damage-report-people": "damage-reports", "staff-contacts": "staff", "muster-safety": "muster-replies"}
TYPE_NAMES = {1: "set", 2: "entry", 3: "remove"}


def scope_bytes(scope: str | bytes) -> bytes:
    return bytes.fromhex(scope) if isinstance(scope, str) else scope


def state_of(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> State | None:
    """The merge state of a record of registers; None where there is none."""
    kind = KINDS.by_name[kind_name]
    row = SqlProjection(db, KINDS).load(kind, scope_bytes(scope), id_bytes(record_id))
    return merge.unpack(kind, row.state, row.values) if row is not None and not kind.entry else None


def versions(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> tuple[Version, ...]:
    """The live versions of a record: its ETag is made of them. An entry is its own one version."""
    kind = KINDS.by_name[kind_name]
    row = SqlProjection(db, KINDS).load(kind, scope_bytes(scope), id_bytes(record_id))
    if row is None:
        return ()
    if kind.entry:
        return ((row.origin, row.seq),)
    return tuple(sorted(merge.live(merge.unpack(kind, row.state, row.values))))


def elements(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> dict[str, list[list[Any]]]:
    """Of each set field, the live [origin, seq, element]."""
    state = state_of(db, kind_name, scope, record_id)
    return {name: [list(element) for element in alive] for name, alive in state.sets.items()} if state else {}


def heads(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> dict[str, list[dict[str, Any]]]:
    """The fields with several different values, with who wrote each, when and where. The later one first."""
    kind, state = KINDS.by_name[kind_name], state_of(db, kind_name, scope, record_id)
    if state is None:
        return {}
    shown = merge.shown(kind, state)
    lane = b"t" if kind.lane == "talk" and not kind.city else b"w"
    found: dict[str, list[dict[str, Any]]] = {}
    for name in shown.conflicts:
        listed = [(h, o, s, v) for h, o, s, v in state.heads.get(name, ())]
        if name == merge.REMOVED:
            listed = [(h, o, s, removed) for h, o, s, removed, _ in state.removes]
        found[name] = [
            {"value": value, "at": ms_of(hlc), "origin": origin.hex(), "seq": seq}
            | _writer(db, origin + scope_bytes(scope) + lane, seq)
            for hlc, origin, seq, value in sorted(listed, key=lambda head: head[:3], reverse=True)
        ]
    return found


def _writer(db: Any, stream: bytes, seq: int) -> dict[str, Any]:
    row = db.execute(
        "SELECT stream.node, op.body FROM stream JOIN op ON op.stream = stream.no WHERE stream.id = ? AND op.seq = ?",
        (stream, seq),
    ).fetchone()
    operation = decode_body(bytes(row[1]), stream, seq)
    author = operation.author if isinstance(operation, Operation) else None
    return {"node": bytes(row[0]).hex(), "author": id_text(author) if author else None}


def history(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> list[dict[str, Any]]:
    """Every operation on a record, oldest first, also those that do not count (with the reason)."""
    wanted = scope_bytes(scope)
    listed: list[dict[str, Any]] = []
    for stream, node, seq, body, received_at, reason in _of_record(db, id_bytes(record_id)):
        operation = decode_body(body, stream, seq)
        if isinstance(operation, NewerBody) or operation.kind != kind_name or operation.scope != wanted:
            continue
        listed.append(
            {
                "at": ms_of(operation.hlc),
                "author": id_text(operation.author) if operation.author else None,
                "node": node.hex(),
                "type": TYPE_NAMES[operation.type],
                "fields": {name: value for name, value in operation.fields.items() if name != OVERWRITES},
                "overwrites": operation.fields.get(OVERWRITES) is True,
                "replaces": [[origin.hex(), number] for origin, number in operation.replaces],
                "counts": reason is None,
                "reason": reason,
                "received_at": received_at,
                "origin": operation.origin.hex(),
                "seq": seq,
                "_order": (operation.hlc, operation.origin, seq),
            }
        )
    listed.sort(key=lambda item: item["_order"])
    for item in listed:
        del item["_order"]
    return listed


def _of_record(db: Any, record: bytes) -> Iterator[tuple[bytes, bytes, int, bytes, int, str | None]]:
    rows = db.execute(
        "SELECT stream.id, stream.node, op.seq, op.body, (SELECT received_at FROM run WHERE run.stream = op.stream AND"
        " run.last >= op.seq ORDER BY run.last LIMIT 1), quarantine.reason FROM op JOIN stream ON stream.no = op.stream"
        " LEFT JOIN quarantine ON quarantine.stream = op.stream AND quarantine.seq = op.seq WHERE op.record = ?",
        (record,),
    ).fetchall()
    for stream, node, seq, body, received_at, reason in rows:
        yield bytes(stream), bytes(node), seq, bytes(body), received_at, reason


def first_fields(db: Any, kind_name: str, scope: str | bytes, record_id: str) -> dict[str, Any] | None:
    """The fields that the record was made with: what the same POST again is compared with."""
    listed = history(db, kind_name, scope, record_id)
    return listed[0]["fields"] if listed else None


def unsent_count(db: Any, node: bytes, hub: bytes | None) -> int:
    """This node's operations that the hub has not receipted. Certificates are no records and are not counted."""
    row = db.execute(
        f"SELECT coalesce(sum({_LAST} - {_RECEIPTED} - (SELECT count(*) FROM certificate WHERE certificate.stream ="
        f" stream.no AND certificate.seq > {_RECEIPTED})), 0) FROM stream LEFT JOIN receipt ON receipt.stream ="
        " stream.no AND receipt.peer = ? WHERE stream.node = ?",
        (hub or b"", node),
    ).fetchone()
    return int(row[0])


_LAST = "coalesce((SELECT max(seq) FROM op WHERE op.stream = stream.no), 0)"
_RECEIPTED = "coalesce(receipt.seq, 0)"


def unsent_records(db: Any, node: bytes, hub: bytes | None) -> list[dict[str, Any]]:
    """The records that people here have written and the hub has not receipted, all of them, oldest first."""
    rows = db.execute(
        "SELECT stream.id, op.body, (SELECT received_at FROM run WHERE run.stream = op.stream AND run.last >= op.seq"
        " ORDER BY run.last LIMIT 1) AS saved FROM stream JOIN op ON op.stream = stream.no LEFT JOIN receipt ON"
        f" receipt.stream = stream.no AND receipt.peer = ? WHERE stream.node = ? AND op.seq > {_RECEIPTED}"
        " ORDER BY saved, op.stream, op.seq",
        (hub or b"", node),
    ).fetchall()
    found: dict[tuple[str, bytes, bytes], dict[str, Any]] = {}
    for stream, body, saved_at in rows:
        kind, record = _name_of(bytes(body))
        if kind is None or kind in SILENT_KINDS:
            continue
        scope, kind = split_stream(bytes(stream))[1], _PART_OF.get(kind, kind)
        found.setdefault(
            (kind, scope, record),
            {
                "kind": kind,
                "id": id_text(record),
                "scope": scope.hex(),
                "incident_id": incident_of(scope),
                "saved_at": saved_at,
            },
        )
    return list(found.values())


def _name_of(body: bytes) -> tuple[str | None, bytes]:
    """Kind and record of an own body, without the checks that it has passed when it was written."""
    items = msgspec.msgpack.decode(body)
    return (items[4], items[5]) if items[0] == BODY_VERSION else (None, b"")


def delivery(
    db: Any, node: bytes, hub: bytes | None, is_hub: bool, kind_name: str, scope: str | bytes, record_id: str
) -> dict[str, Any]:
    """How far a record has come: ``saved_at`` here, ``hub_at`` by the hub's receipt of all of it (None: not yet).

    ``first_hub_at``: when the hub had the first of it; what was changed later leaves that as it was.

    What came from another node came through the hub, or, on the hub, is there.
    """
    wanted = scope_bytes(scope)
    saved_at: int | None = None
    hub_at: int | None = 0
    first_hub_at: int | None = None
    for stream, writer, seq, body, received_at, _ in _of_record(db, id_bytes(record_id)):
        operation = decode_body(body, stream, seq)
        if isinstance(operation, NewerBody) or operation.kind != kind_name or operation.scope != wanted:
            continue
        saved_at = received_at if saved_at is None else min(saved_at, received_at)
        reached = received_at if is_hub or writer != node else _receipted_at(db, hub, stream, seq)
        hub_at = None if reached is None or hub_at is None else max(hub_at, reached)
        if reached is not None:
            first_hub_at = reached if first_hub_at is None else min(first_hub_at, reached)
    return {"saved_at": saved_at, "hub_at": hub_at or None, "first_hub_at": first_hub_at}


def _receipted_at(db: Any, hub: bytes | None, stream: bytes, seq: int) -> int | None:
    row = db.execute(
        "SELECT min(receipt_step.at) FROM receipt_step JOIN stream ON stream.no = receipt_step.stream WHERE"
        " receipt_step.peer = ? AND stream.id = ? AND receipt_step.seq >= ?",
        (hub or b"", stream, seq),
    ).fetchone()
    return row[0] if row else None


def receipts_of(db: Any, peer: bytes) -> dict[bytes, int]:
    """What a peer has receipted: stream -> seq."""
    rows = db.execute(
        "SELECT stream.id, receipt.seq FROM receipt JOIN stream ON stream.no = receipt.stream WHERE receipt.peer = ?",
        (peer,),
    ).fetchall()
    return {bytes(stream): seq for stream, seq in rows}


def last_receipt_at(db: Any, peer: bytes) -> int | None:
    return db.execute("SELECT max(at) FROM receipt WHERE peer = ?", (peer,)).fetchone()[0]


def quarantined(db: Any) -> list[dict[str, Any]]:
    """The operations that do not count, for the administrator."""
    rows = db.execute(
        "SELECT stream.id, stream.node, quarantine.seq, reason, kind, record FROM quarantine JOIN stream ON stream.no ="
        " quarantine.stream ORDER BY quarantine.stream, quarantine.seq"
    ).fetchall()
    return [
        {
            "stream": bytes(stream).hex(),
            "node": bytes(node).hex(),
            "seq": seq,
            "reason": reason,
            "kind": kind,
            "id": id_text(bytes(record)) if record is not None else None,
        }
        for stream, node, seq, reason, kind, record in rows
    ]


def counted(db: Any, table: str) -> int:
    if table not in ("quarantine", "awaited", "branch"):
        raise KeyError(table)
    return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def streams(db: Any) -> list[oplog.Stream]:
    return list(oplog.load_streams(db).values())
