"""The writer: group commit, errors that stay with their job, results only after the commit."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sync import writer as writer_module
from sync.errors import BadChange, StoreFailed, StoreFull, WriterStopped
from sync.replica import Replica
from sync.writer import Writer
from tests.unit.sync.nodes import make_replica, report


class Disk:
    """Passes statements on, until it is told to fail at one."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.fail_at: str | None = None
        self.times = 1
        self.error: Exception = connection.OperationalError("disk I/O error")

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        if self.fail_at is not None and sql.startswith(self.fail_at) and self.times:
            self.times -= 1
            raise self.error
        return self._connection.execute(sql, parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


def on_disk(replica: Replica) -> Disk:
    disk = Disk(replica.connection)
    replica.connection = disk
    return disk


def save(text: str) -> Any:
    return lambda replica: replica.record([report("a", text=text)], None)


def reports(replica: Replica) -> list[str]:
    return [row[0] for row in replica.connection.execute("SELECT text FROM reports").fetchall()]


def test_a_result_is_given_out_after_the_commit() -> None:
    replica = make_replica("node")
    writer = Writer(replica)
    open_at_result: list[bool] = []
    writer.submit(save("x")).add_done_callback(lambda _: open_at_result.append(replica.connection.in_transaction))
    writer.stop()
    assert open_at_result == [False]


def test_jobs_that_wait_share_a_commit() -> None:
    replica = make_replica("node")
    commits: list[Any] = []
    writer = Writer(replica, on_commit=commits.append)
    gate = threading.Event()
    writer.submit(lambda replica: gate.wait(5))
    futures = [writer.submit(save(str(n))) for n in range(10)]
    gate.set()
    for future in futures:
        future.result(5)
    writer.stop()
    assert len(commits) <= 3


def test_an_error_of_one_job_leaves_the_others_of_its_batch() -> None:
    replica = make_replica("node")
    writer = Writer(replica)
    gate = threading.Event()
    writer.submit(lambda replica: gate.wait(5))
    bad = writer.submit(lambda replica: replica.record([report("a", text="\0")], None))
    good = writer.submit(save("x"))
    gate.set()
    good.result(5)
    with pytest.raises(BadChange):
        bad.result(5)
    writer.stop()
    assert reports(replica) == ["x"]


def test_a_statement_that_breaks_a_constraint_is_the_fault_of_its_job_alone() -> None:
    replica = make_replica("node")
    results, _ = replica.run_batch(
        [save("x"), lambda r: r.connection.execute("INSERT INTO log_meta VALUES ('a', 1), ('a', 2)")]
    )
    assert isinstance(results[1], replica.connection.IntegrityError)
    assert reports(replica) == ["x"]


def test_a_full_disk_keeps_nothing_and_says_so() -> None:
    replica = make_replica("node")
    disk = on_disk(replica)
    disk.fail_at, disk.error = "COMMIT", disk.OperationalError("database or disk is full")
    writer = Writer(replica)
    with pytest.raises(StoreFull):
        writer.call(save("x"))
    assert reports(replica) == []
    writer.call(save("y"))
    writer.stop()
    assert reports(replica) == ["y"]


def test_space_that_was_freed_saves_the_write() -> None:
    replica = make_replica("node")
    disk = on_disk(replica)
    disk.fail_at, disk.error = "COMMIT", disk.OperationalError("database or disk is full")
    writer = Writer(replica, before_retry=lambda: True)
    writer.call(save("x"))
    writer.stop()
    assert reports(replica) == ["x"]


def test_another_error_of_the_disk_is_told_as_such() -> None:
    replica = make_replica("node")
    on_disk(replica).fail_at = "COMMIT"
    writer = Writer(replica)
    with pytest.raises(StoreFailed):
        writer.call(save("x"))
    writer.stop()


def test_what_met_a_failing_disk_is_renewed_before_anybody_is_told() -> None:
    replica, renewed = make_replica("node"), []
    disk = on_disk(replica)
    disk.fail_at = "COMMIT"
    writer = Writer(replica, after_failure=lambda: renewed.append(replica.connect(disk, replica.projection)))
    with pytest.raises(StoreFailed):
        writer.call(save("x"))
    assert len(renewed) == 1
    writer.call(save("y"))
    writer.stop()
    assert reports(replica) == ["y"]


def test_nothing_is_taken_after_the_end() -> None:
    writer = Writer(make_replica("node"))
    writer.stop()
    with pytest.raises(WriterStopped):
        writer.submit(save("x"))


def test_what_was_queued_before_the_end_is_committed() -> None:
    replica = make_replica("node")
    writer = Writer(replica)
    futures = [writer.submit(save(str(n))) for n in range(5)]
    writer.stop()
    assert all(future.done() for future in futures)


def test_an_error_of_our_own_is_not_taken_for_the_disk() -> None:
    error = BadChange("too long")
    assert writer_module.store_error(error) is error


def test_a_batch_holds_no_more_operations_than_the_machine_commits_in_50_ms() -> None:
    replica, seconds, sizes = make_replica("node"), [0.0], [0]

    def job(replica: Replica) -> None:
        seconds[0] += 0.010
        sizes[-1] += 1

    writer = Writer(replica, elapsed=lambda: seconds[0], on_commit=lambda _: sizes.append(0))
    writer.pace.ops_per_ms = 0.1
    gate = threading.Event()
    writer.submit(lambda replica: gate.wait(5), 0)
    futures = [writer.submit(job) for _ in range(23)]
    gate.set()
    for future in futures:
        future.result(5)
    writer.stop()
    assert [size for size in sizes if size] == [5, 5, 5, 5, 3]


def test_a_job_larger_than_a_batch_goes_alone() -> None:
    replica, commits = make_replica("node"), []
    writer = Writer(replica, on_commit=commits.append)
    gate = threading.Event()
    writer.submit(lambda replica: gate.wait(5), 0)
    futures = [writer.submit(lambda replica: None, weight) for weight in (1, 900, 400, 200)]
    gate.set()
    for future in futures:
        future.result(5)
    writer.stop()
    assert len(commits) in (4, 5)  # the one that waited, then 1 | 900 | 400 | 200


def test_who_saves_alone_commits_without_the_writers_thread() -> None:
    replica = make_replica("node")
    threads: list[str] = []
    writer = Writer(replica, on_commit=lambda _: threads.append(threading.current_thread().name))
    writer.call(save("x"))
    writer.submit(save("y")).result(5)
    writer.stop()
    assert threads == [threading.current_thread().name, "writer"]
    assert reports(replica) == ["y"]


def test_who_saves_while_others_wait_is_not_committed_before_them() -> None:
    replica = make_replica("node")
    writer = Writer(replica)
    gate = threading.Event()
    order: list[str] = []
    writer.submit(lambda replica: gate.wait(5))
    writer.submit(lambda replica: order.append("submitted"))
    saver = threading.Thread(target=writer.call, args=(lambda replica: order.append("called"),))
    saver.start()
    gate.set()
    saver.join(5)
    writer.stop()
    assert order == ["submitted", "called"]
