"""The one writer of a node, with group commit: jobs that arrive during a commit share the next one.

No window when it is idle: a single save is committed at once, by whoever waits for it. A batch holds what 50 ms allow.
``run_batch`` runs where the caller says (a native thread under gevent), so that a commit never blocks the loop. Results
are given out after the commit, never before.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sync import limits
from sync.errors import StoreFailed, StoreFull, SyncError, WriterBusy, WriterStopped, is_disk_error
from sync.pace import Pace
from sync.replica import Committed, Replica

Job = Callable[[Replica], Any]


@dataclass(slots=True)
class _Waiting:
    job: Job
    weight: int  # operations
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Owns the replica: nobody else calls it while the writer runs."""

    def __init__(
        self,
        replica: Replica,
        *,
        run: Callable[[Callable[[], Any]], Any] = lambda call: call(),
        on_commit: Callable[[Committed], None] = lambda committed: None,
        before_retry: Callable[[], bool] = lambda: False,
        after_failure: Callable[[], None] = lambda: None,
        elapsed: Callable[[], float] = time.monotonic,  # seconds
    ) -> None:
        self._replica = replica
        self._run = run
        self._on_commit = on_commit
        self._before_retry = before_retry  # frees space (the ballast file); True where it did
        self._after_failure = after_failure  # renews what met a failing disk
        self._elapsed = elapsed
        self.pace = Pace()
        self._over: _Waiting | None = None  # did not fit into the last batch
        self._queue: queue.Queue[_Waiting | None] = queue.Queue()
        self._thread = threading.Thread(target=self._loop, name="writer", daemon=True)
        self._stopped = False
        self._lock = threading.Lock()
        self._turn = threading.Lock()  # held by who commits
        self._submitted = 0  # jobs without an answer
        self._thread.start()

    @property
    def ops_max(self) -> int:
        """The operations that a batch may hold on this machine; who hands in more does so in several jobs."""
        return self.pace.ops_max

    def submit(self, job: Job, weight: int = 1) -> Future[Any]:
        """Queue a job; the future ends after the commit that holds it, or with its error. Never waits.

        What links submit is bounded by their credit (4 runs each), what people submit by ``call``.
        """
        waiting = _Waiting(job, weight)
        with self._lock:  # nothing may be queued behind the end: nobody would ever answer it
            if self._stopped:
                raise WriterStopped("the writer has stopped")
            self._submitted += 1
            self._queue.put(waiting)
        return waiting.future

    def call(self, job: Job, weight: int = 1) -> Any:
        """Queue a job and wait for its commit. Raises what it raised, StoreFull, StoreFailed or WriterBusy."""
        if self._queue.qsize() >= limits.WRITER_QUEUE_MAX:
            raise WriterBusy("too many writes wait for the disk")
        waiting = _Waiting(job, weight)
        if not self._commit_at_once(waiting):
            waiting.future = self.submit(job, weight)
        return waiting.future.result()

    def _commit_at_once(self, waiting: _Waiting) -> bool:
        """Commit in the caller's thread where nobody else writes: a change of threads took a fifth of a save."""
        if self._submitted or not self._turn.acquire(blocking=False):
            return False
        try:
            if self._submitted or self._stopped:
                return False
            self._commit([waiting])
            return True
        finally:
            self._turn.release()

    def stop(self) -> None:
        """Commit what is queued, then end."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            self._queue.put(None)
        self._thread.join()
        with self._turn:  # a caller that commits by itself ends first
            return

    def _loop(self) -> None:
        while True:
            first, self._over = self._over or self._queue.get(), None
            if first is None:
                return
            with self._turn:
                batch, ended = self._gather(first)
                self._commit(batch)
            with self._lock:
                self._submitted -= len(batch)
            if ended:
                return

    def _gather(self, first: _Waiting) -> tuple[list[_Waiting], bool]:
        batch, weight = [first], first.weight
        while len(batch) < limits.BATCH_OPS_MAX:
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                break
            if waiting is None:
                return batch, True
            if weight + waiting.weight > self.pace.ops_max:
                self._over = waiting
                break
            batch.append(waiting)
            weight += waiting.weight
        return batch, False

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        jobs, began = [waiting.job for waiting in batch], self._elapsed()
        try:
            results, committed = self._attempt(jobs)
        except Exception as error:
            failure = store_error(error)
            if isinstance(failure, StoreFailed):
                self._after_failure()
            for waiting in batch:
                waiting.future.set_exception(failure)
            return
        self.pace.took(sum(waiting.weight for waiting in batch), (self._elapsed() - began) * 1000)
        for waiting, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                waiting.future.set_exception(result)
            else:
                waiting.future.set_result(result)
        self._on_commit(committed)

    def _attempt(self, jobs: Sequence[Job]) -> tuple[list[Any], Committed]:
        try:
            return self._run(lambda: self._replica.run_batch(jobs))  # type: ignore[no-any-return]
        except Exception as error:
            if isinstance(store_error(error), StoreFull) and self._before_retry():
                return self._run(lambda: self._replica.run_batch(jobs))  # type: ignore[no-any-return]
            raise


def store_error(error: Exception) -> Exception:
    """The disk's error in our words; any other error as it is."""
    if isinstance(error, SyncError):
        return error
    if isinstance(error, OSError) or is_disk_error(error):
        text = f"{getattr(error, 'sqlite_errorname', '')} {error}"
        if "SQLITE_FULL" in text or "disk is full" in text or getattr(error, "errno", None) == 28:
            return StoreFull("the disk of this node is full: nothing of this was saved")
        return StoreFailed(f"the store could not be written: {error}")
    return error
