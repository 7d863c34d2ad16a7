"""One simulated night: nodes, network and virtual time, driven by one seeded source of chance.

``run`` lets the storm rage for so many steps, heals everything, and lets the checkers look. The same seed gives the
same trace, byte for byte.
"""

from __future__ import annotations

import hashlib
import heapq
import logging
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from sync import protocol
from sync.authoring import Recorded
from sync.operation import Change, RecordKey
from sync.replica import Committed
from tests.simulation import city
from tests.simulation.checkers import Broken, Checkers
from tests.simulation.disk import Crash
from tests.simulation.machine import Machine
from tests.simulation.model import Held, held_by
from tests.simulation.network import Cable, Network

TICK_MS = 4_000
COMMIT_MS = (2, 10, 40, 120, 300)
EVENTS_MAX = 25_000  # of one night; more is something that never ends


@dataclass(frozen=True)
class Write:
    """What a person was told is saved."""

    machine: str
    key: RecordKey
    stream: bytes
    seq: int
    change: Change
    body: bytes


class World:
    def __init__(self, seed: int, nodes: int = 6, steps: int = 150, say: Callable[[str], None] | None = None) -> None:
        self.seed, self.steps, self.say = seed, steps, say
        self.chance = random.Random(seed)
        self.ms = city.DUSK
        self.step = 0
        self.events = 0
        self.failure: BaseException | None = None
        self._heap: list[tuple[int, int, Callable[..., None], tuple[Any, ...]]] = []
        self._number = 0
        self._hash = hashlib.sha256()
        self.committing: set[str] = set()
        self.machines: list[Machine] = []
        self.runs = 0  # frames with operations that were sent
        self._held: dict[str, Held] = {}
        self.settled_group: list[Machine] = []
        self.checkers = Checkers(self)
        self.network = Network(self.chance, lambda: self.ms, self.schedule, self.trace, self._on_frame)
        for name, capabilities in cast(nodes):
            self.add(name, capabilities)

    def add(self, name: str, capabilities: Sequence[str], release: str = "this") -> Machine:
        machine = Machine(
            name, city.identity(name, capabilities), city.store(name, release), lambda: self.ms,
            random.Random(f"{self.seed}/{name}"), self._committed, self._on_submit,
            lambda durable: self.checkers.durable(durable), release=release,
        )  # fmt: skip
        self.machines.append(machine)
        return machine

    # -- time ------------------------------------------------------------------------------------

    def schedule(self, delay_ms: int, call: Callable[..., None], *arguments: Any) -> None:
        self._number += 1
        heapq.heappush(self._heap, (self.ms + max(delay_ms, 0), self._number, call, arguments))

    def advance(self, ms: int) -> None:
        """Let time pass, and do all that falls due in it."""
        until = self.ms + ms
        while self._heap and self._heap[0][0] <= until:
            self.ms, _, call, arguments = heapq.heappop(self._heap)
            self.events += 1
            if self.events > EVENTS_MAX:
                self.fail("quiet", f"more than {EVENTS_MAX} events: something never ends")
            call(*arguments)
            if self.failure is not None:
                raise self.failure
        self.ms = until

    def trace(self, what: str, *parts: Any) -> None:
        line = f"{self.step} {self.ms - city.DUSK} {what}"
        self._hash.update(line.encode())
        for part in parts:
            self._hash.update(part if isinstance(part, bytes) else str(part).encode())
        if self.say is not None:
            self.say(f"{line} {' '.join(_spoken(part) for part in parts)}")

    @property
    def trace_hash(self) -> str:
        return self._hash.hexdigest()

    def fail(self, checker: str, text: str) -> None:
        """Note the first thing that is wrong. The loop raises it: where it happens a future may swallow it."""
        if self.failure is None:
            self.failure = Broken(checker, text)

    # -- machines --------------------------------------------------------------------------------

    def machine(self, name: str) -> Machine:
        return next(machine for machine in self.machines if machine.name == name)

    @property
    def awake(self) -> list[Machine]:
        return [machine for machine in self.machines if machine.alive]

    @property
    def honest(self) -> list[Machine]:
        return [machine for machine in self.machines if not machine.hostile]

    def some(self) -> list[Machine]:
        """Whom the heavy checkers look at: one for all that hold the same, and whoever was left out."""
        group = self.settled_group
        chosen = group[self.seed % len(group) :][:1] if group else []
        return chosen + [machine for machine in self.honest if machine not in group]

    def boot(self, machine: Machine) -> None:
        self.trace("boot", machine.name)
        machine.boot()
        self.checkers.started(machine)

    def kill(self, machine: Machine) -> None:
        """End a process; its connections break."""
        self.trace("kill", machine.name)
        machine.end()
        self._lost(machine)

    def _lost(self, machine: Machine) -> None:
        self.committing.discard(machine.name)
        for cable in self.network.of(machine):
            cable.cut()

    def _on_submit(self, machine: Machine) -> None:
        if machine.name not in self.committing:
            self.committing.add(machine.name)
            self.schedule(self.chance.choice(COMMIT_MS), self._commit, machine, machine.starts)

    def _commit(self, machine: Machine, starts: int) -> None:
        if not machine.alive or machine.starts != starts:
            return
        self.committing.discard(machine.name)
        if not machine.writer.waits:
            return
        self.trace("commit", machine.name)
        try:
            machine.step()
        except Crash as crash:
            self.trace("crash", machine.name, str(crash))
            self._lost(machine)
            return
        if machine.writer.waits:
            self._on_submit(machine)

    def _committed(self, machine: Machine, committed: Committed) -> None:
        self.checkers.committed(machine, committed)

    def _on_frame(self, cable: Cable, to: int, frame: bytes) -> None:
        if frame[1] == protocol.RUN:
            self.runs += 1
        self.checkers.sent(cable, to, frame)

    def held(self, machine: Machine) -> Held:
        """What a disk holds, read once when everything has settled: from then on nothing is written."""
        if machine.name not in self._held:
            self._held[machine.name] = held_by(machine)
        return self._held[machine.name]

    # -- people ----------------------------------------------------------------------------------

    def write(self, machine: Machine, *changes: Change, author: bytes | None = None) -> Future[Any]:
        self.trace("write", machine.name, *(change.kind for change in changes))
        future = machine.submit(lambda replica: replica.record(changes, author), len(changes))
        starts = machine.starts
        future.add_done_callback(lambda done: self._answered(machine, starts, changes, done))
        return future

    def _answered(self, machine: Machine, starts: int, changes: Sequence[Change], future: Future[Any]) -> None:
        if future.exception() is not None or not isinstance(result := future.result(), Recorded):
            self.trace("refused", machine.name, type(future.exception() or future.result()).__name__)
            return
        for change, (stream, seq) in zip(changes, result.versions, strict=True):
            row = machine.disk.execute(
                "SELECT body FROM op JOIN stream ON stream.no = op.stream WHERE id = ? AND seq = ?", (stream, seq)
            ).fetchone()
            self.trace("saved", machine.name, stream, seq)
            write = Write(machine.name, change.key, stream, seq, change, bytes(row[0]) if row else b"")
            self.checkers.wrote(machine, write)

    # -- ticks -----------------------------------------------------------------------------------

    def tick(self) -> None:
        for machine in self.awake:
            machine.peers.tick()
        self.schedule(TICK_MS, self.tick)


class Swallowed(logging.Handler):
    """An error inside a future's callback is only logged: here it ends the night."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world

    def emit(self, record: logging.LogRecord) -> None:
        if self.world.failure is None:
            error = record.exc_info[1] if record.exc_info else None
            self.world.failure = error or Broken("errors", record.getMessage())


def cast(nodes: int) -> list[tuple[str, tuple[str, ...]]]:
    """Who is there: the hub, an heir who may command and enrol, and terminals of the field."""
    terminals = [(f"t{number}", city.FIELD) for number in range(1, nodes - 1)]
    return [("hub", city.HUB), ("heir", ("command", "enrol", "field")), *terminals][:nodes]


def _spoken(part: Any) -> str:
    return part.hex()[:24] if isinstance(part, bytes) else str(part)
