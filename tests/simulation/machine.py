"""One simulated node: the real replica, writer, sessions and tables, with clock, chance, disk and network handed in.

What the application's ``Node`` does at a start (a restored copy begins anew, an upgrade rebuilds) is done here by its
own methods.
"""

from __future__ import annotations

import queue
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from app.node import Node
from app.records import KINDS
from app.records.judge import judge
from app.store.folder import Incarnation
from app.store.migrations import migrate
from app.store.projection import SqlProjection
from sync.operation import RecordKey
from sync.pace import Pace
from sync.peers import Peers
from sync.replica import Committed, Identity, Replica
from sync.version_vector import Vector
from sync.writer import Writer
from tests.simulation.disk import Crash, Disk
from tests.simulation.quick import Ends, QuickReader
from tests.simulation.release import OLDER, older_judge

_STATEMENTS: dict[str, Any] = {"this": {}, "older": {}}  # the SQL of each release, made once a process


class StepWriter(Writer):
    """The writer without its thread: a batch is committed when the simulation says so."""

    def __init__(
        self,
        replica: Replica,
        on_commit: Callable[[Committed], None],
        free: Callable[[], bool],
        wake: Callable[[], None],
    ) -> None:
        self._replica, self._on_commit, self._before_retry, self._wake = replica, on_commit, free, wake
        self._run = lambda call: call()
        self._elapsed = lambda: 0.0
        self.pace = Pace()
        self._over = None
        self._queue = queue.Queue()
        self._stopped = False
        self._lock = threading.Lock()
        self._submitted = 0
        self._after_failure = lambda: None

    @property
    def waits(self) -> int:
        return self._queue.qsize() + (self._over is not None)

    def submit(self, job: Any, weight: int = 1) -> Future[Any]:
        future = super().submit(job, weight)
        self._wake()
        return future

    def step(self) -> None:
        """Commit one batch of what waits."""
        first, self._over = self._over or self._queue.get_nowait(), None
        assert first is not None
        self._commit(self._gather(first)[0])

    def call(self, job: Any, weight: int = 1) -> Any:
        future = self.submit(job, weight)
        while not future.done():
            self.step()
        return future.result()


class InOrder(dict[Any, None]):
    """A set that keeps its order: which link is woken first must not hang on an address in memory."""

    def add(self, item: Any) -> None:
        self[item] = None

    def discard(self, item: Any) -> None:
        self.pop(item, None)


@dataclass
class Beside:
    """The file beside the database: which incarnation this is, and how far it has written."""

    kept: Incarnation | None = None

    def read_incarnation(self) -> Incarnation | None:
        return self.kept

    def note_incarnation(self, incarnation: Incarnation) -> None:
        self.kept = incarnation


@dataclass
class Saved:
    """A copy of a data folder, as a backup holds it."""

    disk: Disk
    kept: Incarnation | None
    vector: Vector


