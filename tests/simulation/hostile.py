"""A node with a valid key that means ill: what it signs itself, and what it does to the frames that it relays.

Its own program runs as everybody's, so that its links open. Beside it, a pen writes streams under the same key.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sync import limits, protocol, signing
from sync.certificate import KIND as CERTIFICATES
from sync.clock import HLC_LIMIT, hlc_of
from sync.log_reader import LogReader
from sync.operation import CITY, ENTRY, REMOVE, SET, TALK, WORK, Change, Version, encode_body, incident_scope
from sync.oplog import Segment
from sync.protocol import Ack, Need, Run
from tests.simulation import city
from tests.simulation.machine import Machine
from tests.simulation.network import FORGED_FROM, Cable
from tests.simulation.world import World

TEN_YEARS_MS = 10 * 365 * 24 * 3_600_000
INCARNATION = b"mallory!"
REPORTS, TALKS, COUNTS = "damage-reports", "chat-messages", "head-counts"


class Hostile:
    def __init__(self, world: World) -> None:
        self.world, self.chance = world, world.chance
        self.machine: Machine = world.machines[-1]
        self.machine.hostile = True
        self.name = self.machine.name
        self.origin = signing.origin_of(self.machine.node, INCARNATION)
        self.tails: dict[bytes, list[list[bytes]]] = {}  # stream -> the tails that it has written
        self.sent: list[Segment] = []
        self.number = FORGED_FROM
        self.deeds: list[tuple[int, Callable[[], Sequence[Segment]]]] = [
            (6, self.write_on), (4, self.equivocate), (2, self.fork_itself), (2, self.replay), (3, self.bend),
            (1, self.oversize), (1, self.skip),
        ]  # fmt: skip

    def act(self) -> None:
        """Send something to a neighbour that an honest program would not have sent."""
        cables = [cable for cable in self.world.network.of(self.machine) if self._is_open(cable)]
        if not cables:
            return
        cable = self.chance.choice(cables)
        if self.chance.random() < 0.1:
            self._send(cable, self._nonsense())
            return
        deeds, weights = [deed for _, deed in self.deeds], [weight for weight, _ in self.deeds]
        segments = tuple(self.chance.choices(deeds, weights)[0]())
        if segments:
            self.sent += segments
            self.number += 1
            self._send(cable, protocol.encode(Run(self.number, segments)))

    def _is_open(self, cable: Cable) -> bool:
        return all(link.session.phase == "open" for link in cable.links)

    def _send(self, cable: Cable, frame: bytes) -> None:
        to = 1 - cable.ends.index(self.machine)
        self.world.trace("forge", self.name, cable.ends[to].name, frame)
        cable.forge(to, frame)

    # -- what it signs ---------------------------------------------------------------------------

    def write_on(self) -> list[Segment]:
        """The next operations of a stream of its own: some that must not count, some that may."""
        stream = self._stream()
        tail = self.chance.choice(self._tails(stream))
        first = len(tail) + 1 if self.chance.random() < 0.7 else 1
        for _ in range(self.chance.choice((1, 1, 2, 4))):
            self._append(stream, tail)
        return [self._segment(stream, tail, first)]

    def equivocate(self) -> list[Segment]:
        """Another operation under a number that it has used."""
        stream = self._stream()
        tails = self._tails(stream)
        tail = self.chance.choice(tails)
        at = self.chance.randrange(1, len(tail) + 1)
        other = tail[:at]
        self._append(stream, other)
        if len(tails) < 4:
            tails.append(other)
        return [self._segment(stream, other, self.chance.choice((1, at + 1)))]

    def fork_itself(self) -> list[Segment]:
        """Another operation under a number that its own honest program has used."""
        own = [stream for stream in self.machine.replica.streams.values() if stream.own and stream.last > 1]
        if not own:
            return []
        stream = self.chance.choice(sorted(own, key=lambda each: each.id))
        listed = [
            bytes(row[0])
            for row in self.machine.disk.execute(
                "SELECT body FROM op WHERE stream = ? ORDER BY seq LIMIT ?",
                (stream.no, self.chance.randrange(1, stream.last)),
            )
        ]
        self._append(stream.id, listed)
        return [self._segment(stream.id, listed, self.chance.choice((1, len(listed))))]

    def _stream(self) -> bytes:
        scope = self.chance.choice(
            (city.REAL_SCOPE, city.REAL_SCOPE, CITY, city.DRILL_SCOPE, incident_scope("drill", city.INCIDENT.bytes))
        )
        return self.origin + scope + (WORK if scope == CITY else self.chance.choice((WORK, WORK, TALK)))

    def _tails(self, stream: bytes) -> list[list[bytes]]:
        """The tails of a stream; a new one begins with the certificate."""
        if stream not in self.tails:
            self.tails[stream] = [[self._certificate(stream, 1)]]
        return self.tails[stream]

    def _certificate(self, stream: bytes, seq: int) -> bytes:
        held = city.certificate(self.name, self.chance.choice((("field",), ("field",), ())), 7)
        fields = {"certificate": held.encode(), "incarnation": INCARNATION}
        return encode_body(
            seq, hlc_of(self.world.ms), None, Change(CERTIFICATES, self.machine.node, CITY, fields), (), ()
        )

    def _append(self, stream: bytes, tail: list[bytes]) -> None:
        scope, seq, chance = stream[16:-1], len(tail) + 1, self.chance
        if chance.random() < 0.05 and stream[:16] == self.origin:
            tail.append(self._certificate(stream, seq))
            return
        if chance.random() < 0.05:
            tail.append(msgspec.msgpack.encode([2, seq, "a body of a later release"]))
            return
        kind, type_, fields = self._content()
        record = chance.choice(self._records(kind)) if chance.random() < 0.7 else chance.randbytes(16)
        now = self.world.ms
        stamp = chance.choice((now, now, now + 5 * 60_000, now + TEN_YEARS_MS, 0, (HLC_LIMIT >> 16) - 1))
        entry = type_ == ENTRY
        tail.append(
            encode_body(
                seq,
                hlc_of(stamp, chance.randrange(9)),
                None,
                Change(kind, record, scope, fields, type_),
                () if entry else self._names(stream, seq),
                self._names(stream, seq) if entry else (),
            )
        )

    def _records(self, kind: str) -> list[bytes]:
        known = [key[2] for key in self.machine.known.get(kind, ())[-6:]]
        return [*known, city.INCIDENT.bytes, city.SHELTERS[0].bytes, self.machine.node]

    def _content(self) -> tuple[str, int, dict[str, Any]]:
        chance = self.chance
        return chance.choice(
            (
                (REPORTS, SET, {"summary": chance.choice(("偽", "x" * 4_000, "", None))}),
                (REPORTS, SET, {"rescue_needed": chance.choice((True, False, None, 7))}),
                (REPORTS, SET, {"passability": chance.choice(("impassable", "passable", "newer word", None))}),
                (REPORTS, SET, {"attachments": {"add": [chance.choice(("a", 1))], "drop": []}}),
                (REPORTS, SET, {"a field of later": [1, None, b"x"], "removed": chance.choice((None, 1))}),
                (REPORTS, REMOVE, {}),
                (REPORTS, ENTRY, {"summary": "misplaced"}),
                (TALKS, ENTRY, {"channel_id": str(city.CHANNEL), "text": "偽の指示"}),
                (COUNTS, ENTRY, {"shelter_id": str(city.SHELTERS[0]), "total": chance.choice((0, -5, 10**12, "many"))}),
                ("shelters", SET, {"capacity": 0}),
                ("incidents", SET, {"mode": chance.choice(("drill", "real", "war")), "name": "偽"}),
                ("revocations", SET, {"accepted": [], "reason": "偽"}),
                ("users", SET, {"name": "偽", "role": "admin", "home_node": self.machine.node.hex()}),
                ("evacuation-orders", SET, {"text": "a kind of a later release"}),
                ("channels", SET, {"members": {"drop": [[self.origin, 1, "x"]], "add": [str(uuid.UUID(int=1))]}}),
            )
        )

    def _names(self, stream: bytes, seq: int) -> list[Version]:
        """Versions: true ones, ones that never were, ones yet to come."""
        chance = self.chance
        streams = sorted(self.machine.replica.vector.items())
        found: list[Version] = []
        for _ in range(chance.randrange(3)):
            id_, last = chance.choice(streams)
            found.append((id_[:16], max(1, last + chance.randrange(-3, 4))))
        if chance.random() < 0.3:
            found.append((self.origin, max(1, seq + chance.randrange(-2, 3))))
        return found

    def _segment(self, stream: bytes, tail: list[bytes], first: int) -> Segment:
        head = signing.chain(signing.chain_seed(stream), tail)
        signature = city.key_of(self.name).sign(signing.log_message(stream, len(tail), head))
        return Segment(stream, min(first, len(tail)), signature, tuple(tail[min(first, len(tail)) - 1 :]))

    # -- what it relays --------------------------------------------------------------------------

    def replay(self) -> list[Segment]:
        return self.chance.sample(self.sent, min(len(self.sent), 2))

    def bend(self) -> list[Segment]:
        """Somebody else's operations, altered on the way."""
        held = LogReader(self.machine.disk).next_segments({}, {}, ops_max=200, bytes_max=1 << 16)
        if not held:
            return []
        segment, chance = self.chance.choice(held), self.chance
        at = chance.randrange(len(segment.bodies))
        body = segment.bodies[at]
        place = chance.randrange(len(body))
        bent = body[:place] + bytes([body[place] ^ 1 << chance.randrange(8)]) + body[place + 1 :]
        bodies = (*segment.bodies[:at], bent, *segment.bodies[at + 1 :])
        head = signing.chain(signing.chain_seed(segment.stream), list(bodies))
        forged = city.key_of(self.name).sign(signing.log_message(segment.stream, segment.last, head))
        return [
            chance.choice(
                (
                    Segment(segment.stream, segment.first, segment.signature, bodies),
                    Segment(segment.stream, segment.first, forged, bodies),
                    Segment(segment.stream, segment.first, chance.randbytes(64), segment.bodies),
                    Segment(segment.stream, segment.first, segment.signature, segment.bodies[:-1] or segment.bodies),
                    Segment(segment.stream, segment.first + 1, segment.signature, segment.bodies),
                )
            )
        ]

    def oversize(self) -> list[Segment]:
        """A body above the limit under a good signature."""
        stream = self._stream()
        tail = list(self._tails(stream)[0])
        items = [
            1,
            len(tail) + 1,
            hlc_of(self.world.ms),
            None,
            REPORTS,
            b"\0" * 16,
            SET,
            {"summary": "あ" * 6_000},
            [],
            [],
        ]
        tail.append(msgspec.msgpack.encode(items))
        assert len(tail[-1]) > limits.BODY_BYTES_MAX
        return [self._segment(stream, tail, self.chance.choice((1, len(tail))))]

    def skip(self) -> list[Segment]:
        """Operations that begin above what anybody holds."""
        stream = self._stream()
        tail = list(self._tails(stream)[0])
        for _ in range(self.chance.randrange(3, 8)):
            self._append(stream, tail)
        return [self._segment(stream, tail, len(tail))]

    def _nonsense(self) -> bytes:
        chance = self.chance
        streams = sorted(self.machine.replica.published().ends.items())
        stream, (last, head) = chance.choice(streams)
        return chance.choice(
            (
                chance.randbytes(chance.randrange(2, 200)),
                protocol.encode(Ack(0, ((stream, last + 5, head[:16]),))),
                protocol.encode(Ack(0, ((stream, last, chance.randbytes(16)),))),
                protocol.encode(Need(((stream, 1),))),
                protocol.encode(Need(((stream, last + 9),))),
            )
        )
