"""How operations become a record: heads = written - replaced, over the operations that count. Pure, and free of order.

``apply`` folds one operation into a state; it is right as long as no operation held here names the new one
(the replica sees to that: such a record is rebuilt by ``build`` from its whole set). Both give equal states.
Next in the flow: ``replica`` packs the state into the record's row, ``digest`` hashes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from sync.kinds import Field, Kind, normal
from sync.operation import REMOVE, SET, Operation, Version

Stamp = tuple[int, bytes, int]  # (hlc, origin, seq): the order of ties
Head = tuple[int, bytes, int, Any]  # stamp and value
REMOVED = "removed"

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


@dataclass(slots=True)
class State:
    """What is known of a record, without regard to the order in which it came."""

    first: Stamp | None = None
    author: bytes | None = None
    updated: int = 0  # greatest hlc
    heads: dict[str, list[Head]] = field(default_factory=dict)
    sets: dict[str, list[tuple[bytes, int, Any]]] = field(default_factory=dict)  # alive additions
    maxes: dict[str, Any] = field(default_factory=dict)
    onces: dict[str, Head] = field(default_factory=dict)
    removes: list[tuple[int, bytes, int, bool, tuple[Version, ...]]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shown:
    """What people see of a record."""

    values: dict[str, Any]
    hidden: bool
    conflicts: tuple[str, ...]  # fields with two or more different values


def names(kind: Kind, operation: Operation) -> set[Version]:
    """Every version that an operation names and that must be here for its effect to be whole."""
    if not operation.replaces and not operation.after and not kind.sets:
        return set()
    found = {*operation.replaces, *operation.after}
    for name in kind.sets:
        if name in operation.fields:
            found.update((origin, seq) for origin, seq, _ in operation.fields[name].get("drop", ()))
    found.discard(operation.version)
    return found


def apply(kind: Kind, state: State, operation: Operation) -> None:
    """Fold one operation that counts into ``state``."""
    hlc, origin, seq = operation.hlc, operation.origin, operation.seq
    named = set(operation.replaces)
    named.discard((origin, seq))
    _stamp(state, operation)
    if operation.type == REMOVE or REMOVED in operation.fields:
        state.removes = [head for head in state.removes if (head[1], head[2]) not in named]
        state.removes.append(_removal(operation))
    for name, value in operation.fields.items():
        spec = kind.fields.get(name)
        if spec is None:
            continue  # a field of a newer release: it stays in the log
        if spec.merge in ("register", "danger"):
            heads = state.heads.get(name)
            kept = [head for head in heads if (head[1], head[2]) not in named] if heads else []
            kept.append((hlc, origin, seq, normal(spec, value)))
            state.heads[name] = kept
        elif spec.merge == "set":
            dropped = _dropped(value)
            alive = [element for element in state.sets.get(name, ()) if _element_key(element) not in dropped]
            alive += [(origin, seq, element) for element in value.get("add", ())]
            state.sets[name] = alive
        else:
            _keep_extreme(state, spec, name, operation, value)


def can_begin(operation: Operation) -> bool:
    """Whether ``begun`` tells what a record is after this operation alone."""
    return operation.type == SET and REMOVED not in operation.fields


def begun(kind: Kind, operation: Operation) -> tuple[dict[str, Any], bytes, bool]:
    """(values shown, packed state, whether anything is live) of a record that has this one operation.

    The same as ``apply``, ``shown``, ``pack`` and ``live`` give, in a third of the time: most operations make a record.
    """
    values: dict[str, Any] = {}
    nulls: list[str] = []
    sets: dict[str, list[Any]] = {}
    is_live, known, seq = False, kind.fields, operation.seq
    for name, value in operation.fields.items():
        spec = known.get(name)
        if spec is None:
            continue  # a field of a newer release: it stays in the log
        if spec.merge in ("register", "danger"):
            is_live = True
            values[name] = value if spec.shape != "real" else normal(spec, value)
            if value is None:
                nulls.append(name)
        elif spec.merge == "set":
            alive = [(operation.origin, seq, element) for element in value.get("add", ())]
            is_live = is_live or bool(alive)
            sets[name] = [[0, seq, element] for _, _, element in alive]
            values[name] = _elements(alive)
        elif spec.merge != "max" or value is not None:
            values[name] = normal(spec, value)
    packed: list[Any] = [operation.hlc, seq, operation.author, operation.hlc, [operation.origin]]
    if nulls or sets:
        packed += [{}, nulls, sets] if sets else [{}, nulls]
    return values, _pack(packed), is_live


def build(kind: Kind, operations: Iterable[Operation]) -> State:
    """The state of a record from all its operations that count, by the set definition."""
    listed = sorted(operations, key=lambda op: (op.hlc, op.origin, op.seq))
    replaced: set[tuple[str, bytes, int]] = set()
    dropped: dict[str, set[tuple[bytes, int, bytes]]] = {}
    for operation in listed:
        written = [*operation.fields, REMOVED] if operation.type == REMOVE else list(operation.fields)
        for name in written:
            spec = kind.fields.get(name)
            replaced.update((name, o, s) for o, s in operation.replaces if (o, s) != operation.version)
            if spec is not None and spec.merge == "set":
                others = {drop for drop in _dropped(operation.fields[name]) if drop[:2] != operation.version}
                dropped.setdefault(name, set()).update(others)
    state = State()
    for operation in listed:
        _place(kind, state, operation, replaced, dropped)
    return state


def _place(
    kind: Kind,
    state: State,
    operation: Operation,
    replaced: set[tuple[str, bytes, int]],
    dropped: Mapping[str, set[tuple[bytes, int, bytes]]],
) -> None:
    _stamp(state, operation)
    origin, seq = operation.version
    if (operation.type == REMOVE or REMOVED in operation.fields) and (REMOVED, origin, seq) not in replaced:
        state.removes.append(_removal(operation))
    for name, value in operation.fields.items():
        spec = kind.fields.get(name)
        if spec is None:
            continue
        if spec.merge in ("register", "danger"):
            heads = state.heads.setdefault(name, [])
            if (name, origin, seq) not in replaced:
                heads.append((operation.hlc, origin, seq, normal(spec, value)))
        elif spec.merge == "set":
            alive = state.sets.setdefault(name, [])
            added = [(origin, seq, element) for element in value.get("add", ())]
            alive += [element for element in added if _element_key(element) not in dropped.get(name, ())]
        else:
            _keep_extreme(state, spec, name, operation, value)


def _stamp(state: State, operation: Operation) -> None:
    stamp = (operation.hlc, operation.origin, operation.seq)
    if state.first is None or stamp < state.first:
        state.first, state.author = stamp, operation.author
    state.updated = max(state.updated, operation.hlc)


def _removal(operation: Operation) -> tuple[int, bytes, int, bool, tuple[Version, ...]]:
    return (operation.hlc, operation.origin, operation.seq, operation.type == REMOVE, operation.replaces)


def _dropped(value: Mapping[str, Any]) -> set[tuple[bytes, int, bytes]]:
    return {(origin, seq, _pack(element)) for origin, seq, element in value.get("drop", ())}


def _element_key(element: tuple[bytes, int, Any]) -> tuple[bytes, int, bytes]:
    return (element[0], element[1], _pack(element[2]))


def _keep_extreme(state: State, spec: Field, name: str, operation: Operation, value: Any) -> None:
    value = normal(spec, value)
    if spec.merge == "max":
        if value is not None and (name not in state.maxes or value > state.maxes[name]):
            state.maxes[name] = value
        return
    head = (operation.hlc, operation.origin, operation.seq, value)
    if name not in state.onces or head[:3] < state.onces[name][:3]:
        state.onces[name] = head


def shown(kind: Kind, state: State) -> Shown:
    """What people see: the later head, or the more dangerous one; the fields in conflict; whether it is removed."""
    values: dict[str, Any] = {}
    conflicts: list[str] = []
    for name, heads in state.heads.items():
        if len(heads) == 1:
            values[name] = heads[0][3]
        elif heads:
            values[name] = _winner(kind.fields[name], heads)
            if len({_pack(head[3]) for head in heads}) > 1:
                conflicts.append(name)
    for name, alive in state.sets.items():
        values[name] = _elements(alive)
    values |= state.maxes
    for name, head in state.onces.items():
        values[name] = head[3]
    if len(conflicts) > 1:
        conflicts = [name for name in kind.fields if name in conflicts]
    hidden = _is_hidden(kind, state, values) if state.removes else False
    if not hidden and any(removal[3] for removal in state.removes):
        conflicts.append(REMOVED)
    return Shown(values, hidden, tuple(conflicts))


def _winner(spec: Field, heads: list[Head]) -> Any:
    if spec.merge == "danger":
        ranks = {_pack(value): rank for rank, value in enumerate(spec.order)}
        # A value that the table does not know comes from a newer release: it is shown as the most dangerous.
        worst = min(ranks.get(_pack(head[3]), -1) for head in heads)
        heads = [head for head in heads if ranks.get(_pack(head[3]), -1) == worst]
    return max(heads, key=lambda head: head[:3])[3]


def _elements(alive: list[tuple[bytes, int, Any]]) -> list[Any]:
    unique = {_pack(element): element for _, _, element in alive}
    return [unique[key] for key in sorted(unique)]


def _is_hidden(kind: Kind, state: State, values: Mapping[str, Any]) -> bool:
    removes = [removal for removal in state.removes if removal[3]]
    if not removes:
        return False
    named = {version for removal in removes for version in removal[4]}
    unremoved = live(state) - {(removal[1], removal[2]) for removal in removes}
    if not unremoved <= named:
        return False
    return not (kind.keeps_visible and kind.keeps_visible(values))


def live(state: State) -> set[Version]:
    """The live versions: those that are a head of some field. They are the record's ETag."""
    versions = {(head[1], head[2]) for heads in state.heads.values() for head in heads}
    versions.update((origin, seq) for alive in state.sets.values() for origin, seq, _ in alive)
    versions.update((removal[1], removal[2]) for removal in state.removes)
    return versions