@dataclass(eq=False)
class Machine:
    name: str
    identity: Identity
    disk: Disk
    time: Callable[[], int]
    chance: random.Random
    on_commit: Callable[[Machine, Committed], None]
    on_submit: Callable[[Machine], None]
    on_durable: Callable[[Machine], None]
    skew_ms: int = 0
    release: str = "this"
    upgrading: bool = False
    alive: bool = False
    hostile: bool = False
    folder: Beside = field(default_factory=Beside)
    ballast: bool = True
    known: dict[str, list[RecordKey]] = field(default_factory=dict)  # kind -> records seen, in their order
    starts: int = 0
    offset_ms: int = 0
    shown: tuple[int, int] = (1 << 62, 0)  # the lowest and the highest that its clock has shown since its last write
    replica: Replica = field(init=False)
    writer: StepWriter = field(init=False)
    peers: Peers = field(init=False)

    @property
    def node(self) -> bytes:
        return self.identity.node_id

    @property
    def kinds(self) -> Any:
        return OLDER if self.release == "older" else KINDS

    def wall(self) -> int:
        return max(self.time() + self.skew_ms, 0)

    def now(self) -> int:
        now = self.wall() + self.offset_ms
        self.shown = (min(self.shown[0], now), max(self.shown[1], now))
        return now

    # -- start and end ---------------------------------------------------------------------------

    def boot(self) -> None:
        """Start the program on what the disk holds."""
        self.starts += 1
        self.offset_ms = 0
        self.disk.plan = None
        if self.upgrading:
            migrate(self.disk)
        self.replica = Replica(
            self.disk, self.kinds, older_judge if self.release == "older" else judge,
            SqlProjection(self.disk, self.kinds, _STATEMENTS[self.release]), self.identity, self.now,
            self.chance.randbytes,
            lambda incarnation, last: self.folder.note_incarnation(Incarnation(incarnation, last)),
        )  # fmt: skip
        self.published_state = self.replica.published()
        self.writer = StepWriter(self.replica, self._committed, self._free, lambda: self.on_submit(self))
        ends = Ends(self.disk, lambda: self.replica.position)
        self.peers = Peers(
            self.replica, self.writer, self.now, self.wall, self.chance.randbytes, lambda: self.published_state,
            lambda: QuickReader(self.disk, ends), self.receipts_of, on_opened=self._opened, _links=InOrder(),  # type: ignore[arg-type]
        )  # fmt: skip
        self.alive = True
        self.disk.on_durable = lambda: self.on_durable(self)
        Node._begin_anew_where_rolled_back(self)  # type: ignore[arg-type]
        if self.upgrading:
            self.upgrading = False
            Node._rebuild_where_outdated(self)  # type: ignore[arg-type]
            self.published_state = self.replica.published()

    def local_write(self, change: Callable[[Disk], Any]) -> Any:
        return self.writer.call(lambda replica: change(replica.connection), 0)

    def end(self) -> None:
        """The process is gone, with all that it had in memory."""
        self.alive = False
        self.disk.plan = None
        if self.disk.in_transaction:
            self.disk.execute("ROLLBACK")

    def save(self) -> Saved:
        return Saved(self.disk.copy(), self.folder.kept, dict(self.replica.vector))

    def restore(self, saved: Saved, *, with_the_file: bool) -> None:
        """Put an older copy in the place of the data folder, or of the database alone."""
        self.disk.close()
        self.disk = saved.disk.copy()
        if with_the_file:
            self.folder.kept = saved.kept

    def upgrade(self) -> None:
        """The next start is of this release."""
        self.release, self.upgrading = "this", True

    def certify(self, identity: Identity) -> None:
        """A new certificate: it goes into each stream with the next operation."""
        self.identity = identity
        self.replica.identity = identity

    # -- work ------------------------------------------------------------------------------------

    def submit(self, job: Callable[[Replica], Any], weight: int = 1) -> Future[Any]:
        return self.writer.submit(job, weight)

    def step(self) -> None:
        """Commit what waits. Raises Crash where the process dies of it."""
        try:
            self.writer.step()
        except Crash:
            self.end()
            raise

    def receipts_of(self, peer: bytes) -> Vector:
        rows = self.disk.execute(
            "SELECT stream.id, seq FROM receipt JOIN stream ON stream.no = receipt.stream WHERE peer = ?", (peer,)
        ).fetchall()
        return {bytes(stream): seq for stream, seq in rows}

    def _committed(self, committed: Committed) -> None:
        self.published_state = committed
        for key in sorted(committed.changed):
            listed = self.known.setdefault(key[0], [])
            if key not in listed:
                listed.append(key)
        self.on_commit(self, committed)
        self.peers.wake()

    def _opened(self, link: Any, event: Any) -> None:
        if event.offset_ms is not None and "hub" in event.peer.capabilities:
            self.offset_ms = event.offset_ms

    def _free(self) -> bool:
        """Release the ballast, once."""
        if not self.ballast:
            return False
        self.ballast = False
        self.disk.fill(64)
        return True
