"""What a city's nodes must show, worked out in plain dictionaries from what each author had on screen.

The model never reads ``replaces`` or a packed state: a write remembers which writes stood on its author's screen, and a
page is worked out from all writes that a node holds, each time from the beginning. Slow, short, and without order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.unit.sync.nodes import PASSABLE

pack = msgspec.msgpack.encode
REGISTERS = ("text", "road", "depth")
REMOVED = "removed"
Place = tuple[bytes, int]  # (stream, seq)


@dataclass(frozen=True, slots=True)
class Write:
    """One act of a person, with what they saw."""

    number: int
    node: bytes
    place: Place
    hlc: int
    kind: str
    record: bytes
    author: bytes | None
    fields: Mapping[str, Any]
    adds: tuple[str, ...] = ()
    drops: frozenset[tuple[int, str]] = frozenset()
    is_remove: bool = False
    saw: frozenset[int] = frozenset()

    @property
    def stamp(self) -> tuple[int, bytes, int]:
        return (self.hlc, self.place[0][:16], self.place[1])

    def writes(self, name: str) -> bool:
        return name in self.fields or (name == REMOVED and self.is_remove)


@dataclass(frozen=True, slots=True)
class Page:
    """A record as a screen shows it."""

    heads: Mapping[str, Mapping[int, Any]]
    tags: frozenset[tuple[int, str]]  # who added it, and what
    values: Mapping[str, Any]
    hidden: bool
    conflicts: frozenset[str]
    live: frozenset[int]
    first: Write

    def named_by_an_edit(self, names: Iterable[str]) -> frozenset[int]:
        """The writes that an edit of these fields takes the place of."""
        return frozenset(number for name in (*names, REMOVED) for number in self.heads.get(name, ()))


@dataclass
class Model:
    writes: list[Write] = field(default_factory=list)
    numbers: dict[Place, int] = field(default_factory=dict)

    def add(self, write: Write) -> None:
        assert write.number == len(self.writes) and write.place not in self.numbers, "a number was used twice"
        self.writes.append(write)
        self.numbers[write.place] = write.number

    def held(self, vector: Mapping[bytes, int]) -> list[Write]:
        """The writes that a node holds."""
        return [write for write in self.writes if write.place[1] <= vector.get(write.place[0], 0)]

    # -- what counts -----------------------------------------------------------------------------

    def counting(self, held: list[Write]) -> list[Write]:
        revocations = [write for write in held if write.kind == "revocations"]
        heads: dict[bytes, list[Mapping[bytes, int]]] = {}
        for write in revocations:
            if not any(write.number in other.saw for other in revocations if other.record == write.record):
                heads.setdefault(write.record, []).append(write.fields["accepted"])

        def counts(write: Write) -> bool:
            stream, seq = write.place
            return all(seq <= accepted.get(stream, 0) for accepted in heads.get(write.node, ()))

        return [write for write in held if write.kind == "revocations" or counts(write)]

    # -- records ---------------------------------------------------------------------------------

    def page(self, held: list[Write], record: bytes) -> Page | None:
        """The record as a node that holds these writes shows it; None where nothing counts."""
        mine = [w for w in self.counting(held) if w.kind == "reports" and w.record == record]
        if not mine:
            return None
        heads = {name: _heads(mine, name) for name in (*REGISTERS, REMOVED)}
        dropped = {drop for write in mine for drop in write.drops}
        tags = frozenset((write.number, tag) for write in mine for tag in write.adds) - dropped
        live = frozenset(number for found in heads.values() for number in found) | {number for number, _ in tags}
        removes = {number for number in heads[REMOVED] if self.writes[number].is_remove}
        named = {seen for number in removes for seen in self.writes[number].saw}
        hidden = bool(removes) and live - removes <= named
        conflicts = {name for name in REGISTERS if len({pack(value) for value in heads[name].values()}) > 1}
        if removes and not hidden:
            conflicts.add(REMOVED)
        first = min(mine, key=lambda write: write.stamp)
        return Page(heads, tags, self._values(mine, heads, tags), hidden, frozenset(conflicts), live, first)

    def _values(
        self, mine: list[Write], heads: Mapping[str, Mapping[int, Any]], tags: Iterable[tuple[int, str]]
    ) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name in REGISTERS:
            listed = sorted(heads[name], key=lambda number: self.writes[number].stamp)
            if name == "road":
                listed.sort(key=lambda number: -PASSABLE.index(heads["road"][number]))
            if listed:
                values[name] = heads[name][listed[-1]]
        if any(write.adds or write.drops for write in mine):
            values["tags"] = sorted({tag for _, tag in tags}, key=pack)
        if seen := [write.fields["seen"] for write in mine if "seen" in write.fields]:
            values["seen"] = max(seen)
        if numbered := [write for write in mine if "number" in write.fields]:
            values["number"] = min(numbered, key=lambda write: write.stamp).fields["number"]
        return {name: value for name, value in values.items() if value is not None}

    # -- ledgers ---------------------------------------------------------------------------------

    def ledger(self, held: list[Write], kind: str) -> list[Write]:
        """The entries of a ledger from the first to the last."""
        entries = {write.number: write for write in self.counting(held) if write.kind == kind}
        keys: dict[int, int] = {}
        for number, write in sorted(entries.items()):  # what was seen was written before
            keys[number] = max([write.hlc, *(keys[seen] + 1 for seen in write.saw if seen in entries)])
        return sorted(entries.values(), key=lambda write: (keys[write.number], *write.stamp[1:]))


def _heads(mine: list[Write], name: str) -> dict[int, Any]:
    """What was written into a field and stood on no later writer's screen."""
    writers = [write for write in mine if write.writes(name)]
    replaced = {seen for write in writers for seen in write.saw}
    return {write.number: write.fields.get(name) for write in writers if write.number not in replaced}