def several(state: State) -> list[Any]:
    """The heads of fields that have more than one, in an order of their own, for the digest."""
    listed = [
        [name, sorted([o, s, v] for _, o, s, v in heads)] for name, heads in state.heads.items() if len(heads) > 1
    ]
    return sorted(listed, key=lambda item: str(item[0]))


def pack(kind: Kind, state: State) -> bytes:
    """The state in few bytes. Values stand in the row's columns; here only where a field has several heads or is null.

    The base is the first operation: heads that it wrote are left out (40,700 creates a second, against 11,800 with a
    table of versions).
    """
    assert state.first is not None
    base = state.first
    origins = [base[1]]

    def number(origin: bytes) -> int:
        if origin not in origins:
            origins.append(origin)
        return origins.index(origin)

    heads: dict[str, Any] = {}
    nulls: list[str] = []
    for name, listed in state.heads.items():
        if len(listed) == 1:
            hlc, origin, seq, value = listed[0]
            if (hlc, origin, seq) != base:
                heads[name] = [hlc, number(origin), seq]
            if value is None:
                nulls.append(name)
        else:
            heads[name] = [[hlc, number(origin), seq, value] for hlc, origin, seq, value in listed]
    sets = {name: [[number(o), s, element] for o, s, element in alive] for name, alive in state.sets.items()}
    onces = {name: [head[0], number(head[1]), head[2]] for name, head in state.onces.items() if head[:3] != base}
    removes = [
        [hlc, number(o), s, removed, [[number(no), ns] for no, ns in named]]
        for hlc, o, s, removed, named in state.removes
    ]
    tail = [heads, nulls, sets, onces, removes]
    while tail and not tail[-1]:
        tail.pop()
    return _pack([base[0], base[2], state.author, state.updated, origins, *tail])


