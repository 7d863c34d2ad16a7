"""Drives one session over a transport: frames in, actions out, commits through the writer.

Knows no socket and no framework.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from sync import frontiers
from sync.actions import (
    Action,
    Branched,
    Close,
    Deliver,
    FileAction,
    Holds,
    Keep,
    Later,
    Opened,
    Outgrown,
    Receipts,
    Regressed,
    Send,
    Suspect,
    Told,
)
from sync.arrival import Gap, Outcome
from sync.blobs import Blobs
from sync.errors import SyncError
from sync.oplog import Segment
from sync.replica import Replica
from sync.session import Session
from sync.writer import Writer


class Watcher(Protocol):
    """Who is told what happens on a link. Called without waiting: it must not block."""

    def opened(self, link: Link, event: Opened) -> None: ...
    def contact(self, link: Link) -> None: ...
    def closed(self, link: Link, code: str, text: str) -> None: ...
    def regressed(self, link: Link, event: Regressed) -> None: ...
    def suspect(self, link: Link, event: Suspect) -> None: ...
    def branched(self, event: Branched) -> None: ...


@dataclass(eq=False)
class Link:
    session: Session
    writer: Writer
    now: Callable[[], int]
    send: Callable[[bytes], None]
    hang_up: Callable[[], None]
    watcher: Watcher
    blobs: Blobs | None = None
    errands: Callable[[Callable[[], None]], None] = lambda call: call()  # one after the other, not in this call
    later: Callable[[int, Callable[[], None]], None] = lambda ms, call: None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    ended: tuple[str, str] | None = None  # (code, text) of why it ended, where the session said so
    _down: bool = False

    @property
    def peer(self) -> bytes | None:
        return self.session.peer.node_id if self.session.peer and self.session.phase in ("vector", "open") else None

    def open(self) -> None:
        with self._lock:
            self._act(self.session.on_open(self.now()))

    def received(self, data: object) -> None:
        with self._lock:
            self._act(self.session.on_frame(data, self.now()))
            if self.session.phase == "open":
                self.watcher.contact(self)

    def wake(self) -> None:
        """The log grew: push what the peer lacks."""
        with self._lock:
            self._act(self.session.pump(self.now()))

    def files_came(self, names: Sequence[bytes], made: Sequence[bytes]) -> None:
        with self._lock:
            self._act(self.session.files_came(names, made, self.now()))

    def forked(self, stream: bytes, fork: int) -> None:
        with self._lock:
            self._act(self.session.forked(stream, fork, self.now()))

    def tick(self) -> None:
        with self._lock:
            self._act(self.session.on_tick(self.now()))

    def down(self, code: str = "lost", text: str = "the connection was lost") -> None:
        """The transport is gone."""
        with self._lock:
            if not self._down:
                self._down = True
                self.session.phase = "closed"
                self.watcher.closed(self, code, text)

    def _act(self, actions: Sequence[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                if not self._down:
                    self.send(action.frame)
            elif isinstance(action, Deliver):
                self._deliver(action)
            elif isinstance(action, Receipts):
                self._keep(action)
            elif isinstance(action, Opened):
                self.watcher.opened(self, action)
            elif isinstance(action, Regressed):
                self.watcher.regressed(self, action)
            elif isinstance(action, Outgrown):
                self.writer.submit(lambda replica: replica.new_incarnation(), weight=0)
            elif isinstance(action, Suspect):
                self.watcher.suspect(self, action)
            elif isinstance(action, Branched):
                self.watcher.branched(action)
            elif isinstance(action, FileAction):
                self.errands(partial(self._carry_out, action))
            elif isinstance(action, Told):
                self._keep_frontier(action)
            elif isinstance(action, Later):
                self.later(action.ms, self.wake)
            elif isinstance(action, Close):
                if self._down:
                    continue
                self._down, self.ended = True, (action.code, action.text)
                self.session.phase = "closed"
                self.watcher.closed(self, action.code, action.text)
                self.hang_up()

    def _keep(self, action: Receipts) -> None:
        self.writer.submit(lambda replica: replica.keep_receipts(action.peer, action.receipts), weight=0)

    def _keep_frontier(self, action: Told) -> None:
        self.writer.submit(
            lambda replica: frontiers.keep(replica.connection, action.peer, action.position, action.steps), weight=0
        )

    def _carry_out(self, action: FileAction) -> None:
        """Write to the store of files, then let the session go on."""
        assert self.blobs is not None
        try:
            if isinstance(action, Holds):
                (self.blobs.forget_holder if action.no_more else self.blobs.note_holders)(action.peer, action.names)
                return
            if isinstance(action, Keep):
                held = self.blobs.keep(action.name, action.start, action.total, action.data, action.media_type)
            else:
                held = self.blobs.drop_partial(action.name)
            failed = False
        except SyncError:
            if isinstance(action, Holds):
                return  # told again on the next link
            held, failed = None, True
        with self._lock:
            self._act(self.session.on_kept(action.name, held, self.now(), failed=failed))

    def _deliver(self, action: Deliver) -> None:
        via = self.session.peer.node_id if self.session.peer else None
        jobs: list[Future[list[Outcome]]] = []
        for part in in_jobs(action.segments, self.writer.ops_max):
            weight = sum(len(segment.bodies) for segment in part)
            jobs.append(self.writer.submit(partial(_receive, part, via), weight))
        jobs[-1].add_done_callback(lambda _: self._committed(action, jobs))  # they end in their order

    def _committed(self, action: Deliver, jobs: Sequence[Future[list[Outcome]]]) -> None:
        with self._lock:
            error = next((error for job in jobs if (error := job.exception()) is not None), None)
            if error is not None:
                # Not kept, so not receipted: the peer keeps it and sends it again on the next link.
                code = error.code if isinstance(error, SyncError) else "not_saved"
                self._act([Close(code, str(error))])
                return
            outcomes = [outcome for job in jobs for outcome in job.result()]
            gaps = {outcome.stream for outcome in outcomes if isinstance(outcome, Gap)}
            self.session.hold(segment for segment in action.segments if segment.stream in gaps)
            self._act(self.session.on_committed(action.number, outcomes, self.now()))


def in_jobs(segments: Sequence[Segment], ops_max: int) -> list[tuple[Segment, ...]]:
    """The segments in their order, in jobs of at most ``ops_max`` operations, or of a single segment."""
    jobs: list[list[Segment]] = [[]]
    weight = 0
    for segment in segments:
        weight += len(segment.bodies)
        if jobs[-1] and weight > ops_max:
            jobs.append([])
            weight = len(segment.bodies)
        jobs[-1].append(segment)
    return [tuple(job) for job in jobs]


def _receive(segments: Sequence[Segment], via: bytes | None, replica: Replica) -> list[Outcome]:
    return replica.receive(segments, via)
