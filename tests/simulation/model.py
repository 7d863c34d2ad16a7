"""The plain model: what a log means, computed from the whole set of its operations by dictionaries and loops.

Written from docs/protocol.md alone and on purpose without ``sync.merge``: two mistakes would have to be alike.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from app import catalog
from sync import oplog
from sync.kinds import Kind
from sync.operation import ENTRY, REMOVE, Operation, RecordKey, Version, decode_body
from tests.simulation.machine import Machine

_pack = msgspec.msgpack.Encoder().encode
Head = tuple[int, bytes, int, Any]  # hlc, origin, seq, value


@dataclass
class Held:
    """What a disk holds: its operations, which of them do not count, and the numbers that forks made doubtful."""

    operations: list[Operation]
    verdicts: dict[tuple[bytes, int], str]  # (stream, seq) -> reason; seq < 0: a lost tail
    doubtful: set[tuple[bytes, int]]
    ends: dict[bytes, int]
    nodes: dict[bytes, bytes]

    def counting(self) -> Iterable[Operation]:
        return [op for op in self.operations if (stream_of(op), op.seq) not in self.verdicts]


def stream_of(operation: Operation) -> bytes:
    return operation.origin + operation.scope + operation.lane


_read = functools.lru_cache(4_000)(decode_body)


def held_by(machine: Machine) -> Held:
    execute = machine.disk.execute
    ids, ends, nodes = {}, {}, {}
    for stream in oplog.load_streams(machine.disk).values():
        ids[stream.no], ends[stream.id], nodes[stream.id] = stream.id, stream.last, stream.node
    found = [
        _read(bytes(body), ids[no], seq)
        for no, seq, body in execute("SELECT stream, seq, body FROM op ORDER BY stream, seq").fetchall()
    ]
    verdicts = {
        (ids[no], seq): reason for no, seq, reason in execute("SELECT stream, seq, reason FROM quarantine").fetchall()
    }
    doubtful = {(ids[no], seq) for no, seq in execute("SELECT stream, seq FROM branch").fetchall()}
    return Held([op for op in found if isinstance(op, Operation)], verdicts, doubtful, ends, nodes)


@dataclass
class Record:
    """What people see of a record."""

    values: dict[str, Any] = field(default_factory=dict)
    heads: dict[str, list[Head]] = field(default_factory=dict)
    alive: dict[str, list[tuple[bytes, int, Any]]] = field(default_factory=dict)
    hidden: bool = False
    conflicts: set[str] = field(default_factory=set)


def records(held: Held, kind: Kind) -> dict[RecordKey, Record]:
    """Every record of a kind that is no ledger."""
    grouped: dict[RecordKey, list[Operation]] = {}
    for operation in held.counting():
        if operation.kind == kind.name:
            grouped.setdefault(operation.key, []).append(operation)
    return {key: _record(kind, operations, held.doubtful) for key, operations in grouped.items()}


def _record(kind: Kind, operations: list[Operation], doubtful: set[tuple[bytes, int]]) -> Record:
    found = Record()
    for name, spec in kind.fields.items():
        writers = [op for op in operations if name in op.fields]
        if not writers:
            continue
        if spec.merge == "set":
            found.alive[name] = _alive(writers, name)
            found.values[name] = _distinct(element for _, _, element in found.alive[name])
        elif spec.merge == "max":
            found.values[name] = max(op.fields[name] for op in writers)
        elif spec.merge == "once":
            found.values[name] = min(writers, key=_stamp).fields[name]
        else:
            _register(found, name, spec, writers, doubtful)
    _removals(kind, found, operations, doubtful)
    return found


def _register(found: Record, name: str, spec: Any, writers: list[Operation], doubtful: set[tuple[bytes, int]]) -> None:
    replaced = {version for op in writers for version in _names(op, doubtful)}
    heads = [(*_stamp(op), _value(spec, op.fields[name])) for op in writers if op.version not in replaced]
    found.heads[name] = heads
    if not heads:
        return
    if spec.merge == "danger":
        worst = min(_danger(spec.order, head[3]) for head in heads)
        found.values[name] = max((head for head in heads if _danger(spec.order, head[3]) == worst), key=_place)[3]
    else:
        found.values[name] = max(heads, key=_place)[3]
    if len({_pack(head[3]) for head in heads}) > 1:
        found.conflicts.add(name)


def _danger(order: tuple[Any, ...], value: Any) -> int:
    """How far down the table a value stands; what the table does not know is the most dangerous."""
    return next((rank for rank, other in enumerate(order) if _pack(other) == _pack(value)), -1)


def _alive(writers: list[Operation], name: str) -> list[tuple[bytes, int, Any]]:
    """What was added and is dropped by nobody who had seen it."""
    dropped = {
        (origin, seq, _pack(element))
        for op in writers
        for origin, seq, element in op.fields[name].get("drop", ())
        if (origin, seq) != op.version
    }
    added = [(*op.version, element) for op in writers for element in op.fields[name].get("add", ())]
    return [each for each in added if (each[0], each[1], _pack(each[2])) not in dropped]


def _removals(kind: Kind, found: Record, operations: list[Operation], doubtful: set[tuple[bytes, int]]) -> None:
    writers = [op for op in operations if op.type == REMOVE or "removed" in op.fields]
    replaced = {version for op in writers for version in _names(op, doubtful)}
    standing = [op for op in writers if op.version not in replaced]
    removes = [op for op in standing if op.type == REMOVE]
    if not removes:
        return
    live = {(head[1], head[2]) for heads in found.heads.values() for head in heads}
    live |= {(origin, seq) for alive in found.alive.values() for origin, seq, _ in alive}
    live |= {op.version for op in standing} - {op.version for op in removes}
    named = {version for op in removes for version in _names(op, doubtful)}
    found.hidden = live <= named and not must_stay(kind, found.values)
    if not found.hidden:
        found.conflicts.add("removed")


def must_stay(kind: Kind, values: dict[str, Any]) -> bool:
    """A removal hides no rescue that nobody has answered, and no one who was hurt."""
    if kind.name != "damage-reports":
        return False
    done = {"done", "not_needed", "duplicate"} & set(catalog.table("response_statuses").in_group("done"))
    rescue = bool(values.get("rescue_needed")) and values.get("response_status") not in done
    return rescue or values.get("casualties") not in (None, "none")


def entries(held: Held, kind: Kind) -> dict[RecordKey, Operation]:
    """The entry that each record of a ledger is."""
    found: dict[RecordKey, Operation] = {}
    for operation in held.counting():
        if operation.kind == kind.name and operation.type == ENTRY:
            found[operation.key] = min(found.get(operation.key, operation), operation, key=_stamp)
    return found


def _names(operation: Operation, doubtful: set[tuple[bytes, int]]) -> set[Version]:
    """What an operation replaces: names that fit two tails of another's stream say nothing."""
    place = operation.scope + operation.lane
    return {
        (origin, seq)
        for origin, seq in operation.replaces
        if (origin, seq) != operation.version and (origin == operation.origin or (origin + place, seq) not in doubtful)
    }


def _stamp(operation: Operation) -> tuple[int, bytes, int]:
    return (operation.hlc, operation.origin, operation.seq)


def _place(head: Head) -> tuple[int, bytes, int]:
    return head[:3]


def _value(spec: Any, value: Any) -> Any:
    return float(value) if spec.shape == "real" and type(value) is int else value


def _distinct(elements: Iterable[Any]) -> list[Any]:
    unique = {_pack(element): element for element in elements}
    return [unique[key] for key in sorted(unique)]