def unpack(kind: Kind, packed: bytes, columns: Mapping[str, Any]) -> State:
    """The state of a row from its packed part and its columns (decoded values; absent or None where null)."""
    first_hlc, first_seq, author, updated, origins, *tail = _unpack(packed)
    empty: list[Any] = [{}, (), {}, {}, ()]
    heads, nulls, sets, onces, removes = tail + empty[len(tail) :]
    base: Stamp = (first_hlc, origins[0], first_seq)
    state = State(first=base, author=author, updated=updated)
    for name, spec in kind.fields.items():
        value = columns.get(name)
        if spec.merge in ("register", "danger"):
            packed_heads = heads.get(name)
            if packed_heads is None:
                if value is not None or name in nulls:
                    state.heads[name] = [(*base, value)]
            elif not packed_heads or type(packed_heads[0]) is list:
                state.heads[name] = [(hlc, origins[o], s, v) for hlc, o, s, v in packed_heads]
            else:
                hlc, o, s = packed_heads
                state.heads[name] = [(hlc, origins[o], s, value)]
        elif spec.merge == "set":
            if name in sets:
                state.sets[name] = [(origins[o], s, element) for o, s, element in sets[name]]
        elif value is not None and spec.merge == "max":
            state.maxes[name] = value
        elif value is not None:
            hlc, o, s = onces.get(name, (first_hlc, 0, first_seq))
            state.onces[name] = (hlc, origins[o], s, value)
    state.removes = [
        (hlc, origins[o], s, removed, tuple((origins[no], ns) for no, ns in named))
        for hlc, o, s, removed, named in removes
    ]
    return state
