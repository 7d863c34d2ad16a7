"""Random sets of operations: several devices, every merge, and names of versions known, unknown and yet to come.

One number makes a world; a failure prints it, and a number that once failed stays in the tests.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sync.clock import hlc_of
from sync.operation import CITY, ENTRY, REMOVE, Version
from sync.oplog import Segment
from sync.replica import Replica
from tests.unit.sync.nodes import DRILL, INCIDENT, LANE_OF, NOW, REAL, Author, check_whole, ident, make_replica, receive

RECORDS = [ident(f"record {number}") for number in range(3)]
TEXTS = ["", "a", "b", "葦"]


@dataclass
class World:
    seed: int
    operations: int = 30
    revocations: bool = True
    authors: list[Author] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        capabilities = [("field", "command"), ("field",), ("field", "enrol", "command"), (), ("enrol", "field")]
        self.authors = [Author(f"device {number}", held) for number, held in enumerate(capabilities)]
        self.written: list[tuple[Version, str, bytes, Any]] = []
        for _ in range(self.operations):
            self._write_one()
        self.segments = [
            author.segment(stream[16:-1], stream[-1:], seq, seq)
            for author in self.authors
            for stream, bodies in author.bodies.items()
            for seq in range(1, len(bodies) + 1)
        ]

    def _write_one(self) -> None:
        chance = self.random
        author = chance.choices(self.authors, (5, 5, 3, 1, 2))[0]
        kinds = ["reports", "messages", "counts", "incidents", *(["revocations"] if self.revocations else [])]
        kind = chance.choices(kinds, (12, 4, 3, 2, 2)[: len(kinds)])[0]
        if kind == "revocations" and chance.random() < 0.9:
            author = chance.choice([self.authors[2], self.authors[4]])
        lane = LANE_OF[kind]
        scope = CITY if kind in ("incidents", "revocations") else chance.choices((REAL, DRILL), (6, 1))[0]
        if chance.random() < 0.03 and lane == b"w":
            scope = REAL if scope == CITY else CITY
        if not author.last(scope, lane):
            author.certify(scope, lane)
        record = INCIDENT if kind == "incidents" else chance.choice(RECORDS)
        if kind == "revocations":
            record = chance.choice([*self.authors[:2], *self.authors[:2], *self.authors]).node
        type_, fields = self._content(kind, author, scope, lane)
        entry = kind in ("messages", "counts")
        version = author.write(
            kind, record, fields, scope=scope, lane=lane, type=type_, hlc=hlc_of(NOW + chance.randrange(12)),
            replaces=() if entry else self._names(author, scope, lane, kind, record),
            after=self._names(author, scope, lane, kind, None) if entry else (),
        )  # fmt: skip
        self.written.append((version, kind, record, fields))

    def _names(self, author: Author, scope: bytes, lane: bytes, kind: str, record: bytes | None) -> list[Version]:
        """Versions to name: of the record, of others, unknown, one's own, and ones that do not exist yet."""
        chance = self.random
        known = [v for v, k, r, _ in self.written if k == kind and (record is None or r == record)]
        found = chance.sample(known, min(len(known), chance.randrange(4)))
        if chance.random() < 0.25:
            other = chance.choice(self.authors)
            found.append((other.origin, max(1, other.last(scope, lane) + chance.randrange(-1, 4))))
        if chance.random() < 0.05:
            found.append((ident("nobody"), 1 + chance.randrange(3)))
        return found

    def _content(self, kind: str, author: Author, scope: bytes, lane: bytes) -> tuple[int, dict[str, Any]]:
        chance = self.random
        if kind == "messages":
            return ENTRY, {"text": chance.choice(TEXTS)}
        if kind == "counts":
            return ENTRY, {"people": chance.randrange(5)}
        if kind == "incidents":
            return 1, {"name": chance.choice(TEXTS), "mode": chance.choice(["real", "real", "drill"])}
        if kind == "revocations":
            streams = [a.stream(s, w) for a in self.authors for s in (REAL, CITY) for w in (b"w",)]
            streams = [stream for stream in streams if len(stream) in (18, 34)]
            return 1, {"accepted": [[s, chance.randrange(12)] for s in chance.sample(streams, 2)], "reason": "lost"}
        if chance.random() < 0.12:
            return REMOVE, {}
        fields: dict[str, Any] = {}
        if chance.random() < 0.6:
            fields["text"] = chance.choice([*TEXTS, None])
        if chance.random() < 0.4:
            fields["road"] = chance.choice(["impassable", "foot_only", None, "passable", "new word"])
        if chance.random() < 0.5:
            fields["tags"] = self._set_change(author, scope, lane)
        if chance.random() < 0.3:
            fields["seen"] = chance.randrange(10)
        if chance.random() < 0.3:
            fields["number"] = f"T{chance.randrange(9)}"
        if chance.random() < 0.2:
            fields["depth"] = chance.choice([1, 1.0, 0.5, None])
        if chance.random() < 0.2:
            fields["at"] = chance.choice([[139, 35.5], [140.5, 35], None])
        if chance.random() < 0.1:
            fields["removed"] = None
        if chance.random() < 0.05:
            fields["newer field"] = chance.choice([1, b"x", [None]])
        if chance.random() < 0.03:
            fields["text"] = 7  # malformed
        return 1, fields

    def _set_change(self, author: Author, scope: bytes, lane: bytes) -> dict[str, Any]:
        chance = self.random
        change: dict[str, Any] = {}
        if chance.random() < 0.8:
            change["add"] = [chance.choice(["x", "y", 1]) for _ in range(chance.randrange(3))]
        if chance.random() < 0.5:
            versions = [v for v, k, _, f in self.written if k == "reports" and "tags" in f]
            next_own = (author.origin, author.last(scope, lane) + chance.randrange(1, 4))
            chosen = chance.choice([*versions[-4:], next_own])
            change["drop"] = [[*chosen, chance.choice(["x", "y", 1])]]
            if change.get("add") and chance.random() < 0.3:
                change["drop"].append([author.origin, author.last(scope, lane) + 1, change["add"][0]])
        return change

    # -- delivery --------------------------------------------------------------------------------

    def deliver(self, replica: Replica, seed: int, pick: Callable[..., int] | None = None) -> None:
        """Hand every operation over: streams interleaved by chance, cut into batches by chance, some of it twice."""
        chance = random.Random(seed)
        waiting: dict[bytes, list[Segment]] = {}
        for segment in self.segments:
            waiting.setdefault(segment.stream, []).append(segment)
        while waiting:
            batch: list[Segment] = []
            for _ in range(chance.choice([1, 1, 3, 20])):
                if not waiting:
                    break
                stream = chance.choice(sorted(waiting))
                batch.append(waiting[stream].pop(0))
                if not waiting[stream]:
                    del waiting[stream]
                if chance.random() < 0.1:
                    batch.append(chance.choice(batch))
            receive(replica, *batch)


def check_convergence(world: World, orders: int = 3) -> dict[str, Any]:
    """Every order of arrival shows the same, and each replica is whole. Returns what they show."""
    found: list[dict[str, Any]] = []
    for number in range(orders):
        replica = make_replica(f"reader {number}")
        world.deliver(replica, world.seed * 31 + number)
        found.append(check_whole(replica))
        replica.connection.close()
        for name, value in found[0].items():
            assert found[-1][name] == value, f"seed {world.seed}: order {number} shows other {name}"
    return found[0]
