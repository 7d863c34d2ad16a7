"""Does an operation count? A pure function of the operation, its certificate and the facts held (docs/protocol.md §5).

Never of the receiver's clock, of the order of arrival or of what is shown. ``judge`` is the application's part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sync import certificate, seal
from sync.kinds import REVOCATIONS, Field, Kind, Kinds
from sync.merge import REMOVED, State
from sync.operation import CITY, ENTRY, LANES, MODES, REMOVE, NewerBody, Operation, split_stream

# (operation, node id in hex, capabilities) -> reason why it does not count, or None
Judge = Callable[[Operation, str, frozenset[str]], str | None]

NEWER = "newer_release"
MISPLACED = "misplaced"
MALFORMED = "malformed"
NOT_CAPABLE = "not_capable"
REVOKED = "revoked"
MODE_MISMATCH = "mode_mismatch"
FORK = "fork"


@dataclass(slots=True)
class Facts:
    """What verdicts depend on beyond the operation: revocations by node, and the mode of each incident."""

    revoked: dict[bytes, list[dict[bytes, int]]] = field(default_factory=dict)  # node -> a map for each head
    modes: dict[bytes, bytes] = field(default_factory=dict)  # incident -> mode byte

    def allowed(self, node: bytes, stream: bytes) -> int | None:
        """The last seq of ``stream`` that still counts, or None where the node is not revoked."""
        heads = self.revoked.get(node)
        if not heads:
            return None
        return min(accepted.get(stream, 0) for accepted in heads)


def verdict(
    operation: Operation | NewerBody,
    stream: bytes,
    node: bytes,
    capabilities: frozenset[str],
    kinds: Kinds,
    facts: Facts,
    judge: Judge,
) -> str | None:
    """None where the operation counts, else the reason."""
    if isinstance(operation, NewerBody):
        return NEWER
    if operation.kind == certificate.KIND:
        return None
    if operation.kind == REVOCATIONS.name:
        return _of_revocation(operation, capabilities)
    allowed = facts.allowed(node, stream)
    if allowed is not None and operation.seq > allowed:
        return REVOKED
    kind = kinds.get(operation.kind)
    if kind is None:
        return NEWER
    reason = _place(kind, operation) or (_shape(kind, operation) if kind.sealed is None else _outer(kind, operation))
    if reason is not None:
        return reason
    if operation.scope != CITY and not kind.city:
        mode = facts.modes.get(operation.scope[1:])
        if mode is not None and mode != operation.scope[:1]:
            return MODE_MISMATCH
    return judge(operation, node.hex(), capabilities)


def _of_revocation(operation: Operation, capabilities: frozenset[str]) -> str | None:
    """From the issuer's certificate alone: of two that revoke each other both count."""
    if operation.scope != CITY:
        return MISPLACED
    if operation.type != 1 or accepted_of(operation.fields.get("accepted")) is None:
        return MALFORMED
    return _shape(REVOCATIONS, operation) or (None if "enrol" in capabilities else NOT_CAPABLE)


def inner(kind: Kind, opened: Operation, node: bytes, capabilities: frozenset[str], judge: Judge) -> str | None:
    """Whether what was sealed counts: the same answer on all who can open it."""
    return _shape(kind, opened) or judge(opened, node.hex(), capabilities)


def _outer(kind: Kind, operation: Operation) -> str | None:
    """Of a sealed operation everybody sees the same: to whom it is sealed, and that nothing of it is in clear."""
    return None if kind.sealed and seal.is_outer(operation.fields, kind.sealed) else MALFORMED


def _place(kind: Kind, operation: Operation) -> str | None:
    if kind.city != (operation.scope == CITY) or operation.lane != LANES[kind.lane]:
        return MISPLACED
    return None if kind.entry == (operation.type == ENTRY) else MISPLACED


def _shape(kind: Kind, operation: Operation) -> str | None:
    if operation.type == REMOVE:
        return MALFORMED if operation.fields else None
    known = kind.fields
    for name, value in operation.fields.items():
        if name == REMOVED:
            if value is not None:
                return MALFORMED
            continue
        spec = known.get(name)
        if spec is not None and type(value) not in spec.plain and not fits(spec, value, kind):
            return MALFORMED
    return None


def fits(spec: Field, value: Any, kind: Kind) -> bool:
    """Whether a value has the shape of its field."""
    if spec.merge == "set":
        return _is_set_change(value)
    if value is None:
        return spec.merge in ("register", "danger")
    if spec.merge == "max":
        return type(value) is int
    return _SHAPES[spec.shape](value)


def _is_set_change(value: Any) -> bool:
    if type(value) is not dict or not set(value) <= {"add", "drop"}:
        return False
    added, drops = value.get("add", []), value.get("drop", [])
    if type(added) is not list or type(drops) is not list or _holds_bytes(added):
        return False  # the tables keep the elements as JSON, which knows no bytes
    return all(type(drop) is list and len(drop) == 3 and _is_version(*drop[:2]) for drop in drops)


def _is_version(origin: Any, seq: Any) -> bool:
    return type(origin) is bytes and len(origin) == 16 and type(seq) is int and seq >= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_place(lon: Any, lat: Any) -> bool:
    return _is_number(lon) and _is_number(lat) and -180 <= lon <= 180 and -90 <= lat <= 90


def _is_id(value: Any) -> bool:
    return type(value) is str and len(value) == 36


_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "text": lambda value: type(value) is str,
    "integer": lambda value: type(value) is int,
    "real": _is_number,
    "flag": lambda value: type(value) is bool,
    "point": lambda value: type(value) is list and len(value) == 2 and _is_place(*value),
    "id": _is_id,
    "ids": lambda value: type(value) is list and all(_is_id(item) for item in value),
    "json": lambda value: not _holds_bytes(value),
    "packed": lambda value: True,
    "bytes": lambda value: type(value) is bytes,
}


def _holds_bytes(value: Any) -> bool:
    if type(value) is list:
        return any(_holds_bytes(item) for item in value)
    if type(value) is dict:
        return any(_holds_bytes(item) for item in value.values())
    return type(value) is bytes


def accepted_of(value: Any) -> dict[bytes, int] | None:
    """{stream: last seq} from a revocation's field, or None where it has another shape."""
    if type(value) is not list:
        return None
    accepted: dict[bytes, int] = {}
    for pair in value:
        if type(pair) is not list or len(pair) != 2 or type(pair[0]) is not bytes or type(pair[1]) is not int:
            return None
        accepted[pair[0]] = pair[1]
    return accepted


def revocation_fact(state: State) -> list[dict[bytes, int]]:
    """What a revocation's record says: one map for each head (the lower seq wins, stream by stream)."""
    heads = state.heads.get("accepted", ())
    return [accepted for head in heads if (accepted := accepted_of(head[3])) is not None]


def mode_fact(kind: Kind, values: Mapping[str, Any]) -> bytes | None:
    """The mode byte that the record of an incident gives to its scope."""
    return MODES.get(values.get(kind.mode_field)) if kind.mode_field else None  # type: ignore[arg-type]


def node_scope(stream: bytes) -> bytes:
    return split_stream(stream)[1]
