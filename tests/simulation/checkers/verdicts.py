"""Whether an operation counts is the same on every node, and a revocation counts whenever it comes."""

from __future__ import annotations

import msgspec

from app.records import KINDS
from sync.kinds import REVOCATIONS
from sync.operation import CITY
from tests.simulation import model
from tests.simulation.checkers import Checker

UNTOUCHED = ("certificates", REVOCATIONS.name)


class Verdicts(Checker):
    def settled(self) -> None:
        group = self.world.settled_group
        found = [self.world.held(machine) for machine in group]
        for machine, held in zip(group, found, strict=True):
            other = held.verdicts.items() ^ found[0].verdicts.items()
            text = f"{machine.name} and {group[0].name} judge {_first(other)} differently"
            self.expect(not other, text)
        for machine, held in list(zip(group, found, strict=True))[:1]:
            self._revocations(machine.name, held)

    def _revocations(self, name: str, held: model.Held) -> None:
        """Of several revocations of a device the lower number holds, stream by stream."""
        allowed: dict[bytes, list[dict[bytes, int]]] = {}
        for (_, scope, node), record in model.records(held, REVOCATIONS).items():
            heads = record.heads.get("accepted")
            if scope == CITY and heads:
                allowed[node] = [{bytes(stream): seq for stream, seq in head[3]} for head in heads]
        for operation in held.operations:
            stream = model.stream_of(operation)
            lists = allowed.get(held.nodes[stream])
            late = bool(lists) and operation.seq > min(accepted.get(stream, 0) for accepted in lists or ())
            reason = held.verdicts.get((stream, operation.seq))
            if operation.kind not in UNTOUCHED and operation.kind in KINDS.by_name:
                text = f"{name}: {operation.kind} {operation.seq} is {reason}, by the revocations {late}"
                self.expect((reason == "revoked") == late, text)


def _first(items: object) -> str:
    listed = sorted(items, key=lambda item: msgspec.msgpack.encode(item))  # type: ignore[call-overload]
    return str(listed[0]) if listed else ""
